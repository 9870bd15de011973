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
and would refuse leaves and views. In the same way the shortcut of a residual block costs nothing:
`abn(x, residual)` is leaky(y + residual), and y = (y + residual) − residual; the residual itself is
kept anyhow, as another layer's output.

What is computed back has the digits of the output. With u half a unit of the last digit (2⁻²⁴ in
float32, 2⁻¹¹ in float16, 2⁻⁸ in bfloat16) x̂ is right within about u·(|β| + |residual| + s)/s. In
float32 that is harmless down to γ = 0 (s = ε = 1e-5: 0.006·|β|). In half precision it is while s is
far above u·(|β| + |residual|). Below, y has no digits of x̂ left and the division would give noise
of any size: `_safe_inverse` sees to it that γ then gets a gradient near 0, and x one without its
last term. So a γ that starts at 0 beside a residual does not learn in half precision; `ABN`'s start
at 1.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from coursekit.errors import CourseError

KINDS = ("inplace", "package", "plain")
#: Devices for which torch has a kernel that takes the statistics in one go.
FUSED = ("cpu", "cuda")


class ABN(nn.Module):
    """Batch normalisation with scale |γ| + ε, then leaky ReLU.

    All kinds compute the same function and have the same state: `weight` γ, `bias` β,
    `running_mean`, `running_var` (of the unbiased variance, as torch's).

    - "inplace": ours. Keeps the output for the backward pass and nothing else of its size.
    - "package": inplace-abn's, which must be installed: the same in C++. It overwrites its input,
      keeps a map more where there is a residual, and has no half precision on a CPU.
    - "plain": batch normalisation and activation one after the other, as everybody writes them; it
      keeps both inputs.

    With several processes the statistics of "inplace" are those of all processes together, as
    `torch.nn.SyncBatchNorm`'s, whatever number of values each has. The package has that on GPUs
    alone; otherwise, and with "plain", each process has its own.

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
        slope: float | int = 0.01,
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
        if momentum is not None and not (isinstance(momentum, (int, float)) and 0 <= momentum <= 1):
            raise ValueError(f"momentum is {momentum!r}; it must lie in 0–1, or be None")
        if kind == "package":
            _package()
        self.num_features, self.slope, self.eps = num_features, float(slope), eps
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
        alone = not (self.kind == "inplace" and _several())
        if self.training and alone and x.numel() // self.num_features < 2:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got {tuple(x.shape)}"
            )
        if self.kind == "inplace" and residual is not None and residual.dtype == x.dtype:
            return self._inplace(x, residual, self.slope)
        if self.kind == "plain":
            y = self._plain(x)
        else:  # activates by itself, where nothing comes before that
            slope = self.slope if residual is None else 1.0
            y = self._package(x, slope) if self.kind == "package" else self._inplace(x, None, slope)
            if residual is None:
                return y
        y = y if residual is None else y + residual
        return y if self.slope == 1 else F.leaky_relu_(y, self.slope)

    def _inplace(self, x: Tensor, residual: Tensor | None, slope: float) -> Tensor:
        mean, var, total = self.running_mean, self.running_var, None
        if self.training:
            mean, var, total = self._statistics(x.detach())
        out: Tensor = _Invertible.apply(
            x, residual, self.weight, self.bias, mean, var, total, slope, self.eps, self.training
        )
        return out

    def _package(self, x: Tensor, slope: float) -> Tensor:
        package = _package()
        layer = package.inplace_abn_sync if _several() and x.is_cuda else package.inplace_abn
        x = x.clone() if x.is_leaf and x.requires_grad else x  # which may not be overwritten
        share = self._share() if self.training else 0.0
        statistics = self.running_mean, self.running_var
        kind = "identity" if slope == 1 else "leaky_relu"
        out: Tensor = layer(
            x, self.weight, self.bias, *statistics, self.training, share, self.eps, kind, slope
        )
        return out

    def _plain(self, x: Tensor) -> Tensor:
        scale = torch.where(self.weight < 0, -self.weight, self.weight) + self.eps
        share = self._share() if self.training else 0.0
        return F.batch_norm(
            x, self.running_mean, self.running_var, scale, self.bias, self.training, share, self.eps
        )

    @torch.no_grad()
    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Mean and biased variance (C,) of the batch; the running ones follow.

        With several processes of all of them, and the number of values a channel in all.
        """
        share = self._share()
        running = _precise(x, self.running_mean), _precise(x, self.running_var)
        count, total = x.numel() // self.num_features, None
        if x.device.type in FUSED and not _several():
            mean, var = torch.batch_norm_update_stats(x, *running, share)
        else:
            mean, var = _moments(x)
            if _several():
                mean, var, total = _of_all(mean, var, count)
            values = count if total is None else total
            running[0].lerp_(mean, share)
            running[1].lerp_(var * (values / (values - 1)), share)
        self.running_mean.copy_(running[0])  # nothing to do where they are one tensor
        self.running_var.copy_(running[1])
        return mean, var, total

    def _share(self) -> float:
        """The new batch's share in the running statistics."""
        if self.momentum is not None:
            return self.momentum
        self.batches += 1
        return 1 / self.batches


class _Invertible(torch.autograd.Function):
    """leaky(s·x̂ + β + residual), with a gradient that is computed from the result."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        residual: Tensor | None,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        var: Tensor,
        total: Tensor | None,
        slope: float,
        eps: float,
        training: bool,
    ) -> Tensor:
        mean, var = _precise(x, mean), _precise(x, var)
        scale, shift = _precise(x, weight).abs() + eps, _precise(x, bias)
        z = torch.native_batch_norm(x, scale, shift, mean, var, False, 0.0, eps)[0]
        if residual is not None:
            z.add_(residual)
        if slope != 1:
            F.leaky_relu_(z, slope)
        if any(ctx.needs_input_grad):
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
            y = y - residual if y is z else y.sub_(residual)
        scale, shift = _precise(z, weight).abs() + eps, _precise(z, bias)
        inverse = _safe_inverse(scale, shift, residual, z.dtype)
        gain = scale * invstd / inverse
        if total is None:
            wanted = [ctx.needs_input_grad[i] for i in (0, 2, 3)]
            dx, dscale, dshift = _gradients(dy, y, gain, shift, inverse, training, wanted)
        else:
            dx, dscale, dshift = _backward_of_all(dy, y, gain, shift, inverse, total)
        if dscale is not None:
            dscale = torch.where(weight < 0, -dscale, dscale).to(weight.dtype)
        if dshift is not None:
            dshift = dshift.to(bias.dtype)
        dresidual = dy if ctx.needs_input_grad[1] else None
        return dx, dresidual, dscale, dshift, *[None] * 6


def _precise(x: Tensor, values: Tensor) -> Tensor:
    """Values of channels in x's type, and in float32 where x is a half."""
    return values.detach().to(_at_least_float32(x))


def _at_least_float32(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _gradients(
    dy: Tensor, y: Tensor, gain: Tensor, shift: Tensor, inverse: Tensor, training: bool,
    wanted: list[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:  # fmt: skip
    """dx, Σ x̂·dy and Σ dy, those that are wanted, with x̂ = (y − β)·inverse and dx ~ gain·inverse.

    By torch's own kernel, to which y is the input, β its mean and 1/s its inverse deviation.
    """
    if not y.numel():  # which the kernel would divide by
        return torch.zeros_like(y), torch.zeros_like(shift), torch.zeros_like(shift)
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_batch_norm_backward(
        dy, y, gain, shift, inverse.pow(-2), shift, inverse, training, 0.0, wanted
    )
    return found


def _safe_inverse(
    scale: Tensor, shift: Tensor, residual: Tensor | None, dtype: torch.dtype
) -> Tensor:
    """1/s where y = s·x̂ + β has digits of x̂ left, and towards 0 where it has none.

    y is rounded by about n = u·(|β| + s), and beside a residual by as much as that is rounded.
    Divided by a small s this would be an x̂ of any size. s/(s² + n²) is 1/s within (n/s)² and never
    makes more than a half of a rounding error of n.
    """
    level = shift.abs() + scale
    if residual is not None and dtype.itemsize < 4:  # in float32 a whole pass is not worth it
        dims = [i for i in range(residual.ndim) if i != 1]
        norm = torch.linalg.vector_norm(residual, dim=dims, dtype=torch.float32)  # (C,)
        level = level + norm / max(residual.numel() // len(norm), 1) ** 0.5
    noise = torch.finfo(dtype).eps / 2 * level
    return scale / (scale.square() + noise.square())


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance (C,) of x, in float32 at least; 0 where it is empty."""
    nothing = torch.zeros(x.shape[1], dtype=_at_least_float32(x), device=x.device)
    if not x.numel():
        mean = var = nothing
    elif x.device.type in FUSED:
        mean, var = torch.batch_norm_update_stats(x, nothing, nothing, 0.0)
    else:
        dims = [i for i in range(x.ndim) if i != 1]
        var, mean = torch.var_mean(x.to(_at_least_float32(x)), dims, correction=0)
    return mean, var


def _several() -> bool:
    """Whether this is one of several processes."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _of_all(mean: Tensor, var: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, biased variance and number of values a channel, of all processes together."""
    own = torch.cat([mean, var, mean.new_tensor([count])])  # (2C + 1,)
    each = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(each, own)
    means, variances, counts = torch.stack(each).split([len(mean), len(mean), 1], 1)  # (P, C or 1)
    total = counts.sum(0)  # (1,)
    if total < 2:
        raise ValueError("Expected more than 1 value per channel when training, in all processes")
    whole = (counts * means).sum(0) / total
    spread = (counts * (variances + (means - whole).square())).sum(0) / total
    return whole, spread, total


def _backward_of_all(
    dy: Tensor, y: Tensor, gain: Tensor, shift: Tensor, inverse: Tensor, total: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """dx with the sums of all processes; Σ x̂·dy and Σ dy of this one, for its share of the loss."""
    _, dscale, dshift = _gradients(dy, y, gain, shift, inverse, True, [False, True, True])
    assert dscale is not None and dshift is not None
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
    """The functions of inplace-abn.

    Raises:
        CourseError: where it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # By its name: run.py, which carries this source, is read for what it must bring.
            package = import_module("inplace_abn.functions")
    except ImportError as error:
        raise CourseError(
            "abn='package' needs inplace-abn, which is not installed here: "
            "`pip install inplace-abn` with a C++ compiler, or abn='inplace', which needs nothing"
        ) from error
    return package
