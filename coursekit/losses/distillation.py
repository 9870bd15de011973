"""Self-distillation: a student's distance from its teacher (Zheng et al. 2022, Eq. 7)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from coursekit.losses.inputs import check_map


def distillation_loss(
    student: Float[Tensor, "batch classes height width"],
    teacher: Float[Tensor, "batch classes height width"],
    valid: Bool[Tensor, "batch height width"] | None = None,
    *,
    independent: bool = False,
) -> Float[Tensor, ""]:
    """KL(teacher ‖ student), the mean over pixels: each L_kl of Eq. 7.

    With p the teacher's probabilities and q the student's, a pixel costs Σ p·(log p − log q) over
    the classes: the cross-entropy with soft labels, less what even the teacher cannot know. It is 0
    where both agree and above 0 elsewhere. The temperature is 1, and no gradient reaches the
    teacher.

    Where the public code differs: its target is a mix of the teacher's logits and the ground truth,
    and the attention losses, which Eq. 7 has not, are kept beside it.

    Args:
        student: logits.
        teacher: logits.
        valid: which pixels count; all when None. The paper does not say what becomes of ignored
            pixels: the teacher has an opinion of them, too. Pass `target != 255` to leave them out.
        independent: False for parsing and binary edges: one softmax over the channels. True for
            category edges: a sigmoid for each channel, so a pixel costs the mean over channels of
            p·(log p − log q) + (1 − p)·(log(1 − p) − log(1 − q)).

    Returns:
        A scalar, at least 0; 0 when no pixel counts.

    Raises:
        ValueError: when the shapes differ, or the mask is not one of booleans.
    """
    check_pair(student, teacher)
    if valid is not None:
        check_map(student, valid, "a mask")
        if valid.dtype != torch.bool:  # of bytes, ~1 is 254
            raise ValueError(f"valid is {valid.dtype}; give booleans, such as target != 255")
    dtype = torch.promote_types(student.dtype, torch.float32)
    student, teacher = student.to(dtype), teacher.detach().to(dtype)
    if independent:
        yes = _divergence(-F.softplus(-teacher), -F.softplus(-student))  # log σ
        no = _divergence(-F.softplus(teacher), -F.softplus(student))  # log(1 − σ)
        cost = (yes + no).mean(1)  # (B, C, H, W) -> (B, H, W)
    else:
        cost = _divergence(teacher.log_softmax(1), student.log_softmax(1)).sum(1)  # -> (B, H, W)
    count = cost.numel()
    if valid is not None:
        cost, count = cost.masked_fill(~valid, 0), int(valid.sum())
    loss = cost.sum() / max(count, 1)
    return loss + (-loss.detach()).clamp_min(0)  # rounding may leave −1e-9; the gradient stands


def check_pair(student: Tensor, teacher: Tensor) -> None:
    """Raises a ValueError unless both have one shape."""
    if student.shape != teacher.shape:
        raise ValueError(
            f"the student's logits have shape {tuple(student.shape)} and the teacher's "
            f"{tuple(teacher.shape)}; they must be of the same images, at one size"
        )


def _divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """p·(log p − log q) of each entry; logarithms never come from a rounded p, so none is −∞."""
    return log_p.exp() * (log_p - log_q)
