"""Whether a student's module learns as another does, such as the course's with its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from coursekit.checks.check import Check


def train_alike(
    check: Check, mine: nn.Module, twin: nn.Module, *given: Tensor, rtol: float = 1e-5
) -> tuple[Tensor, Tensor]:
    """In training both give the same, and move the same statistics.

    Args:
        check: of the exercise.
        mine: the student's module.
        twin: one with the same weights and statistics.
        given: what they are called with.
        rtol: how far apart is the same, as a share of what `twin` gives, beside 1e-4.

    Returns:
        What the two gave.
    """
    got, same = check.call(mine.train(), *given), twin.train()(*given)
    alone = "add nothing of your own, call each part once"
    check.close(got, same, f"in training something else comes out: {alone}", 1e-4, rtol)
    for key, moved in twin.named_buffers():
        check.close(mine.get_buffer(key), moved, f"{key} has moved otherwise: call each part once")
    return got, same


def learn_alike(
    check: Check,
    got: Tensor,
    same: Tensor,
    leaves: Mapping[str, Tensor],
    theirs: Mapping[str, Tensor] | None = None,
) -> None:
    """The same gradients reach what two results were made from.

    Args:
        check: of the exercise.
        got: what the student's code gave.
        same: an equal result, of which the gradients are right.
        leaves: what `got` was made from, by names for the student.
        theirs: what `same` was made from, by the same names; the same ones if not given.
    """
    check.that(got.requires_grad, "what comes out has no gradient: detach nothing")
    mine, right = (
        torch.autograd.grad(out.square().mean(), [each[name] for name in leaves], allow_unused=True)
        for out, each in ((got, leaves), (same, theirs or leaves))
    )
    for name, slope in zip(leaves, mine, strict=True):
        check.that(slope is not None, f"no gradient reaches {name}: detach nothing")
    for name, slope, other in zip(leaves, mine, right, strict=True):
        scale = max(1e-3, float(other.abs().max()))  # what is all but 0 differs by its rounding
        message = f"another gradient reaches {name}: detach nothing on the way"
        check.close(slope, other, message, 1e-3 * scale, 1e-3)
