"""Losses by name, as sums that a training loop can add up: "dice", "cross_entropy+lovasz"."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from coursekit.errors import CourseError
from coursekit.losses.pixels import focal_loss, weighted_cross_entropy
from coursekit.losses.regions import dice_loss, lovasz_softmax

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: What `parse_loss` knows.
LOSS_NAMES = ("cross_entropy", "focal", "dice", "lovasz")
_REGIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "dice": dice_loss,
    "lovasz": lovasz_softmax,
}


def parse_loss(loss: str) -> tuple[str, ...]:
    """`"cross_entropy+lovasz"` → `("cross_entropy", "lovasz")`.

    Raises:
        CourseError: for a name that is not one of `LOSS_NAMES`, or one that stands there twice.
    """
    names = tuple(name.strip() for name in loss.split("+"))
    for name in names:
        if name not in LOSS_NAMES:
            near = difflib.get_close_matches(name, LOSS_NAMES, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise CourseError(
                f"there is no loss {name!r}; {hint}There are {', '.join(LOSS_NAMES)}, and sums "
                "such as cross_entropy+lovasz"
            )
    if len(set(names)) < len(names):
        raise CourseError(f"the loss {loss!r} names one twice; name each once")
    return names


def sums_over_pixels(names: Sequence[str]) -> bool:
    """Whether the loss of a batch is the sum of its parts' sums, divided at the end."""
    return not set(names) & set(_REGIONS)


def takes_weights(names: Sequence[str]) -> bool:
    """Whether a term weighs classes; for the others nobody need count the training set."""
    return bool(set(names) - set(_REGIONS))


def loss_sums(
    names: Sequence[str],
    logits: Float[Tensor, "batch classes height width"],
    target: Integer[Tensor, "batch height width"],
    weights: Float[Tensor, " classes"] | None = None,
) -> tuple[Float[Tensor, " terms"], Float[Tensor, " terms"]]:
    """Numerators and denominators of a loss's terms; the loss is the sum of their quotients.

    Both sums of a term may be added up over parts of a batch, or over batches, before they are
    divided. For cross-entropy and focal loss that is exactly the loss of all pixels together. Dice
    and Lovász are no sums over pixels: their denominator is the number of images, and what comes
    out is the **mean of the batches' losses**, by images, which is another number than the loss of
    all images together. `sums_over_pixels` tells the two apart.

    Args:
        names: from `parse_loss`.
        logits: scores before softmax.
        target: class ids, or 255 where a pixel does not count.
        weights: one for each class, for cross-entropy and focal loss; Dice and Lovász are means
            over classes already and take none.

    Returns:
        Two (len(names),) tensors; the second has no gradient.
    """
    terms = []
    for name in names:
        if name in _REGIONS:
            images = logits.new_tensor(len(logits), dtype=torch.float32)
            terms.append((_REGIONS[name](logits, target) * images, images))
        elif name == "focal":
            terms.append(focal_loss(logits, target, weights=weights))
        else:
            terms.append(weighted_cross_entropy(logits, target, weights))
    totals, masses = zip(*terms, strict=True)
    return torch.stack(totals), torch.stack(masses)
