"""How a small landmark network is trained on a CPU in minutes: what all who train one here share.

The tool's own training, the loop of labelling and retraining (`benchmarks/annotation_loop.py`) and
the network that sees rendered faces alone (`benchmarks/photo_landmarks.py`) differ in their faces,
how often they see them, and the rate.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from coursekit import checkpoint
from coursekit.checkpoint import ModelInfo, triple
from coursekit.data import Augmentation, SynthDataset
from coursekit.data.face_crops import FaceCrops
from coursekit.landmarks import LANDMARK_SET
from coursekit.optim import AveragedCosineConfig
from coursekit.training import FitConfig, LandmarkConfig, fit
from coursekit.training.agreement import agree
from coursekit.training.descent import descend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

    from coursekit.data import FaceDataset
    from coursekit.training import FitResult

#: 230,000 weights, and 9 MB of fitted steps. Maps of likelihood are read to a fraction of a pixel:
#: those of 16² will do.
NETWORK: dict[str, Any] = {
    "num_classes": 106, "width": 64, "stem": (32, 32), "likelihood": True, "descent": 4,
}  # fmt: skip
SIZE, BATCH = 64, 16
#: The highest rate of a network that begins.
RATE = 4e-3
#: Photos are so much larger than the square that a face is cut out to: the steps after the maps see
#: more than the maps do.
DRAWN = 2.25
# With wider turns and more about the faces than usual.
_SHIFT, _CROWD = 0.3, 0.1
# Size and place vary with the squares that are cut out.
_LOOKS = Augmentation(scale=(1.0, 1.1), rotation=15, mirror_probability=0.5)


def train(
    model: nn.Module,
    faces: FaceDataset,
    others: FaceDataset,
    photos: FaceDataset,
    config: FitConfig,
    out: Path | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> tuple[ModelInfo, FitResult]:
    """Train a landmark network on faces that are cut out.

    Args:
        model: an hourglass, fresh or trained before.
        faces: to learn from.
        others: to measure on; nothing is chosen by them.
        photos: what the faces were cut out of, or larger cuts: the steps after the maps are fitted
            to them, and hold them in memory.
        config: of `settings`.
        out: a folder for its checkpoint; a run that was begun there goes on.
        on_epoch: see `fit`.

    Returns:
        How the network sees images, for a checkpoint; what `fit` returned.
    """
    network: Any = model
    if network.agreement is not None:
        network.agreement.zero_()
    result = fit(
        model, faces, others, config, out, resume=out is not None, progress=False,
        on_epoch=on_epoch,
    )  # fmt: skip
    agree(model, faces, config, result.whitening)
    mean, std = triple(result.whitening.mean), triple(result.whitening.std)
    info = ModelInfo("hourglass", asdict(network.config), LANDMARK_SET, config.size, mean, std)
    descend(model, info, photos, config.seed)
    if out is not None:
        checkpoint.save(out / "model.safetensors", model, info)
    return info, result


def settings(
    epochs: int, rate: float = RATE, *, size: int = SIZE, seed: int = 42, cpu: bool = False
) -> FitConfig:
    """Of a run on faces that are cut out."""
    return FitConfig(
        size=size, epochs=epochs, batch_size=BATCH, seed=seed, cpu=cpu, augmentation=_LOOKS,
        objective=LandmarkConfig(), plan=AveragedCosineConfig(lr=rate, average=0.99),
    )  # fmt: skip


def rendered(seed: int, count: int, size: int = SIZE) -> FaceCrops:
    """Rendered faces, cut out."""
    faces = SynthDataset(seed, count, round(DRAWN * size), crowd=_CROWD, shift=_SHIFT)
    return FaceCrops(faces, size, varied=True)
