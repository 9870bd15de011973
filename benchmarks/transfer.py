"""What the embedded faces are worth: a network that saw nothing else, scored on photographs.

    python benchmarks/transfer.py --data ROOT                 # the renderer as it is
    python benchmarks/transfer.py --data ROOT --ablate pose   # without one of its features
    python benchmarks/transfer.py --speed                     # images per second and core

ROOT is any folder that `coursekit.data.open_dataset` reads; its split `val` is scored. On two
cores a run takes about six minutes, most of it training.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
import wanted
from harness import round_to
from records import Recorder, Row, processor
from torch import Tensor, nn

import coursekit
from coursekit.data import open_dataset
from coursekit.labels import CELEBAMASK_HQ
from coursekit.metrics import confusion_matrix, iou, mean_iou
from coursekit.synthfaces import Style, render

BATCH, RATE = 8, 2e-3
#: Each name switches one feature of the renderer off and leaves the rest as it is.
ABLATIONS: dict[str, dict[str, float]] = {
    "none": {},
    "shading": {"shading": 0.0},
    "textures": {"skin_texture": 0.0, "hair_texture": 0.0},
    "colour": {"colour_spread": 0.0},
    "background": {"background_clutter": 0.0},
    "pose": {"yaw_sd": 0.0, "wide_yaw_share": 0.0, "pitch_sd": 0.0, "roll_sd": 0.0},
    "shape": {"shape_spread": 0.0},
    "hair": {"hair_variety": 0.0, "fringe_share": 0.0},
    "worn": {"glasses_share": 0.0, "hat_share": 0.0, "earring_share": 0.0, "necklace_share": 0.0},
    "camera": {"camera": 0.0},
}


def draw(count: int, size: int, style: Style, seed: int) -> tuple[Tensor, Tensor]:
    """Render `count` faces: images (N, 3, S, S) uint8 and label maps (N, S, S) uint8."""
    images = np.empty((count, 3, size, size), np.uint8)
    label_maps = np.empty((count, size, size), np.uint8)
    for index in range(count):
        face = render(seed, index, size, style=style)
        images[index], label_maps[index] = face.image.transpose(2, 0, 1), face.label_map
    return torch.from_numpy(images), torch.from_numpy(label_maps)


def augment(images: Tensor, targets: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn, scale, shift and mirror; brightness, contrast, saturation, hue cast, noise.

    Args:
        images: (B, 3, S, S) uint8.
        targets: (B, S, S) uint8 class ids.
        rng: the source of chance.

    Returns:
        Images (B, 3, S, S) float32 in about [0, 1] and targets (B, S, S) int64.
    """
    batch = len(images)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(batch, *shape, generator=rng)

    angle, scale = uniform(-0.2, 0.2), uniform(0.85, 1.15)
    flip = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    shift = uniform(-0.08, 0.08, 2)
    rows = (cos * flip, -sin, shift[:, 0], sin * flip, cos, shift[:, 1])
    grid = F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(images.shape), False)

    def warp(planes: Tensor, mode: str) -> Tensor:
        return F.grid_sample(planes, grid, mode, "reflection", align_corners=False)

    x = warp(images.float() / 255, "bilinear")
    y = warp(targets[:, None].float(), "nearest")[:, 0].long()
    table = torch.from_numpy(CELEBAMASK_HQ.mirror_table().astype(np.int64))
    y = torch.where((flip < 0)[:, None, None], table[y], y)
    grey = x.mean(1, keepdim=True)
    x = grey + uniform(0.6, 1.4, 1, 1, 1) * (x - grey)
    middle = x.mean((1, 2, 3), keepdim=True)
    x = middle + uniform(0.7, 1.3, 1, 1, 1) * (x - middle)
    x = x * uniform(0.75, 1.25, 1, 1, 1) * uniform(0.9, 1.1, 3, 1, 1)
    return x + uniform(0, 0.04, 1, 1, 1) * torch.randn(x.shape, generator=rng), y


def train(images: Tensor, targets: Tensor, model: nn.Module, epochs: int) -> None:
    """Adam with a one-cycle cosine, cross-entropy with mild class weights; fixed seeds."""
    rng = torch.Generator().manual_seed(1)
    shares = torch.bincount(targets.flatten(), minlength=19).double() / targets.numel()
    weights = ((shares + 1e-4) ** -0.2).float()  # rare classes a little more: 1 to 5
    weights = weights / (weights * shares).sum().float()
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    steps = epochs * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, RATE, total_steps=steps, pct_start=0.1
    )
    model.train()
    for epoch in range(epochs):
        order = torch.randperm(len(images), generator=rng)
        total, began = 0.0, time.perf_counter()
        for chosen in order[: len(order) // BATCH * BATCH].split(BATCH):
            x, y = augment(images[chosen], targets[chosen], rng)
            logits = model(whiten(x).contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits, y, weights)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        mean = total / (len(images) // BATCH)
        print(
            f"epoch {epoch + 1}/{epochs}  loss {mean:.3f}  {time.perf_counter() - began:.0f} s",
            flush=True,
        )


def whiten(x: Tensor) -> Tensor:
    """Images in [0, 1] to about zero mean and unit spread."""
    return (x - 0.45) / 0.27


@torch.inference_mode()
def score(model: nn.Module, root: Path, size: int) -> Tensor:
    """The (19, 19) confusion matrix over the split `val` of real photographs at size²."""
    model.eval()
    arrays = open_dataset(root, "val").arrays(size)
    matrix = torch.zeros(19, 19, dtype=torch.int64)
    for k in range(0, len(arrays), 32):
        x = (
            torch.from_numpy(np.asarray(arrays.images[k : k + 32])).permute(0, 3, 1, 2).float()
            / 255
        )
        y = torch.from_numpy(np.asarray(arrays.label_maps[k : k + 32]))
        logits = model(whiten(x).contiguous(memory_format=torch.channels_last))
        matrix += confusion_matrix(logits.argmax(1), y, 19)
    return matrix


def speed() -> dict[str, float]:
    """How many images a second of processor time one core draws, by size."""
    cv2.setNumThreads(1)
    rates = {}
    for size, count in ((128, 200), (512, 30)):
        render(0, 0, size)
        began = time.process_time()
        for index in range(count):
            render(1, index, size)
        rates[str(size)] = round_to(count / (time.process_time() - began), 3)
    return rates


def read_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder of real faces, read by open_dataset")
    parser.add_argument("--ablate", choices=ABLATIONS, default="none", help="switch a feature off")
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0, help="of the faces; the weights' is fixed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--speed", action="store_true", help="only time the renderer")
    options = parser.parse_args()
    if options.data is None and not options.speed:
        parser.error("--data ROOT is missing: the folder of real faces to score on")
    return options


def main() -> None:
    """Train on drawn faces, score on real ones, print the figures."""
    options = read_options()
    recorder = Recorder(processor(), options.threads, (options.seed,))
    if options.speed:
        recorder.keep(Row("renderer", {"sizes": "all"}), speed())
        return
    torch.set_num_threads(options.threads)
    began = time.perf_counter()
    style = replace(Style(), **ABLATIONS[options.ablate])
    images, targets = draw(options.images, options.size, style, options.seed)
    torch.manual_seed(0)
    model = coursekit.create_model("fastscnn").to(memory_format=torch.channels_last)
    train(images, targets, model, options.epochs)
    matrix = score(model, options.data, options.size)
    row = wanted.transfer(
        options.ablate, options.images, options.epochs, options.size, options.seed
    )
    shares = [round(share, 3) for share in iou(matrix).tolist()]
    recorder.keep(row, {
        "mean_iou": round(mean_iou(matrix), 3),
        "steps": options.epochs * (options.images // BATCH),
        "minutes": round((time.perf_counter() - began) / 60),
        "iou": dict(zip(CELEBAMASK_HQ.names, shares, strict=True)),
    })  # fmt: skip


if __name__ == "__main__":
    main()
