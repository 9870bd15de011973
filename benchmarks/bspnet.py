"""BSPNet's three models on rendered faces: what the branches are worth, and what the weight is.

    python benchmarks/bspnet.py --queue table2               # A, B and C, seeds 0 to 2
    python benchmarks/bspnet.py --queue all --minutes 60     # begin nothing after an hour
    python benchmarks/bspnet.py --list                       # queues, and how much is open

1,000 crowded faces with right labels, in LaPa's eleven classes, and 200 others to score on; 96²,
ten epochs, the small network (`coursekit.models.bspnet.SMALL`) in one thread on a CPU. All variants
have as many image passes, the same rate and the same order. Controls:

    A, weighted           cross-entropy weighted on boundaries, without the branches
    B, no boundary loss   the fusion's features, without the boundary as a task
    C, alpha 20           a smaller weight: at 96² boundaries are a far larger share than at 473²
    A, C, stride 8        how much of the gain is resolution: the fusion sees C2, A does not
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import queues
import torch
import wanted
from dml_csr import AUGMENTATION, BATCH, RATE
from noisy_faces import Faces, predict, scores, training_faces, validation_faces

from coursekit import count_parameters, create_model, metrics
from coursekit.data import whitening
from coursekit.labels import CELEBAMASK_HQ, LAPA, merge_table
from coursekit.losses import binary_edges
from coursekit.models.bspnet import SMALL
from coursekit.optim import AveragedCosineConfig
from coursekit.training import BoundarySensitiveConfig, FitConfig, fit

if TYPE_CHECKING:
    from records import Row
    from torch import nn

SIZE, EPOCHS = 96, 10


class LapaFaces(Faces):
    """Faces with LaPa's classes."""

    labels = LAPA


@cache
def faces(size: int) -> tuple[LapaFaces, LapaFaces]:
    """To train and to score on; their labels are right."""
    table = merge_table(CELEBAMASK_HQ, LAPA)
    train, val = (
        LapaFaces(f.images, table[f.label_maps], f.split)
        for f in (training_faces(size, 0.0).faces, validation_faces(size))
    )
    return train, val


@dataclass(frozen=True)
class Variant:
    """What is trained, and for what.

    Attributes:
        branches: of the network.
        weights: λ₁ to λ₃.
        alpha: α.
        model: other settings of the network beside SMALL.
    """

    branches: str
    weights: tuple[float, float, float]
    alpha: float
    model: dict[str, Any] = field(default_factory=dict)

    def create(self, seed: int) -> nn.Module:
        """The network, with weights that follow from the seed."""
        torch.manual_seed(seed)
        settings = {**SMALL, **self.model, "branches": self.branches}
        return create_model("bspnet", LAPA.num_classes, **settings)

    def fit_config(self, seed: int) -> FitConfig:
        """The settings of its run."""
        return FitConfig(
            size=SIZE, epochs=EPOCHS, batch_size=BATCH, seed=seed, cpu=True,
            objective=BoundarySensitiveConfig(self.weights, self.alpha),
            plan=AveragedCosineConfig(lr=RATE, average=0.0), augmentation=AUGMENTATION,
        )  # fmt: skip


ALONE, PAPER, STRIDE_8 = (0.0, 0.0, 1.0), (1.0, 1.0, 2.0), {"output_stride": 8}
VARIANTS = {
    "A": Variant("semantic", ALONE, 0.0),
    "B": Variant("three", PAPER, 0.0),
    "C": Variant("three", PAPER, 200.0),
    "A, weighted": Variant("semantic", ALONE, 200.0),
    "B, no boundary loss": Variant("three", (1.0, 0.0, 2.0), 0.0),
    "C, alpha 20": Variant("three", PAPER, 20.0),
    "A, stride 8": Variant("semantic", ALONE, 0.0, STRIDE_8),
    "C, stride 8": Variant("three", PAPER, 200.0, STRIDE_8),
}
assert tuple(VARIANTS) == wanted.BSPNET_VARIANTS


def measure(row: Row) -> dict[str, Any]:
    """Train, and score all classes by F1 as the paper does."""
    began, seed = time.process_time(), row.settings["seed"]
    variant, (train, val) = VARIANTS[row.settings["variant"]], faces(SIZE)
    network = variant.create(seed)
    result = fit(network, train, val, variant.fit_config(seed), progress=False)
    truth = torch.from_numpy(val.label_maps)
    said = predict(network, val, whitening(train, SIZE))
    matrix = metrics.confusion_matrix(said, truth, LAPA.num_classes)
    edges = binary_edges(truth)
    near = metrics.confusion_matrix(said, truth.masked_fill(edges != 1, 255), LAPA.num_classes)
    f1 = zip(LAPA.names, metrics.f1_score(matrix).tolist(), strict=True)
    return {
        **scores(matrix, LAPA.names),
        "f1": {name: round(100 * value, 2) for name, value in f1},
        "boundary_share": round(100 * float((edges == 1).double().mean()), 2),
        "boundary_accuracy": round(100 * metrics.pixel_accuracy(near), 2),
        "history": [round(100 * entry["val_mean_iou"], 2) for entry in result.history],
        "passes": EPOCHS * (len(train) // BATCH * BATCH),
        "parameters": count_parameters(network),
        "minutes": round((time.process_time() - began) / 60, 1),
    }


def main() -> int:
    options = queues.parser(__doc__, wanted.BSPNET).parse_args()
    if options.list or not options.queue:
        queues.tell_open({name: wanted.bspnet_queue(name) for name in wanted.BSPNET}, options.keep)
        return 0
    queue = wanted.bspnet_queue(options.queue)
    return queues.alone(lambda: queues.run(queue, measure, wanted.bspnet_command, options))


if __name__ == "__main__":
    sys.exit(main())
