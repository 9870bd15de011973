"""The training augmentation against the same operations an image at a time through Pillow.

    python benchmarks/augmentation.py            # one core: ours against Pillow
    python benchmarks/augmentation.py --waiting  # how much of a training epoch is spent on data

Both sides start from decoded photographs and label maps and end with whitened tensors. The peer is
the report's list of operations as one writes them with torchvision on PIL images.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np
import torch
from harness import compare, header, show
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from coursekit import create_model
from coursekit.data import Augmentation, SynthDataset, TrainingView, Whitening
from coursekit.data.cache import Arrays

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


def against_pillow() -> None:
    header()
    for size in (128, 256, 512):
        arrays = rendered(size)
        view = TrainingView(arrays, size, WHITENING, Augmentation())
        assert arrays.label_maps is not None
        pairs = [
            (Image.fromarray(photo), Image.fromarray(label_map))
            for photo, label_map in zip(arrays.images, arrays.label_maps, strict=True)
        ]
        measured = compare(
            ("coursekit", lambda view=view: [view[i] for i in range(IMAGES)]),
            ("Pillow and torchvision", lambda pairs=pairs: [by_pillow(*pair) for pair in pairs]),
        )
        show(f"augmentation, {size}², one thread", measured, "images", IMAGES)


def waiting(size: int, batch: int, steps: int, workers: int) -> None:
    """Time of epochs with the loader, and with one batch that lies ready."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    view = TrainingView(rendered(size), size, WHITENING, Augmentation())
    several = torch.utils.data.ConcatDataset([view] * -(-steps * batch // IMAGES))
    loader = DataLoader(several, batch, num_workers=workers, persistent_workers=workers > 0)
    model = create_model("fastscnn").to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters())
    first = next(iter(loader))

    def train(batches: list[dict[str, torch.Tensor]] | DataLoader) -> None:
        for item in batches:
            image = item["image"].to(device, memory_format=torch.channels_last)
            optimiser.zero_grad()
            logits = model(image)
            torch.nn.functional.cross_entropy(logits, item["target"].to(device)).backward()
            optimiser.step()

    measured = compare(
        ("with the loader", lambda: train(loader)),
        ("a batch that lies ready", lambda: train([first] * len(loader))),
        rounds=5,
    )
    show(f"FastSCNN, {size}², batch {batch}, {workers} workers", measured, "images",
         len(loader) * batch)  # fmt: skip
    start = time.perf_counter()
    for index in range(IMAGES):
        view[index]
    each = (time.perf_counter() - start) / IMAGES
    step = measured[1].seconds / (len(loader) * batch)
    print(f"\nan image is prepared in {1000 * each:.1f} ms and trained on in {1000 * step:.1f} ms: "
          f"data take {each / (each + step):.3f} of both, in the same thread")  # fmt: skip


def rendered(size: int) -> Arrays:
    """Some faces in memory."""
    view = TrainingView(SynthDataset(seed=0, length=IMAGES, size=size), size, WHITENING)
    return view.arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--waiting", action="store_true", help="the share of data in training")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    if options.waiting:
        header()
        waiting(options.size, options.batch, options.steps, options.workers)
        return
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    against_pillow()


if __name__ == "__main__":
    main()
