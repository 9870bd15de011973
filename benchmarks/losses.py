"""The Lovász-Softmax loss against segmentation-models-pytorch's, forward and backward.

    python benchmarks/losses.py

Both take logits and a target; both give the same value, which is looked at first. The logits are
noise, as those of a network before training. The surer a network is, the fewer pixels our loss can
leave out of its sort, and the smaller the ratio (`coursekit.losses.regions._falling`).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from harness import device, device_name, in_turn, peak_memory
from records import Recorder
from torch import Tensor
from wanted import lovasz

from coursekit.losses import LovaszSoftmaxLoss


def compare(
    device: str, size: int, batch: int, peer: str, rounds: int = 25, until: float = math.inf
) -> dict[str, Any]:
    """Figures of one row: images a second, and a GPU's memory."""
    from segmentation_models_pytorch.losses import LovaszLoss

    torch.manual_seed(0)
    # Regions, not noise: a target in which classes come and go as in a face.
    target = torch.randint(0, 19, (batch, 1, 8, 8), device=device).float()
    target = torch.nn.functional.interpolate(target, (size, size))[:, 0].long()
    logits = torch.randn(batch, 19, size, size, device=device, requires_grad=True)
    losses = {"ours": LovaszSoftmaxLoss(), "peer": LovaszLoss("multiclass", ignore_index=255)}

    def run(name: str) -> Tensor:
        logits.grad = None
        value: Tensor = losses[name](logits, target)
        value.backward()
        return value.detach()

    torch.testing.assert_close(run("ours"), run("peer"), rtol=1e-3, atol=1e-4)
    works = {name: lambda name=name: run(name) for name in losses}
    figures: dict[str, Any] = {
        name: timing.rate(batch) for name, timing in in_turn(works, rounds, until).items()
    }
    if device == "cuda":
        for name, work in works.items():
            figures[name]["mebibytes"] = round(peak_memory(work))
    return figures


def main() -> None:
    where = device()
    recorder = Recorder(device_name(where), torch.get_num_threads())
    for size, batch in ((128, 2), (256, 2), (473, 4), (512, 2)):
        row = lovasz(where, size, batch)
        recorder.keep(row, compare(**row.settings))


if __name__ == "__main__":
    main()
