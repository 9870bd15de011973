"""Activated batch normalisation that remembers its output alone (Rota Bulò et al., 2018).

Batch normalisation must know its input again for its gradient, and the convolution after the
activation must know the activation's output: of every feature map two copies wait for the backward
pass. Leaky ReLU can be undone and so can a normalisation whose scale is not 0, so that one copy is
enough: the input is computed back from the output,

    forward      z = leaky(y),   y = s·x̂ + β,   x̂ = (x − μ) / √(σ² + ε),   s = |γ| + ε
    backward     y = z  or  z/a where z < 0,    x̂ = (y − β) / s,

    dy = dz  or  a·dz where z < 0,     dβ = Σ dy,     dγ = sign(γ)·Σ x̂·dy   (sign 0 = +1),
    dx = s/√(σ² + ε) · (dy − dβ/N − x̂·(Σ x̂·dy)/N)         (in evaluation: s/√(σ² + ε) · dy)

with N values a channel. The paper's s is γ, which it must keep away from 0; |γ| + ε is its authors'
own code, and gives a negative γ another meaning than batch normalisation does (`models/resnet.py`
converts weights).

Nothing here writes into the input, though the name says "in place": the operation before it (a
convolution, a sum, a concatenation) does not need its own output again, so that the input is freed
as soon as the caller lets go of it. Overwriting it would spare one map for the moment of the call
and would refuse leaves and views. In the same way an addition before the activation costs nothing
here: `ABN(…)(x, residual)` is leaky(y + residual), and y = (y + residual) − residual.
"""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from coursekit.errors import CourseError

KINDS = ("inplace", "package", "plain")


class ABN(nn.Module):
    """Batch normalisation with scale |γ| + ε, then leaky ReLU.

    All kinds compute the same function and have the same state: `weight` γ, `bias` β,
    `running_mean`, `running_var` (of the unbiased variance, as torch's).

    - "inplace": ours. Keeps the output for the backward pass and nothing else of its size. Its
      statistics are those of all processes together, where there are several.
    - "package": inplace-abn's, which must be installed; it does the same in C++ and overwrites its
      input. Each process has statistics of its own.
    - "plain": batch normalisation and activation one after the other, as everybody writes them; it
      keeps both inputs. Each process has statistics of its own.

    Args:
        num_features: channels C.
        slope: a of the leaky ReLU, above 0; 1 is no activation. "plain" takes 0, too: ReLU.
        eps: ε, in the scale and under the root.
        momentum: share of the new batch in the running statistics; None is the mean of all batches
            since `reset_running_stats`. Their number is not in the state_dict.
        kind: one of `KINDS`.

    Raises:
        ValueError: for a value that no layer can be built with.
        CourseError: for "package" where inplace-abn is not installed.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        num_features: int,
        slope: float = 0.01,
        *,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        kind: str = "inplace",
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; there are: {', '.join(KINDS)}")
        if not (slope > 0 or (slope == 0 and kind == "plain")):
            raise ValueError(f"slope is {slope}; an activation that can be undone has one above 0")
        if not eps > 0:
            raise ValueError(f"eps is {eps}; it must be above 0")
        if kind == "package":
            _package()
            if momentum is None:
                raise ValueError("inplace-abn knows no momentum=None; choose another kind")
        self.num_features, self.slope, self.eps = num_features, slope, eps
        self.momentum, self.kind = momentum, kind
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.batches = 0  # counted where momentum is None

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0, variance 1."""
        self.running_mean.zero_()
        self.running_var.fill_(1)
        self.batches = 0

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.num_features}, slope={self.slope}, eps={self.eps}, kind={self.kind!r}"

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """Normalise, add, activate.

        Args:
            x: (N, C, …), floating point. The statistics are taken in float32 at least.
            residual: like x; added before the activation.

        Returns:
            Like x.

        Raises:
            ValueError: when the shapes do not fit, or in training each channel has one value.
        """
        if x.ndim < 2 or x.shape[1] != self.num_features:
            raise ValueError(f"x is {tuple(x.shape)}; (N, {self.num_features}, …) is expected")
        if residual is not None and residual.shape != x.shape:
            raise ValueError(f"residual is {tuple(residual.shape)}, x is {tuple(x.shape)}")
        if self.training and x.numel() // self.num_features < 2 and not _several():
            raise ValueError(
                f"Expected more than 1 value per channel when training, got {tuple(x.shape)}"
            )
        if self.kind == "inplace":
            return self._ours(x, residual)
        y = self._normalised(x)
        y = y if residual is None else y + residual
        return y if self.slope == 1 else F.leaky_relu_(y, self.slope)

    def _ours(self, x: Tensor, residual: Tensor | None) -> Tensor:
        mean, var, total = self.running_mean, self.running_var, None
        if self.training:
            mean, var, total = self._statistics(x.detach())
        rest = (self.weight, self.bias, mean, var, self.eps, self.training, total)
        # y = (y + residual) − residual has float32's digits to lose, and not bfloat16's.
        if residual is None or (x.dtype == residual.dtype and x.dtype.itemsize >= 4):
            out: Tensor = _Invertible.apply(x, residual, self.slope, *rest)
            return out
        y = _Invertible.apply(x, None, 1.0, *rest) + residual
        return y if self.slope == 1 else F.leaky_relu_(y, self.slope)

    @torch.no_grad()
    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Mean and biased variance (C,) of the batch; the running ones follow.

        With several processes of all of them, and the number of values a channel in all.
        """
        share = self._share()
        running = _precise(x, self.running_mean), _precise(x, self.running_var)
        mean, var = torch.batch_norm_update_stats(x, *running, 0.0 if _several() else share)
        total = None
        if _several():
            mean, var, total = _of_all(mean, var, x.numel() // self.num_features)
            running[0].lerp_(mean, share)
            running[1].lerp_(var * (total / (total - 1)), share)
        self.running_mean.copy_(running[0])  # nothing to do where they are one tensor
        self.running_var.copy_(running[1])
        return mean, var, total

    def _share(self) -> float:
        """The new batch's share in the running statistics."""
        if self.momentum is not None:
            return self.momentum
        self.batches += 1
        return 1 / self.batches

    def _normalised(self, x: Tensor) -> Tensor:
        """y, with an activation to follow."""
        if self.kind == "package":
            out: Tensor = _package().inplace_abn(
                x.clone() if x.is_leaf else x, self.weight, self.bias, self.running_mean,
                self.running_var, self.training, self.momentum, self.eps, "identity", 1.0,
            )  # fmt: skip
            return out
        scale = torch.where(self.weight < 0, -self.weight, self.weight) + self.eps
        share = self._share() if self.training else 0.0
        return F.batch_norm(
            x, self.running_mean, self.running_var, scale, self.bias, self.training, share, self.eps
        )


class _Invertible(torch.autograd.Function):
    """leaky(s·x̂ + β + residual), with a gradient that is computed from the result."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        residual: Tensor | None,
        slope: float,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        var: Tensor,
        eps: float,
        training: bool,
        total: Tensor | None,
    ) -> Tensor:
        mean, var = _precise(x, mean), _precise(x, var)
        scale, shift = _precise(x, weight).abs() + eps, _precise(x, bias)
        z = torch.native_batch_norm(x, scale, shift, mean, var, False, 0.0, eps)[0]
        if residual is not None:
            z.add_(residual)
        if slope != 1:
            F.leaky_relu_(z, slope)
        ctx.save_for_backward(z, residual, weight, bias, (var + eps).rsqrt(), total)
        ctx.settings = slope, eps, training
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dz: Tensor) -> tuple[Tensor | None, ...]:
        z, residual, weight, bias, invstd, total = ctx.saved_tensors
        slope, eps, training = ctx.settings
        y, dy = z, dz
        if slope != 1:
            y = F.leaky_relu(z, 1 / slope)
            dy = torch.ops.aten.leaky_relu_backward(dz, z, slope, True)
        if residual is not None:
            y = y - residual
        scale, shift = _precise(z, weight).abs() + eps, _precise(z, bias)
        inverse = _safe_inverse(scale, shift, z.dtype)
        wanted = [ctx.needs_input_grad[0], ctx.needs_input_grad[3], ctx.needs_input_grad[4]]
        # torch's own kernel, to which y is the input, β its mean and 1/s its inverse deviation.
        gain = scale * invstd / inverse
        if total is None:
            dx, dscale, dshift = torch.ops.aten.native_batch_norm_backward(
                dy, y, gain, shift, inverse.pow(-2), shift, inverse, training, 0.0, wanted
            )
        else:
            dx, dscale, dshift = _backward_of_all(dy, y, gain, shift, inverse, total)
        if dscale is not None:
            dscale = torch.where(weight < 0, -dscale, dscale).to(weight.dtype)
        if dshift is not None:
            dshift = dshift.to(bias.dtype)
        dresidual = dy if ctx.needs_input_grad[1] else None
        return dx, dresidual, None, dscale, dshift, *[None] * 5


def _precise(x: Tensor, values: Tensor) -> Tensor:
    """Values of channels in x's type, and in float32 where x is a half."""
    return values.detach().to(torch.promote_types(x.dtype, torch.float32))


def _safe_inverse(scale: Tensor, shift: Tensor, dtype: torch.dtype) -> Tensor:
    """1/s where y = s·x̂ + β has digits left of x̂, and towards 0 where it has none.

    y is rounded by about u·(|β| + s), u half the type's last digit. Divided by a small s that would
    be an x̂ of any size; s/(s² + u²(|β| + s)²) is 1/s within u² as long as s is not below u·|β|, and
    leaves of the rounding error at most one half.
    """
    noise = torch.finfo(dtype).eps / 2 * (shift.abs() + scale)
    return scale / (scale.square() + noise.square())


def _several() -> bool:
    """Whether this is one of several processes."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _of_all(mean: Tensor, var: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, biased variance and number of values a channel, of all processes together."""
    own = torch.cat([mean, var, mean.new_tensor([count])])  # (2C + 1,)
    each = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(each, own)
    means, variances, counts = torch.stack(each).split([len(mean), len(mean), 1], 1)  # (P, C or 1)
    counts = counts.expand_as(means)
    held = counts > 0  # a process without values has no mean
    means, variances = means.where(held, 0), variances.where(held, 0)
    total = counts.sum(0)  # (C,)
    if total[0] < 2:
        raise ValueError("Expected more than 1 value per channel when training, in all processes")
    whole = (counts * means).sum(0) / total
    spread = (counts * (variances + (means - whole).square())).sum(0) / total
    return whole, spread, total[:1]


def _backward_of_all(
    dy: Tensor, y: Tensor, gain: Tensor, shift: Tensor, inverse: Tensor, total: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """dx with the sums of all processes; Σ x̂·dy and Σ dy of this one, for its share of the loss."""
    _, dscale, dshift = torch.ops.aten.native_batch_norm_backward(
        dy, y, gain, None, None, shift, inverse, True, 0.0, [False, True, True]
    )
    sums = torch.stack([dscale, dshift])  # (2, C)
    dist.all_reduce(sums)
    dscales, dshifts = sums / total
    shape = (1, -1, *[1] * (y.ndim - 2))
    # k·(dy − dβ/N − x̂·(Σ x̂·dy)/N), x̂ = (y − β)·inverse, as dy·k + y·b + c
    k = gain * inverse
    b = -k * inverse * dscales
    c = -k * dshifts - b * shift
    dx = torch.addcmul(c.view(shape), y, b.view(shape)).addcmul_(dy, k.view(shape))
    return dx.to(y.dtype), dscale, dshift


def _package() -> ModuleType:
    """inplace-abn.

    Raises:
        CourseError: where it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import inplace_abn
    except ImportError as error:
        raise CourseError(
            "abn='package' needs inplace-abn, which is not installed here: "
            "`pip install inplace-abn` with a C++ compiler, or abn='inplace', which needs nothing"
        ) from error
    package: ModuleType = inplace_abn
    return package
