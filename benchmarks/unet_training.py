"""U-Net training steps: throughput and memory as the image grows.

    python benchmarks/unet_training.py                 # CPU: channels last against the default
    python benchmarks/unet_training.py --sizes 512     # on a GPU: bf16 against fp32

A step is forward, weighted cross-entropy, backward and Adam on random images. On a GPU the two
sides are bf16 and fp32, both channels last; on a CPU they are the two memory layouts, in fp32.
"""

from __future__ import annotations

import argparse

import torch
from harness import Work, compare, header, show

from coursekit import create_model
from coursekit.losses import WeightedCrossEntropy


def make_step(size: int, batch: int, *, bf16: bool, channels_last: bool) -> Work:
    """One training step with its own model, ready to be called again and again."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    layout = torch.channels_last if channels_last else torch.contiguous_format
    torch.manual_seed(0)
    model = create_model("unet").to(device, memory_format=layout)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss = WeightedCrossEntropy(torch.full((19,), 1 / 19)).to(device)
    image = torch.randn(batch, 3, size, size, device=device).contiguous(memory_format=layout)
    target = torch.randint(0, 19, (batch, size, size), device=device)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            logits = model(image)
        loss(logits.float(), target).backward()
        optimiser.step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    header()
    gpu = torch.cuda.is_available()
    for size in arguments.sizes:
        if gpu:
            sides = (
                ("bf16", make_step(size, arguments.batch, bf16=True, channels_last=True)),
                ("fp32", make_step(size, arguments.batch, bf16=False, channels_last=True)),
            )
        else:
            sides = (
                ("channels last", make_step(size, arguments.batch, bf16=False, channels_last=True)),
                ("default", make_step(size, arguments.batch, bf16=False, channels_last=False)),
            )
        measured = compare(*sides, rounds=arguments.rounds)
        show(f"U-Net step, {size}², batch {arguments.batch}", measured, "images", arguments.batch)


if __name__ == "__main__":
    main()
