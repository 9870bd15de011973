"""The training augmentation against the same operations an image at a time through Pillow.

    python benchmarks/augmentation.py            # one core: ours against Pillow
    python benchmarks/augmentation.py --waiting  # the share of a training step that waits for data

Both sides start from decoded photographs and label maps and end with whitened tensors. The peer is
the report's list of operations as one writes them with torchvision on PIL images.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import cv2
import numpy as np
import torch
import wanted
from harness import device, device_name, in_turn, round_to
from models import make, training_step
from PIL import Image
from records import Recorder, Row, processor
from torch.utils.data import ConcatDataset, DataLoader
from torchvision.transforms import v2

from coursekit.data import Augmentation, SynthDataset, TrainingView, Whitening

IMAGES = 16
WHITENING = Whitening((0.5, 0.4, 0.4), (0.3, 0.3, 0.3))
JITTER = v2.ColorJitter(0.25, 0.25, 0.25, 0.1)
BLUR = v2.RandomApply([v2.GaussianBlur(3, (0.1, 2.0))], 0.5)


def by_pillow(image: Image.Image, label_map: Image.Image) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and crop, colours, blur, noise, clamp, whiten; one pair."""
    width, height = image.size
    factor = 1 + 0.1 * torch.rand(()).item()
    wide, tall = int(width * factor), int(height * factor)
    left = int(torch.randint(0, wide - width + 1, ()))
    top = int(torch.randint(0, tall - height + 1, ()))
    box = (left, top, left + width, top + height)
    image = image.resize((wide, tall), Image.Resampling.BILINEAR).crop(box)
    label_map = label_map.resize((wide, tall), Image.Resampling.NEAREST).crop(box)
    image = BLUR(JITTER(image))
    planes = v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True)
    planes = (planes + 0.03 * torch.randn_like(planes)).clamp(0, 1)
    planes = v2.functional.normalize(planes, list(WHITENING.mean), list(WHITENING.std))
    return planes, torch.from_numpy(np.asarray(label_map).astype(np.int64))


def against_pillow(size: int) -> dict[str, Any]:
    """Figures of both, images a second."""
    view = rendered(size)
    assert view.arrays.label_maps is not None
    pairs = [
        (Image.fromarray(photo), Image.fromarray(label_map))
        for photo, label_map in zip(view.arrays.images, view.arrays.label_maps, strict=True)
    ]
    timings = in_turn(
        {
            "ours": lambda: [view[i] for i in range(IMAGES)],
            "peer": lambda: [by_pillow(*pair) for pair in pairs],
        }
    )
    return {name: timing.rate(IMAGES) for name, timing in timings.items()}


def waiting(
    device: str, model: str, size: int, batch: int, precision: str, workers: int,
    rounds: int = 5, until: float = math.inf,
) -> dict[str, float]:  # fmt: skip
    """Milliseconds an image: to prepare, to train on, and to do both through a loader."""
    view = rendered(size)
    images = ConcatDataset([view] * max(16 * batch // IMAGES, 1))
    loader = DataLoader(
        images, batch, num_workers=workers, persistent_workers=workers > 0, drop_last=True,
        pin_memory=device == "cuda", timeout=30 if workers else 0,
    )  # fmt: skip
    step = training_step(make(model, "ours"), size, batch, precision, device, fast=True)
    first = next(iter(loader))

    def epoch(ready: bool) -> None:
        for item in [first] * len(loader) if ready else loader:
            step(*(item[key].to(device, non_blocking=True) for key in ("image", "target")))

    works = {
        "loader_ms": lambda: epoch(ready=False),
        "step_ms": lambda: epoch(ready=True),
        "prepare_ms": lambda: [view[i] for i in range(IMAGES)],
    }
    counts = {"loader_ms": len(loader) * batch, "step_ms": len(loader) * batch}
    return {
        name: round_to(1000 * timing.seconds / counts.get(name, IMAGES))
        for name, timing in in_turn(works, rounds, until).items()
    }


def rendered(size: int) -> TrainingView:
    """Some faces in memory, augmented when they are taken."""
    dataset = SynthDataset(seed=0, length=IMAGES, size=size)
    return TrainingView(dataset, size, WHITENING, Augmentation())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--waiting", action="store_true", help="the share of data in training")
    options = parser.parse_args()
    if options.waiting:
        where = device()
        recorder = Recorder(device_name(where), torch.get_num_threads())
        row = wanted.waiting(where, "fastscnn", 512, 8, "fp32", workers=0)
        recorder.keep(row, waiting(**row.settings))
        return
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    recorder = Recorder(processor(), threads=1)
    for size in (128, 256, 512):
        recorder.keep(Row("augmentation", {"size": size}), against_pillow(size))


if __name__ == "__main__":
    main()
