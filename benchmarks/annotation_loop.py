"""Fig. 4 of the LaPa paper from a loop of labelling and retraining, on rendered faces.

A network proposes 106 points, a simulated annotator puts those right that are off by more than 2 %
of the face's box (√(w·h)) and leaves the others where they are, errors and all; the network is
trained on from its weights with all that is labelled by now, and proposes the next round. Before
the first training nothing is proposed: the annotator places every point.

python benchmarks/annotation_loop.py --threads 1 --picture loop.png
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
import wanted
from harness import round_to
from records import Recorder, processor

import coursekit
from coursekit import metrics
from coursekit.data import FaceDataset, Sample, SynthDataset
from coursekit.data.face_crops import FaceCrops
from coursekit.labelling import recipe
from coursekit.landmark_inference import predict_landmarks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from coursekit.checkpoint import ModelInfo

#: Faces that are labelled after each round, and the epochs of training on them.
ROUNDS = {25: 60, 100: 20, 400: 12, 2500: 10}
#: A point further off than this share of the face's box is moved.
OFF = 0.02
TESTED = 120


class Labelled(FaceDataset):
    """Photos with the points that the annotator left on them."""

    def __init__(self, photos: FaceDataset, points: NDArray[np.float32]) -> None:
        super().__init__()
        self.photos, self.points = photos, points
        self.labels, self.layout, self.split = photos.labels, photos.layout, photos.split
        self.names, self.threads = photos.names, photos.threads
        self.labelled, self.landmarked = False, True

    def sample(self, index: int, *, landmarks: bool = True) -> Sample:
        """The photo with its points."""
        return Sample(
            self.names[index], self.photos.image(index), landmarks=self.points[index].copy()
        )

    def subset(self, indices: Sequence[int]) -> Labelled:
        """Some of them."""
        return Labelled(self.photos.subset(indices), self.points[list(indices)])

    def identity(self) -> dict[str, Any]:
        """Of photos and points."""
        return {"photos": self.photos.identity(), "points": self.points.tolist()}


def propose(
    model: nn.Module, photos: FaceDataset, indices: Sequence[int], info: ModelInfo
) -> NDArray[np.float32]:
    """What the network says of some photos, (N, 106, 2)."""
    model.eval()
    found = [predict_landmarks(model, photos.image(i), info).points for i in indices]
    return np.stack(found)


def off(points: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N, 106): the points that an annotator moves."""
    errors = metrics.point_errors(torch.from_numpy(points), torch.from_numpy(truth))
    return (errors > OFF).numpy()


def retrain(model: nn.Module, labelled: Labelled, epochs: int, size: int, seed: int) -> ModelInfo:
    """Train on from the weights that are there; returns how the network sees images."""
    crops = FaceCrops(labelled, size, varied=True)
    few = crops.subset(range(recipe.BATCH))  # nothing is chosen by it
    config = recipe.settings(epochs, size=size, seed=seed, cpu=True)
    return recipe.train(model, crops, few, labelled, config)[0]


def loop(size: int, seed: int) -> list[dict[str, float]]:
    """All rounds: what each training set gave, and what the annotator moved for the next."""
    drawn = round(recipe.DRAWN * size)
    pool = SynthDataset(2 * seed + 1, max(ROUNDS), drawn)
    test = SynthDataset(2 * seed + 2, TESTED, drawn, split="test")
    truth, wanted_points = (d.arrays(drawn).landmarks for d in (pool, test))
    assert truth is not None
    assert wanted_points is not None
    points = np.array(truth)  # of the first round: placed by hand
    torch.manual_seed(seed)
    model = coursekit.create_model("hourglass", **recipe.NETWORK)
    rows: list[dict[str, float]] = []
    done, moved = 0, 106.0
    for count, epochs in ROUNDS.items():
        indices = range(done, count)
        if done:
            proposed = propose(model, pool, indices, info)
            wrong = off(proposed, truth[indices])
            moved = float(wrong.sum(1).mean())
            points[done:count] = np.where(wrong[..., None], truth[indices], proposed)
        done = count
        part = Labelled(pool.subset(range(count)), points[:count])
        info = retrain(model, part, epochs, size, seed)
        found = propose(model, test, range(TESTED), info)
        errors = metrics.nme(torch.from_numpy(found), torch.from_numpy(np.array(wanted_points)))
        rows.append({
            "images": count,
            "moved_to_label": round_to(moved, 4),
            "moved_after": round_to(float(off(found, np.array(wanted_points)).sum(1).mean()), 4),
            "nme": round_to(float(errors.nanmean()), 3),
            "auc": round_to(metrics.auc(errors), 3),
            "failures": round_to(metrics.failure_rate(errors), 3),
        })  # fmt: skip
        print(rows[-1], round(time.process_time()), flush=True)
    return rows


def draw(rows: list[dict[str, float]], path: Path) -> None:
    """Fig. 4 and, beside it, the points that an annotator must move."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    images = [row["images"] for row in rows]
    left.plot(images, [100 * row["nme"] for row in rows], "o-", color="tab:blue")
    left.set(
        xlabel="training samples", ylabel="NME, % of the face box", xscale="log", ylim=(0, None)
    )
    other = left.twinx()
    other.plot(images, [row["auc"] for row in rows], "s--", color="tab:orange")
    other.set(ylabel="AUC at 0.08", ylim=(0, 1))
    right.plot([0, *images], [106, *(row["moved_after"] for row in rows)], "o-", color="tab:green")
    right.set(
        xlabel="training samples", ylabel="points to move, of 106", xscale="symlog", ylim=(0, 110)
    )
    for axes in (left, right):
        axes.set_xticks(images, [str(count) for count in images])
        axes.minorticks_off()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Run the loop, keep its record, draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=recipe.SIZE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--picture", type=Path, help="where the curve is drawn")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    recorder = Recorder(processor(), options.threads, (options.seed,))
    rows = loop(options.size, options.seed)
    first, last = rows[0]["moved_after"], rows[-1]["moved_after"]
    recorder.keep(wanted.annotation_loop(options.size, options.seed), {
        "rounds": rows, "off": OFF, "tested": TESTED,
        "cut_from_by_hand": round_to(1 - last / 106, 3),
        "cut_from_first_model": round_to(1 - last / first, 3),
        "processor_minutes": round_to(time.process_time() / 60, 3),
    })  # fmt: skip
    if options.picture:
        draw(rows, options.picture)


if __name__ == "__main__":
    main()
