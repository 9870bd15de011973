"""A landmark network that saw rendered faces alone, tried on photographs.

There are no true points for CelebAMask-HQ; those of a face mesh (mesh_points.py) stand in for them.
Its own error is part of the figure, and so is what it calls a brow. No photograph takes part in
training.

python benchmarks/photo_landmarks.py --data ROOT --points FOLDER --out RUNS --threads 1
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import wanted
from annotation import from_mesh
from harness import round_to
from records import Recorder, processor

import coursekit
from coursekit import checkpoint, metrics
from coursekit.data import open_dataset
from coursekit.labelling import recipe
from coursekit.landmark_inference import predict_landmarks
from coursekit.landmarks import LANDMARK_GROUPS, NUM_LANDMARKS


def train(images: int, epochs: int, size: int, seed: int, out: Path) -> None:
    """Train on rendered faces, cut out; goes on with a run that was begun."""
    torch.manual_seed(seed)
    model = coursekit.create_model("hourglass", **recipe.NETWORK)
    faces = recipe.rendered(2 * seed + 1, images, size)
    others = recipe.rendered(2 * seed + 2, 100, size)
    config = recipe.settings(epochs, size=size, seed=seed, cpu=True)
    recipe.train(
        model, faces, others, faces.photos, config, out,
        on_epoch=lambda entry: print(entry, flush=True),
    )  # fmt: skip


def compare(root: Path, points: Path, out: Path) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Figures on the split `val`; the points found, and each photograph's error."""
    loaded = checkpoint.load(out / "model.safetensors")
    photos = open_dataset(root, "val")
    held = np.load(points / "val.npz")
    rows = dict(zip(held["names"].tolist(), map(from_mesh, held["points"]), strict=True))
    nowhere = np.full((NUM_LANDMARKS, 2), np.nan)  # no face was found there
    target = torch.from_numpy(np.stack([rows.get(name, nowhere) for name in photos.names]))
    found = np.stack([
        predict_landmarks(loaded.model, photos.image(k), loaded.info).points
        for k in range(len(photos))
    ])  # fmt: skip
    errors = metrics.nme(torch.from_numpy(found), target, "eyes")
    single = metrics.point_errors(torch.from_numpy(found), target, "eyes")
    groups = {
        name: round_to(float(single[:, list(members)].nanmean()), 3)
        for name, members in LANDMARK_GROUPS.items()
        if single[:, list(members)].isfinite().any()
    }
    return {
        "faces": int(errors.isfinite().sum()),
        "nme_eyes": round_to(float(errors.nanmean()), 3),
        "median": round_to(float(errors.nanmedian()), 3),
        "auc": round_to(metrics.auc(errors), 3),
        "failures": round_to(metrics.failure_rate(errors), 3),
        "groups": groups,
    }, found, errors.numpy()  # fmt: skip


def draw(root: Path, found: np.ndarray, errors: np.ndarray, path: Path) -> None:
    """The best, the middle and the worst faces with their points: to look at, not to keep."""
    photos = open_dataset(root, "val")
    order = np.argsort(errors)
    chosen = [*order[:4], *order[len(order) // 2 :][:4], *order[-8:]]
    tiles = []
    for k in chosen:
        image = photos.image(int(k)).copy()
        for x, y in found[k]:
            place = round((float(x) + 0.5) * 16), round((float(y) + 0.5) * 16)
            cv2.circle(image, place, 40, (0, 255, 0), -1, cv2.LINE_AA, 4)
        cv2.putText(image, f"{errors[k]:.3f}", (8, 40), 0, 1.2, (255, 255, 0), 2)
        tiles.append(cv2.resize(image, (320, 320), interpolation=cv2.INTER_AREA))
    sheet = np.concatenate([np.concatenate(tiles[k : k + 4], 1) for k in range(0, 16, 4)])
    cv2.imwrite(str(path), sheet[..., ::-1])


def main() -> None:
    """Train on rendered faces, measure on photographs, keep the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of photographs")
    parser.add_argument(
        "--points", type=Path, required=True, help="where mesh_points.py kept its points"
    )
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--images", type=int, default=1600)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--size", type=int, default=recipe.SIZE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--picture", type=Path, help="where faces are drawn with their points")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    recorder = Recorder(processor(), options.threads, (options.seed,))
    train(options.images, options.epochs, options.size, options.seed, options.out)
    figures, found, errors = compare(options.data, options.points, options.out)
    minutes = round_to(time.process_time() / 60, 3)
    row = wanted.photo_landmarks(options.images, options.epochs, options.size, options.seed)
    recorder.keep(row, {**figures, "processor_minutes": minutes})
    if options.picture:
        draw(options.data, found, errors, options.picture)


if __name__ == "__main__":
    main()
