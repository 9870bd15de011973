"""Known mistakes in the exercises of lesson 03: what each of them gives, and what to say of it.

Its checks compare an answer with all of these before they ask whether it is right.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.checks.mistakes.modules import apart

if TYPE_CHECKING:
    Mistakes = list[tuple[Any, str]]

_LOGITS = "these are probabilities: return logits"
_ALL = "width times len(self.branches), 20"

#: What is wrong when project takes so many channels, of 4 branches of 5 from 6; 20 are right.
TAKEN = {
    5: "project gets one branch's channels: are they added? Concatenate them",
    10: f"project gets a width for each rate: {_ALL}",
    15: f"project gets the channels of three branches: {_ALL}",
    24: "project gets in_channels from each branch: they give width, 20 in all",
    25: "project expects five branches, for any number of rates",
}


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
    own = F.batch_norm(w.transpose(0, 1), None, None, gamma, beta, True, 0.1, norm.eps)
    return [
        (w, "the kernel is still the old one: it must be scaled, too"),
        *[(w * _along(scale), message) for scale, message in _scales(norm)],
        (right + _along(beta), "β is added to the kernel: it belongs in the bias alone"),
        (w * s[:, None, None], "scaled along `in`: s belongs to dimension 0"),
        (less, "μ is taken from the kernel: it belongs in the bias alone"),
        (less + _along(beta), "the kernel takes s alone: μ and β go into the bias"),
        (w + _along(s), "s is added to the kernel: multiply"),
        (norm(w).detach(), "a kernel is no map: norm(weight) shifts it, and goes along `in`"),
        (own.transpose(0, 1), "these are the kernel's own statistics: take what norm has seen"),
        (w.transpose(0, 1) * _along(s), "in and out are exchanged in the kernel"),
        (torch.cat([right[:-1], w[-1:]]), some),
        (torch.cat([right[:1], w[1:]]), some),
        (right.mean(0).expand_as(w), "a kernel for each channel: nothing is averaged"),
    ]


def misshifted(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Mistakes:
    """What is taken for the folded bias, s (b − μ) + β."""
    b, gamma, beta = (torch.as_tensor(t).detach() for t in (conv.bias, norm.weight, norm.bias))
    mu = torch.as_tensor(norm.running_mean)
    root = (torch.as_tensor(norm.running_var) + norm.eps).sqrt()
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
            (-mu / root, "γ is missing in the mean's scale"),
            (-mu * gamma, "σ is missing in the mean's scale"),
        ],
        [
            (beta, ""),
            (0 * beta, "β is missing"),
            (beta * s, "β is added last: it is not scaled"),
            (-beta, "β is added, not taken away"),
            (gamma, "γ is added: the shift is β, norm.bias"),
        ],
    )
    sums = [(sum(t for t, _ in three), [m for _, m in three if m]) for three in product(*terms)]
    return [
        (b, "the bias is still the old one"),
        (beta, "the old bias and the mean are lost"),
        ((mu - b) * s + beta, "the signs of b and μ are exchanged: it is b − μ"),
        ((b - mu + beta) * s, "β is added last: it is not scaled"),
        *sorted([(v, "; ".join(m)) for v, m in sums if m], key=lambda one: one[1].count(";")),
        *[((b - mu) * scale + beta, f"the bias: {m}") for scale, m in _scales(norm)],
        (right + b, "the old bias is still in it: copy_, do not add_"),
        (right - beta + beta * b, "β is multiplied by the old bias: add it"),
        ((b - mu) * s * beta, "β is multiplied: add it"),
        ((b - beta) * s + mu, "μ and β have changed places: take μ away, add β"),
        ((b - mu * s) * s + beta, "the mean is scaled twice"),
        ((b * s - mu) * s + beta, "the old bias is scaled twice"),
        (b * s + (beta - mu) * s, "β is added last: it is not scaled"),
        (right + norm.eps, "ε is added to the bias: it stands below the root, no more"),
        (right.mean().expand(len(b)), "one bias for all channels: each has its own"),
    ]


def mismeaned(x: Tensor) -> Mistakes:
    """What is taken for the mean over the map, (B, C, 1, 1)."""
    mean, flat = x.mean((2, 3), keepdim=True), x.flatten(2)
    total, middle = x.sum((2, 3), keepdim=True), (x.shape[-2] // 2, x.shape[-1] // 2)
    one, over = "one pixel of the map: the mean of all", "the mean goes over height and width: "
    return [
        (mean.mean(0, keepdim=True), "images are mixed: a mean for each of them"),
        (x.amax((2, 3), keepdim=True), "this is the largest value, not the mean"),
        (x.amin((2, 3), keepdim=True), "this is the smallest value, not the mean"),
        (x.mean().expand_as(mean), "a mean for each channel of each image"),
        (mean.mean(1, keepdim=True).expand_as(mean), "a mean for each channel"),
        (total, "this is the sum, which depends on the size"),
        (total / x.shape[2], over + "divide by both"),
        (total / x.shape[3], over + "divide by both"),
        (x.std((2, 3), keepdim=True), "this is the deviation, not the mean"),
        (x.var((2, 3), keepdim=True), "this is the variance, not the mean"),
        (flat.norm(dim=2)[..., None, None], "this is a length, not the mean"),
        (flat.median(2).values[..., None, None], "this is the median, not the mean"),
        (x.median(3).values.median(2).values[..., None, None], "this is a median, not the mean"),
        (x.amax(3).mean(2)[..., None, None], over + "largest values in neither"),
        (mean.relu(), "a ReLU after the mean: project follows at once"),
        (x.relu().mean((2, 3), keepdim=True), "a ReLU before the mean: take it of x as it is"),
        (
            x.abs().mean((2, 3), keepdim=True),
            "the mean of sizes without sign: take it of x as it is",
        ),
        (x.square().mean((2, 3), keepdim=True), "the mean of squares: take it of x as it is"),
        (x[..., :1, :1], one),
        (x[..., middle[0], middle[1], None, None], one),
        (mean.softmax(1), "a softmax after the mean: project follows at once"),
        (F.normalize(mean, dim=1), "the means are normalised: that is project's"),
    ]


def mismixed(pyramid: Any, x: Tensor) -> Mistakes:
    """What is taken for the pyramid's output; its branches and their mixer are right."""
    project, views = pyramid.project, [branch(x) for branch in pyramid.branches]
    right, places = project(torch.cat(views, 1)), range(len(views))
    order = "the branches are concatenated in another order than they stand"
    twice = "a branch is left out, and another one stands there twice"
    unlike = [(i, j) for i in places for j in places if i != j]

    def without(i: int, view: Tensor) -> Tensor:
        return project(torch.cat([*views[:i], view, *views[i + 1 :]], 1))

    found = [
        *[(project(torch.cat(turned, 1)), order) for turned in [*permutations(views)][1:]],
        *[
            (
                project(torch.cat([view] * len(views), 1)),
                "one branch stands for all: call each of them",
            )
            for view in views
        ],
        *[(without(i, views[j]), twice) for i, j in unlike],
        *[(without(i, 0 * views[i]), "the view of a branch is thrown away") for i in places],
        (
            project(torch.stack(views, 2).flatten(1, 2)),
            "the channels are interleaved: torch.cat keeps each view together",
        ),
        (project[0](torch.cat(views, 1)), "the convolution of project alone: call all of it"),
        (
            project[:2](torch.cat(views, 1)),
            "project's ReLU is left out: it is a conv_bn_relu, call all of it",
        ),
        (
            project[2](project[0](torch.cat(views, 1))),
            "project's normalisation is left out: call all of it",
        ),
        (right + sum(views), "the views are added to the mixture: project's answer alone"),
        (right + right, "the mixture is added to itself"),
        (
            right.mean((2, 3), keepdim=True).expand_as(right),
            "the mean over the map: that is the pooling branch's",
        ),
        *[
            (act(right), "nothing comes after project")
            for act in (torch.sigmoid, F.gelu, torch.tanh)
        ],
        (right.softmax(1), "these are features, no scores: no softmax after project"),
        (
            project(torch.cat(views, 1) / len(views)),
            "the views are not divided: concatenate them as they are",
        ),
    ]
    return apart(found, right)


def _enlarged(deep: Tensor, size: tuple[int, int]) -> Mistakes:
    """The deep map at the shallow one's size: right, then mistakes."""
    large = F.interpolate(deep, size, mode="bilinear")
    height, width = deep.shape[-2:]
    halfway = F.interpolate(deep, (2 * height, 2 * width), mode="bilinear")
    blocks, factor = "enlarged in blocks (nearest): make it bilinear", -(-size[0] // height)
    whole = F.interpolate(deep, scale_factor=factor, mode="bilinear")[..., : size[0], : size[1]]
    return [
        (large, ""),
        (F.interpolate(deep, size), blocks),
        (F.interpolate(deep, size, mode="nearest-exact"), blocks),
        (F.interpolate(deep, size, mode="area"), "that is the mode area: make it bilinear"),
        (F.interpolate(deep, size, mode="bicubic"), "that is bicubic: make it bilinear"),
        (
            F.interpolate(deep, size, mode="bilinear", align_corners=True),
            "align_corners shifts the map: leave it at its default",
        ),
        (F.interpolate(halfway, size, mode="bilinear"), "enlarged in two steps: one is enough"),
        (
            F.pad(whole, (0, size[1] - whole.shape[-1], 0, size[0] - whole.shape[-2])),
            "enlarged by a factor, then cut: give the size of shallow",
        ),
        (large.relu(), "there is no ReLU after the enlarged map"),
        (
            F.interpolate(deep.relu(), size, mode="bilinear"),
            "there is no ReLU before the deep map is enlarged",
        ),
        (
            F.pad(deep, (0, size[1] - width, 0, size[0] - height)),
            "the deep map is filled up with zeros: enlarge it",
        ),
        (
            deep.mean((2, 3), keepdim=True).expand(-1, -1, *size),
            "the deep map's mean everywhere: enlarge the map",
        ),
        (large.detach() * 0, "the deep map is left out"),
    ]


def _thinned(decoder: Any, shallow: Tensor, size: tuple[int, int]) -> Mistakes:
    """The skip: right, then mistakes; `size` is the deep map's."""
    thin = decoder.low_level(shallow)
    small = F.interpolate(thin, size, mode="bilinear")
    return [
        (thin, ""),
        (thin.relu(), "there is no ReLU after the thinned skip"),
        (decoder.low_level(shallow.relu()), "there is no ReLU before the skip is thinned"),
        (decoder.low_level[0](shallow), "normalise the skip: all of low_level"),
        (
            F.interpolate(small, shallow.shape[-2:], mode="bilinear"),
            "the skip was made small: its detail is lost",
        ),
        (shallow[:, : thin.shape[1]], "the skip's first channels: thin it by low_level"),
        (thin * 0, "the skip is left out"),
    ]


def misdecoded(decoder: Any, deep: Tensor, shallow: Tensor) -> Mistakes:
    """What is taken for the decoder's logits; its parts are right. The skip is as wide as deep."""
    size = (int(shallow.shape[-2]), int(shallow.shape[-1]))
    lefts, few = _enlarged(deep, size), (int(deep.shape[-2]), int(deep.shape[-1]))
    rights = _thinned(decoder, shallow, few)
    (large, _), (thin, _) = lefts[0], rights[0]

    def ended(*parts: Tensor, dim: int = 1) -> Tensor:
        logits: Tensor = decoder.head(decoder.refine(torch.cat(parts, dim)))
        return logits

    end, both = ended(large, thin), torch.cat([large, thin], 1)
    late = ended(deep, F.interpolate(thin, few, mode="bilinear"))
    front = "the skip stands in front: the weights count on the deep map there"
    pairs = [
        ((a, c), "; ".join(m for m in (b, d) if m)) for (a, b), (c, d) in product(lefts, rights)
    ]
    found = [
        *[(ended(*two), message) for two, message in pairs if message],
        (ended(thin, large), front),
        *[(ended(thin, left), f"{front}; {message}") for left, message in lefts[1:]],
        (ended(large, large), "the deep map stands there twice: beside it stands the skip"),
        (ended(thin, thin), "the skip stands there twice: before it stands the deep map"),
        (
            ended(torch.stack([large, thin], 2).flatten(1, 2)),
            "the channels are interleaved: torch.cat",
        ),
        (ended(both.relu()), "there is no ReLU between the concatenation and refine"),
        (F.interpolate(late, size, mode="bilinear"), "enlarge first, then refine"),
        (F.interpolate(late, size), "enlarge first, then refine"),
        *[(act, _LOGITS) for act in (end.softmax(1), end.log_softmax(1), end.sigmoid())],
        (end.relu(), "a ReLU behind head cuts negative scores off: leave it out"),
        *[
            (
                decoder.head(decoder.refine[1](cut(both))),
                "only part of refine's blocks: call all of it",
            )
            for cut in (decoder.refine[0][:1], decoder.refine[0][:2])
        ],
        (
            decoder.head(decoder.refine[0](both)),
            "half of refine: it has two blocks, call all of it",
        ),
        (
            decoder.head(decoder.refine[1](decoder.refine(both))),
            "refine's second block is called twice",
        ),
    ]
    return apart(found, end)


def misassembled(network: Any, image: Tensor) -> Mistakes:
    """What is taken for the logits of an image one row short; the network's parts are right."""
    features = network.encoder(image)
    half = network.decoder(network.aspp(features[-1]), features[0])
    right, cut = network(image), "a ReLU cuts the decoder's negative scores off"
    mean, spread = image.mean((2, 3), keepdim=True), image.std((2, 3), keepdim=True)
    own = (image - image.mean()) / image.std()
    others = (
        own,
        image / 255,
        image * 255,
        (image - mean) / spread,
        image.clamp(0, 1),
        2 * image - 1,
    )
    likely = (right.softmax(1), right.log_softmax(1), right.sigmoid())
    size, up = image.shape[-2:], network.up
    doubled = tuple(2 * n for n in half.shape[-2:])

    def fitted(x: Tensor, mode: str = "replicate") -> Tensor:
        return F.pad(x, (0, size[1] - x.shape[-1], 0, size[0] - x.shape[-2]), mode)

    found = [
        *_enlarged_otherwise(half, size),
        *_fitted_otherwise(up(half), size),
        (
            fitted(up(half), "constant"),
            "the missing row is filled with zeros: fit_to repeats the edge",
        ),
        (fitted(up(half), "reflect"), "the missing row is mirrored: fit_to repeats the edge"),
        (
            fitted(up(half), "circular"),
            "the missing row is the first again: fit_to repeats the edge",
        ),
        *[(fitted(x), message) for x, message in _enlarged_otherwise(half, doubled)],
        (fitted(half), "the last doubling, self.up, is missing"),
        (up(up(half))[..., : size[0], : size[1]], "doubled twice: up is used once"),
        (F.interpolate(up(up(half)), size, mode="bilinear"), "doubled twice: up is used once"),
        *[(each, f"{_LOGITS}, the loss applies the softmax") for each in likely],
        *[(right.softmax(dim), "a softmax over places: return logits") for dim in (0, 2, 3)],
        (right.relu(), "a ReLU after the last step cuts negative scores off: leave it out"),
        (fitted(up(half.relu())), cut),
        (fitted(up(half.softmax(1))), "a softmax before up: it takes logits"),
        *[(network(other), "the image is whitened already: use it as it is") for other in others],
    ]
    return apart(found, right)


def _enlarged_otherwise(half: Tensor, size: tuple[int, ...]) -> Mistakes:
    learns = "the report learns this step, in self.up"
    corners = F.interpolate(half, size, mode="bilinear", align_corners=True)
    return [
        (F.interpolate(half, size, mode="bilinear"), f"enlarged bilinearly: {learns}"),
        (corners, f"enlarged bilinearly: {learns}"),
        (F.interpolate(half, size, mode="bicubic"), f"enlarged bicubically: {learns}"),
        (F.interpolate(half, size), f"enlarged in blocks: {learns}"),
    ]


def _fitted_otherwise(up: Tensor, size: tuple[int, ...]) -> Mistakes:
    above = (size[1] - up.shape[-1], 0, size[0] - up.shape[-2], 0)
    pads, smooth = ("replicate", "constant", "reflect", "circular"), ("bilinear", "bicubic", "area")
    last = "the row that is missing is the last one: use fit_to"
    corners = F.interpolate(up, size, mode="bilinear", align_corners=True)
    return [
        *[(F.interpolate(up, size, mode=m), "stretched at the end: use fit_to") for m in smooth],
        (corners, "stretched at the end: use fit_to"),
        *[(F.interpolate(up, size, mode=mode), last) for mode in ("nearest", "nearest-exact")],
        *[(F.pad(up, above, mode), "the row is missing below: use fit_to") for mode in pads],
    ]
