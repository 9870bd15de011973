"""What scoring costs beside a forward pass, and beside other ways of counting.

    uv run --group peers python benchmarks/metrics.py

Processor time of one image, in one thread; every work is timed in turn with all others. A forward
pass is of one whitened image in evaluation mode, as `coursekit.training.evaluate` runs it.
"""

from __future__ import annotations

import argparse
from functools import partial

import torch
from harness import in_turn, processor_seconds, round_to
from records import Recorder, Row, processor
from torch import Tensor
from torchmetrics.classification import MulticlassJaccardIndex
from wanted import MODELS

from coursekit import create_model
from coursekit.metrics import confusion_matrix, iou
from coursekit.synthfaces import render


def loop_over_classes(prediction: Tensor, target: Tensor) -> Tensor:
    """IoU of each class as it is often written: two boolean maps a class."""
    scores = torch.zeros(19)
    for c in range(19):
        a, b = prediction == c, target == c
        scores[c] = (a & b).sum() / (a | b).sum().clamp_min(1)
    return scores


def one_matrix(prediction: Tensor, target: Tensor) -> Tensor:
    """The same from one pass."""
    return iou(confusion_matrix(prediction, target, 19)).float()


def by_torchmetrics(prediction: Tensor, target: Tensor) -> Tensor:
    """The same by torchmetrics, with its defaults."""
    metric = MulticlassJaccardIndex(19, average=None)
    metric.update(prediction, target)
    scores: Tensor = metric.compute()
    return scores


WAYS = {
    "confusion_matrix": partial(confusion_matrix, num_classes=19),
    "loop": loop_over_classes,
    "torchmetrics": by_torchmetrics,
}


@torch.inference_mode()
def milliseconds(size: int, rounds: int) -> dict[str, dict[str, float]]:
    """Processor time of each network's forward pass and of each way of scoring its result."""
    target = torch.from_numpy(render(0, 0, size).label_map)
    # Right but for the resolution: what a network's map of an eighth of the side can be.
    coarse = target[None, None, 4::8, 4::8].float()
    prediction = torch.nn.functional.interpolate(coarse, (size, size))[0, 0].long()
    for peer in (loop_over_classes, by_torchmetrics):
        torch.testing.assert_close(one_matrix(prediction, target), peer(prediction, target))
    image, logits = torch.randn(1, 3, size, size), torch.randn(1, 19, size, size)
    networks = {name: partial(create_model(name).eval(), image) for name in MODELS}
    scoring = {name: partial(way, prediction, target) for name, way in WAYS.items()}
    works = {**networks, **scoring, "argmax": lambda: logits.argmax(1)}
    return {
        name: {"ms": round_to(1000 * t.seconds), "spread": round(t.spread, 3)}
        for name, t in in_turn(works, rounds, timer=processor_seconds).items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    recorder = Recorder(processor(), threads=1)
    for size in (128, 256, 512):
        recorder.keep(Row("metrics", {"size": size}), milliseconds(size, rounds))


if __name__ == "__main__":
    main()
