"""DML-CSR's objective: parsing with edge tasks, edge attention and a teacher (Zheng et al. 2022).

Eq. 5 where labels teach,

L_DML = λ₀·(L_ce^p + L_lovász^p) + λ₁·L_ce^b + λ₃·L_attn^b + λ₂·L_ce^c + λ₄·L_attn^c

and Eq. 7 where a teacher does, as soon as the plan has made one:

L_CSR = α₀·(L_kl^p + L_lovász^p) + α₁·L_kl^b + α₂·L_kl^c

p is the parsing, b the binary and c the category edges. Edges are drawn on the device, from the
augmented target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch import Tensor, nn

from coursekit.data import class_counts
from coursekit.errors import CourseError
from coursekit.labels import IGNORE_INDEX
from coursekit.losses import (
    binary_edge_attention,
    binary_edge_loss,
    binary_edges,
    category_edge_attention,
    category_edge_loss,
    category_edges,
    class_weights,
    distillation_loss,
    lovasz_softmax,
    weighted_cross_entropy,
)
from coursekit.models import unwrap
from coursekit.models.edge_heads import Heads
from coursekit.optim.settings import check_choices
from coursekit.training.objective import (
    Objective,
    ParsingConfig,
    ParsingScore,
    Sums,
    are_weights,
    call_heads,
    try_heads,
)

if TYPE_CHECKING:
    from coursekit.data import FaceDataset
    from coursekit.training.objective import Batch


@dataclass(frozen=True)
class MultiTaskConfig:
    """Settings of `MultiTaskObjective`; the defaults are the paper's, where it gives any.

    A term that is off, or whose weight is 0, is not computed. The two attention losses need no
    edge head: they are parsing losses on edges of the label map.

    Attributes:
        binary: train the binary edge head.
        category: train the category edge head.
        attention_binary: Eq. 3.
        attention_category: Eq. 4. Its w_j are the weights of the report's Eq. 2, from the counts of
            the training set, times the number of classes, so that their mean is 1; the paper gives
            no values.
        weights: λ₀ to λ₄ of parsing, binary edges, category edges, and attention to both.
        distillation: α₀ to α₂ of parsing, binary and category edges.
        sides: "both" or "inner": how edges are drawn, see `coursekit.losses.edge_labels`.
        width: of the edges.
        lovasz_target: what the Lovász-Softmax loss of Eq. 7 compares with: "labels", the masks, or
            "teacher", the teacher's class of each pixel. The paper does not say; with the masks,
            wrong labels go on teaching.
    """

    binary: bool = True
    category: bool = True
    attention_binary: bool = True
    attention_category: bool = True
    weights: tuple[float, float, float, float, float] = (1.0, 1.0, 1.0, 4.0, 1.0)
    distillation: tuple[float, float, float] = (1.0, 1.0, 0.1)
    sides: Literal["both", "inner"] = "both"
    width: int = 1
    lovasz_target: Literal["labels", "teacher"] = "labels"

    def __post_init__(self) -> None:
        for name, count in (("weights", 5), ("distillation", 3)):
            values = getattr(self, name)
            if not are_weights(values, count, first=True):
                raise CourseError(
                    f"{name} is {values}; it must be {count} numbers of at least 0, the first, of "
                    "the parsing, above 0"
                )
        switches = ("binary", "category", "attention_binary", "attention_category")
        choices: dict[str, tuple[object, ...]] = {
            **dict.fromkeys(switches, (True, False)),
            "sides": ("both", "inner"),
            "lovasz_target": ("labels", "teacher"),
        }
        check_choices(self, choices)
        if type(self.width) is not int or self.width < 1:
            raise CourseError(f"width is {self.width!r}; it must be a whole number of at least 1")

    @property
    def divisible(self) -> bool:
        """False: the Lovász-Softmax loss is no sum over pixels, so a run needs one process."""
        return False

    def check(self, model: nn.Module, train: FaceDataset, val: FaceDataset) -> None:
        """See `coursekit.training.ObjectiveConfig`."""
        ParsingConfig().check(model, train, val)
        network = unwrap(model)
        if not (self.binary or self.category):
            return
        if not hasattr(network, "heads"):
            raise CourseError(
                f"{type(network).__name__} has no heads beside its logits, and binary={self.binary}"
                f", category={self.category} ask for edges: turn both off, or take a network with "
                'edge heads, such as create_model("dml_csr")'
            )
        found = try_heads(network)
        for name in ("binary", "category"):
            if getattr(self, name) and getattr(found, name, None) is None:
                raise CourseError(
                    f"{name}=True trains a {name} edge head, which this {type(network).__name__} "
                    f'lacks: make it with edge_heads="both" or "{name}", or set {name}=False '
                    f"(--set edge_heads=both, or --without {name})"
                )

    def build(self, model: nn.Module, train: FaceDataset) -> MultiTaskObjective:
        """See `coursekit.training.ObjectiveConfig`."""
        classes, w = train.labels.num_classes, None
        if self.attention_category and self.weights[4]:
            w = classes * class_weights(class_counts(train))  # Σ = 1 → mean 1
        return MultiTaskObjective(model, self, classes, w)


def _ask(network: nn.Module, image: Tensor, *, heads: bool) -> Heads:
    """A network's answers; without `heads` its logits alone, by its `forward`."""
    if not heads:
        return Heads(network(image))
    found = call_heads(network, image)
    return Heads(found.logits, getattr(found, "binary", None), getattr(found, "category", None))


def _edges(said: Heads) -> tuple[Tensor, Tensor]:
    """Binary and category edges; `MultiTaskConfig.check` saw to it that those in use are there."""
    return cast("tuple[Tensor, Tensor]", (said.binary, said.category))


def _float(logits: Tensor | None) -> Tensor | None:
    return None if logits is None else logits.float()


class MultiTaskObjective(Objective):
    """Eq. 5, and Eq. 7 once there is a teacher; scored by mean IoU.

    In training mode a teacher switches from Eq. 5 to Eq. 7, which has no attention losses. The
    teacher is asked once a step, without gradients, in the precision of the student. In evaluation
    mode the loss is Eq. 5, during the cycles too: the best of a run (M_best of Eq. 6) is then
    chosen by one measure throughout. Distances to teachers that change could not be compared, and
    the network nearest to its teacher would be the best.

    Where the public code differs: its teacher's logits are mixed with the labels, attention stays
    on in the cycles, and the three weights λ₀ to λ₂ come out as 2, 1 and 0.2.

    Args:
        model: maps (B, 3, S, S) to logits by `forward`, and to logits and edges by `heads`; see
            `coursekit.models.edge_heads.Heads`.
        config: which terms there are.
        num_classes: C, how many there are.
        category_weights: (C,), the w_j of Eq. 4; all 1 when None.
    """

    category_weights: Tensor | None

    def __init__(
        self,
        model: nn.Module,
        config: MultiTaskConfig,
        num_classes: int,
        category_weights: Tensor | None = None,
    ) -> None:
        super().__init__(model)
        self.config, self.num_classes = config, num_classes
        self.register_buffer("category_weights", category_weights)

    def forward(self, batch: Batch) -> Sums:
        """The loss of "image" (B, 3, S, S) and "target" (B, S, S), and the logits.

        Cross-entropy is a sum over pixels. Each other term is a batch's, counted once an image, so
        that the loss of a validation set is the mean over its batches, by images.
        """
        image, target = batch["image"], batch["target"]
        said = self._answers(self.model, image)
        if self.training and self.teacher is not None:
            with torch.no_grad():
                told = self._answers(self.teacher, image)
            terms = self._by_teacher(said, told, target)
        else:
            terms = self._by_labels(said, target)
        total, mass = zip(*terms, strict=True)
        return Sums(torch.stack(total), torch.stack(mass), said.logits)

    def score(self) -> ParsingScore:
        """Counts pixels by true and predicted class."""
        return ParsingScore(self.num_classes)

    def _answers(self, network: nn.Module, image: Tensor) -> Heads:
        with self.autocast(image):
            said = _ask(network, image, heads=self.config.binary or self.config.category)
        return Heads(said.logits.float(), _float(said.binary), _float(said.category))

    def _by_labels(self, said: Heads, target: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Eq. 5, term by term: numerators and denominators."""
        config, images = self.config, said.logits.new_tensor(len(target))
        parse, binary, category, attention_b, attention_c = config.weights  # λ₀ to λ₄
        binary, attention_b = config.binary * binary, config.attention_binary * attention_b
        category, attention_c = config.category * category, config.attention_category * attention_c
        edge_b, edge_c = _edges(said)
        entropy, pixels = weighted_cross_entropy(said.logits, target)
        terms = [
            (parse * entropy, pixels),
            (parse * lovasz_softmax(said.logits, target) * images, images),
        ]
        drawn: dict[str, Any] = {"sides": config.sides, "width": config.width}
        if binary or attention_b:
            edges = binary_edges(target, **drawn)  # (B, S, S)
        if binary:
            terms.append((binary * binary_edge_loss(edge_b, edges) * images, images))
        if attention_b:
            cost = binary_edge_attention(said.logits, target, edges)
            terms.append((attention_b * cost * images, images))
        if category or attention_c:
            edges = category_edges(target, self.num_classes, **drawn)  # (B, C, S, S)
        if category:
            terms.append((category * category_edge_loss(edge_c, edges) * images, images))
        if attention_c:
            cost = category_edge_attention(said.logits, target, edges, self.category_weights)
            terms.append((attention_c * cost * images, images))
        return terms

    def _by_teacher(self, said: Heads, told: Heads, target: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Eq. 7, term by term. Pixels without a label, such as empty corners, do not count."""
        config, images = self.config, said.logits.new_tensor(len(target))
        parse, binary, category = config.distillation  # α₀ to α₂
        (edge_b, edge_c), (told_b, told_c) = _edges(said), _edges(told)
        valid = target != IGNORE_INDEX  # (B, S, S)
        if config.lovasz_target == "teacher":
            target = told.logits.argmax(1).masked_fill(~valid, IGNORE_INDEX)  # (B, S, S)
        costs = [
            parse * distillation_loss(said.logits, told.logits, valid),
            parse * lovasz_softmax(said.logits, target),
        ]
        if config.binary and binary:
            costs.append(binary * distillation_loss(edge_b, told_b, valid))
        if config.category and category:
            cost = distillation_loss(edge_c, told_c, valid, independent=True)
            costs.append(category * cost)
        return [(cost * images, images) for cost in costs]
