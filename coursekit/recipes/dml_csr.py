"""DML-CSR as its paper trains it (Zheng et al., CVPR 2022, section 4): SGD, then self-regulation.

    coursekit train dml_csr --recipe dml_csr --data ROOT --size 473 --epochs 200 --out runs/dml

Rows of its tables, by what is left out (`--without`, several times) or set:

    Table 4   baseline            context, binary, category, attention, self_regulation
              + DDGCN             binary, category, attention, self_regulation
              + DML               self_regulation
              + CSR               nothing
    Table 5   as + DDGCN, with --set context=psp (psp_no_pooling, dgcnet, dgcnet_no_pooling)
    Table 6   p+b, p+b+ba         category, self_regulation; attention too, or not
              p+c, p+c+ca         binary, self_regulation; attention too, or not
              p+b+c               attention, self_regulation

`python benchmarks/paper_tables.py --table 4 --data ROOT --out RUNS` trains all rows of one.

The paper's 200 epochs are 150 of initialisation and K = 5 cycles of N = 10. Of another number of
epochs the cycles have at most a quarter: N is a twentieth of all, rounded, at least 1, and K as
many as fit, at most 5. Without self-regulation all epochs are initialisation: the same passes.

Readings, where the paper leaves a choice:

- The rate falls as in EAGRNet, whose "similar training strategies" it follows: 1e-3 · (1 − t/T)^0.9
  over the initialisation.
- Colours, blur and noise are left alone: it names rotation and scale, and nothing else. Both are
  drawn uniformly. A scaled image lies at a random place in its frame, or is cropped at one; the
  public code keeps its centre, and draws both from clipped normal distributions.
- Images are resized to the square, as everywhere in this package; the public code pads them first.
  They are whitened by the training set's mean and deviation, ImageNet weights or not.
- `attention` is attention to the edges of those tasks that are on.
- ImageNet weights of the encoder are put in where they are found, in a cache or on the network;
  otherwise it starts from scratch, which is said at the start and in scores.json.
- The competition's rules forbid such weights, so these results do not stand under them.

FastSCNN can be trained so too: with its edge heads, its own context, and from scratch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.data import Augmentation
from coursekit.errors import CourseError
from coursekit.models import unwrap
from coursekit.optim import SelfRegulationConfig
from coursekit.recipes import Recipe
from coursekit.training import FitConfig, MultiTaskConfig

if TYPE_CHECKING:
    from torch import nn

INGREDIENTS = {
    "context": "DDGCN, in place of the baseline's 3×3 convolution",
    "binary": "the binary edge task",
    "category": "the category edge task",
    "attention": "the attention losses of the edge tasks that are on",
    "self_regulation": "cycles of averaging and distillation in the last quarter of the epochs",
}
#: Rotation and scale, as the paper says, and nothing else.
AUGMENTATION = Augmentation(
    scale=(0.75, 1.25), brightness=0, contrast=0, saturation=0, hue=0, blur_probability=0, noise=0,
    rotation=30.0,
)  # fmt: skip
MODELS = ("dml_csr", "fastscnn")
RULES = "the paper's settings; not the competition's rules, which forbid pretrained weights"


def cycles(epochs: int) -> tuple[int, int, int]:
    """Epochs of initialisation, K and N: 200 → (150, 5, 10).

    Raises:
        CourseError: for fewer epochs than have a quarter of one.
    """
    if epochs < 4:
        raise CourseError(
            f"{epochs} epochs are too few for self-regulation, which has the last quarter of them: "
            "ask for 4 or more, or train --without self_regulation"
        )
    each = max(round(epochs / 20), 1)
    count = min(epochs // 4 // each, 5)
    return epochs - count * each, count, each


def plan(epochs: int, without: tuple[str, ...], **settings: Any) -> SelfRegulationConfig:
    """The schedule; `settings` are of the optimiser."""
    first, count, each = (epochs, 0, 1) if "self_regulation" in without else cycles(epochs)
    return SelfRegulationConfig(
        initial_epochs=first, cycles=count, cycle_epochs=each, **{"schedule": "poly", **settings}
    )


def objective(without: tuple[str, ...]) -> MultiTaskConfig:
    """Eq. 5 and 7 without these ingredients."""
    binary, category, attends = (n not in without for n in ("binary", "category", "attention"))
    return MultiTaskConfig(binary, category, binary and attends, category and attends)


def settings(model: str, without: tuple[str, ...]) -> dict[str, Any]:
    """Edge heads of the tasks that are on, and the context.

    Raises:
        CourseError: for a context that the model does not have.
    """
    on = [name for name in ("binary", "category") if name not in without]
    edges = {"edge_heads": "both" if len(on) == 2 else on[0] if on else "none"}
    if "context" not in without:
        return edges
    if model != "dml_csr":
        raise CourseError(f"{model} has a context of its own: leave --without context out")
    return {**edges, "context": "none"}


def _configure(
    model: str, size: int, epochs: int, seed: int, without: tuple[str, ...]
) -> FitConfig:
    return FitConfig(
        size=size, epochs=epochs, seed=seed, batch_size=28, objective=objective(without),
        plan=plan(epochs, without), augmentation=AUGMENTATION,
    )  # fmt: skip


def start_imagenet(network: nn.Module) -> str:
    """ImageNet weights for the encoder of DML-CSR or BSPNet, where there are any."""
    from coursekit.models.imagenet import load_imagenet
    from coursekit.models.resnet import ResNetEncoder

    encoder = getattr(unwrap(network), "encoder", None)
    if not isinstance(encoder, ResNetEncoder):
        return "From scratch: there are no ImageNet weights for this network."
    return load_imagenet(encoder)


RECIPE = Recipe(MODELS, RULES, INGREDIENTS, _configure, settings, start_imagenet)
