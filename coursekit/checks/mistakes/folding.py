"""Known mistakes in folding a normalisation into the convolution before it, of lesson 03."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.checks.mistakes.named import listed, numbers

if TYPE_CHECKING:
    Mistakes = list[tuple[Any, str]]

#: A term of the folded bias, by its place, in words.
_TERMS = ("s·b", "-s·μ", "β")


def _along(scale: Tensor) -> Tensor:
    return scale[:, None, None, None]


def _scales(norm: nn.BatchNorm2d) -> Mistakes:
    """What is taken for s, γ over the root of σ² + ε."""
    gamma, beta, eps = norm.weight.detach(), norm.bias.detach(), norm.eps
    var, mu = torch.as_tensor(norm.running_var), torch.as_tensor(norm.running_mean)
    root = (var + eps).sqrt()
    s, squared = gamma / root, "divided by the variance, not by its root"
    return [
        (gamma / var.sqrt(), "ε is missing below the root: it counts where the variance is tiny"),
        (gamma / (var + 1e-5).sqrt(), "ε is written into it: take norm.eps"),
        (gamma / (var + eps), squared),
        (gamma / var, squared),
        (1 / root, "γ is missing in the scale"),
        (1 / var.sqrt(), "γ and ε are missing in the scale"),
        (gamma, "the scale lacks σ: divide γ by the root of σ² + ε"),
        (s**2, "the kernel is scaled twice"),
        (gamma / (var.sqrt() + eps), "ε stands beside the root: it belongs below it"),
        (gamma / (root + eps), "ε stands below the root and beside it: below it, once"),
        (gamma / (var.sqrt() + eps**0.5), "a root of the sum, not a sum of two roots"),
        (gamma / (var + eps**2).sqrt(), "ε is squared: take norm.eps as it is"),
        (gamma / var.sqrt() + eps, "ε is added to the scale: it belongs below the root"),
        (s + eps, "ε is added to the scale: it belongs below the root, once"),
        (gamma * root, "multiplied by the deviation: divide"),
        (gamma * (var + eps), "multiplied by the variance: divide by its root"),
        (gamma / (var**2 + eps).sqrt(), "running_var is σ² already: do not square it"),
        (gamma / (var + eps) ** 2, "the variance is squared: take its root"),
        (gamma / root.sqrt(), "a root of the root: one is enough"),
        (beta / root, "β is taken for γ: γ is norm.weight, β norm.bias"),
        (mu / root, "μ is taken for γ: γ is norm.weight, μ norm.running_mean"),
        (gamma / mu, "divided by the mean: it is the deviation, the root of running_var + ε"),
        ((gamma - mu) / root, "μ is taken from γ: it belongs in the bias alone"),
        (1 / s, "divided by s: multiply"),
        (root, "multiplied by the deviation, without γ: divide, and multiply by γ"),
        (-s, "the scale has the wrong sign"),
        (s.abs(), "the sign of γ is lost: take it as it is"),
        (gamma * s, "γ is squared: it counts once"),
        (s.mean().expand(len(s)), "one scale for all channels: each has its own"),
    ]


def misscaled(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Mistakes:
    """What is taken for the folded kernel."""
    w, gamma, beta = conv.weight.detach(), norm.weight.detach(), norm.bias.detach()
    var, mu = torch.as_tensor(norm.running_var), torch.as_tensor(norm.running_mean)
    s = gamma / (var + norm.eps).sqrt()
    right, less = w * _along(s), (w - _along(mu)) * _along(s)
    some = "some channels are not scaled: all of them are"
    seen = gamma / (w.var((1, 2, 3)) + norm.eps).sqrt()
    itself = "these are the kernel's own statistics: take what norm has seen"
    own = F.batch_norm(w.transpose(0, 1), None, None, gamma, beta, True, 0.1, norm.eps)
    return [
        (
            w,
            "the kernel is still the old one: write s times it into folded.weight, return folded",
        ),
        *[(w * _along(scale), message) for scale, message in _scales(norm)],
        (right + _along(beta), "β is added to the kernel: it belongs in the bias alone"),
        (w * s[:, None, None], "scaled along `in`: s belongs to dimension 0"),
        (less, "μ is taken from the kernel: it belongs in the bias alone"),
        (less + _along(beta), "the kernel takes s alone: μ and β go into the bias"),
        (w + _along(s), "s is added to the kernel: multiply"),
        (norm(w).detach(), "a kernel is no map: norm(weight) shifts it, and goes along `in`"),
        *[(one, itself) for one in (own.transpose(0, 1), w * _along(seen))],
        (w.transpose(0, 1) * _along(s), "in and out are exchanged in the kernel"),
        (torch.cat([right[:-1], w[-1:]]), some),
        (torch.cat([right[:1], w[1:]]), some),
        (right.mean(0).expand_as(w), "a kernel for each channel: nothing is averaged"),
    ]


def misshifted(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Mistakes:
    """What is taken for the folded bias, s (b − μ) + β."""
    b, gamma, beta = (torch.as_tensor(t).detach() for t in (conv.bias, norm.weight, norm.bias))
    mu, var = (torch.as_tensor(t) for t in (norm.running_mean, norm.running_var))
    root = (var + norm.eps).sqrt()
    s = gamma / root
    right = (b - mu) * s + beta
    terms = (
        [
            (b * s, ""),
            (0 * b, "the old bias is lost"),
            (b, "the old bias is not scaled by s"),
            (-b * s, "the old bias has the wrong sign"),
        ],
        [
            (-mu * s, ""),
            (0 * mu, "the mean is not taken away"),
            (-mu, "the mean is not scaled by s"),
            (mu * s, "the mean has the wrong sign"),
            (mu, "the mean is added, and not scaled by s"),
            (-var * s, "the variance is taken for the mean: running_mean"),
            (-mu / root, "γ is missing in the mean's scale"),
            (-mu * gamma, "σ is missing in the mean's scale"),
        ],
        [
            (beta, ""),
            (0 * beta, "β is missing"),
            (beta * s, "β is added last: it is not scaled"),
            (beta * gamma, "β is multiplied by γ: it is added as it is"),
            (-beta, "β is added, not taken away"),
            (-beta * s, "β is added last: neither scaled nor taken away"),
            (gamma, "γ is added: the shift is β, norm.bias"),
        ],
    )
    sums = [(sum(t for t, _ in three), [m for _, m in three if m]) for three in product(*terms)]
    return [
        (b, "the bias is still the old one"),
        (beta, "the old bias and the mean are lost"),
        ((mu - b) * s + beta, "the signs of b and μ are exchanged: it is b − μ"),
        ((b - mu + beta) * s, "β is added last: it is not scaled"),
        ((b - beta) * s + mu, "μ and β have changed places: take μ away, add β"),
        *sorted([(v, "; ".join(m)) for v, m in sums if m], key=lambda one: one[1].count(";")),
        *[((b - mu) * scale + beta, f"the bias: {m}") for scale, m in _scales(norm)],
        (right + b, "the old bias is still in it: copy_, do not add_"),
        (right - beta + beta * b, "β is multiplied by the old bias: add it"),
        ((b - mu) * s * beta, "β is multiplied: add it"),
        ((b - mu + beta) / s, "divided by s: multiply; and β is added last"),
        (right * s, "the whole bias is scaled by s: once, before β is added"),
        ((b - mu * s) * s + beta, "the mean is scaled twice"),
        ((b * s - mu) * s + beta, "the old bias is scaled twice"),
        (b * s + (beta - mu) * s, "β is added last: it is not scaled"),
        (right + norm.eps, "ε is added to the bias: it stands below the root, no more"),
        (right.mean().expand(len(b)), "one bias for all channels: each has its own"),
    ]


def where_scaled(got: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
    """How a kernel that is not the folded one comes from the old one; "" if shapes differ."""
    if got.shape != conv.weight.shape:
        return ""
    factors = (got / conv.weight).detach().flatten(1)
    s = norm.weight.detach() / (torch.as_tensor(norm.running_var) + norm.eps).sqrt()
    if (factors.amax(1) - factors.amin(1)).max() > 1e-3 * factors.abs().max():
        return "this is not the old kernel times one number for each output channel, s"
    return (
        f"each channel is scaled by one number, as it should be, but by {numbers(factors[:, 0])} "
        f"where s = γ / √(σ² + ε) is {numbers(s)}"
    )


def where_shifted(got: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
    """Which term of a bias that is not the folded one is wrong; "" if none of them is."""
    b, gamma, beta = (torch.as_tensor(t).detach() for t in (conv.bias, norm.weight, norm.bias))
    if got.shape != b.shape:
        return ""
    s = gamma / (torch.as_tensor(norm.running_var) + norm.eps).sqrt()
    terms = torch.stack([s * b, -s * torch.as_tensor(norm.running_mean), beta], 1).double()
    wanted = got.detach().double()[:, None]
    times = torch.linalg.lstsq(terms, wanted).solution
    if not torch.allclose(terms @ times, wanted, atol=1e-4):
        left = (got.detach() - beta) / s + torch.as_tensor(norm.running_mean)
        alone = torch.allclose(left, left.mean(), atol=1e-4)
        return "one number stands for the old bias, conv.bias, of all channels" if alone else ""
    wrong = [
        f"{name} stands there {float(number):.3g} times"
        for name, number in zip(_TERMS, times[:, 0], strict=True)
        if abs(float(number) - 1) > 1e-3
    ]
    return f"the bias is s·b - s·μ + β, and {listed(wrong)}" if wrong else ""
