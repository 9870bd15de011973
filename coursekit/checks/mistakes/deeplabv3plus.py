"""Known mistakes in the exercises of lesson 03: what each of them gives, and what to say of it."""

from __future__ import annotations

from itertools import chain, permutations, product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterator

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


_NOT_UP = "up comes next to last, then fit_to: nothing is enlarged after it"

#: What is wrong with the network's output, by its shape, for two images of 43 × 48.
SHAPED = {
    (2, 19, 21, 24): "half the size: the last doubling is missing",
    (2, 19, 42, 48): "a pixel short: give back what fit_to makes, for an image of odd size",
    (2, 43, 48): "no arg-max: one score for each class",
    (2, 3, 42, 48): "fit_to takes the logits first, then the image",
    (2, 19, 84, 96): _NOT_UP,
    (2, 19, 86, 96): "fit_to comes last, after up: up doubles the image's size",
    (2, 19, 43, 49): "only the height is odd: each side lacks pixels of its own, use fit_to",
    (2, 19, 44, 48): "too high: fit_to adds as many pixels as are missing",
}


def misplaced(kernels: list[tuple[int, int]], rates: list[int]) -> str:
    """What is wrong with a pyramid's convolutions but the pooling branch's, for the rates 3, 2."""
    one, three = (1, 1), (3, 3)
    found = {
        (one, three, three, three): "five branches for two rates: use the argument, not 6, 12, 18",
        (three, three): "the 1×1 block is missing: pixels that look at themselves alone",
        (one, three, (2, 2)): "a rate is taken for the kernel: `conv_bn_relu(…, 3, dilation=rate)`",
    }.get(tuple(kernels), "")
    if found or kernels == [one, three, three]:
        wrong = "the rates of the branches are not those of the argument, in its order"
        first = "the 1×1 block has no rate: leave its dilation as it is"
        return found or ("" if rates == [1, 3, 2] else first if rates[1:] == [3, 2] else wrong)
    if len(kernels) != 3:
        return "before ASPPPooling stands a 1×1 block and one for each of two rates"
    return f"ASPPPooling is last, before it: a 1×1 block, then 3×3 blocks; yours are {kernels}"


#: What the parts of the lesson's modules get, in the order of the way through.
ASPP_GETS = {
    **{f"branches.{n}": "x, as it comes" for n in range(4)},
    "project": "what the branches give, side by side, as it is",
}
DECODER_GETS = {
    "low_level": "the shallow map, as it comes",
    "refine": "the enlarged deep map and the thinned skip, side by side, as they are",
    "head": "what refine gives",
}
GETS = {
    "encoder": "the image, as it comes",
    "aspp": "the last of the features",
    "decoder": "what aspp gives, then the first of the features",
    "up": "what the decoder gives",
}


def misbuilt(kinds: list[str]) -> str:
    """What is wrong with the parts of a block, by the names of their classes; "" if nothing is."""
    right = ["Conv2d", "BatchNorm2d", "ReLU"]
    if kinds == right:
        return ""
    if kinds == ["Conv2d", "ReLU"]:
        return "there is no normalisation between the two"
    if kinds == ["Conv2d", "ReLU", "BatchNorm2d"]:
        return "normalise first: ReLU is last"
    if kinds == right[:2]:
        return "ReLU is missing, at the end"
    if sorted(kinds) == sorted(right):
        return "another order: convolution, batch normalisation, ReLU"
    if len(kinds) == 3:
        pairs = zip(kinds, right, strict=True)
        return ", ".join(
            f"{mine} stands where {like} should" for mine, like in pairs if mine != like
        )
    if extra := [kind for kind in kinds if "Pad" in kind]:
        return f"{extra[0]} is too much: the convolution pads by itself, `padding=`"
    if kinds[:3] == right:
        return f"{kinds[3]} is too much: three parts, convolution, batch normalisation, ReLU"
    return "three parts: convolution, batch normalisation, ReLU"


def mismeaned(project: Any, x: Tensor) -> Iterator[tuple[Any, str]]:
    """What is taken for `project` of the mean over the map (B, C, H, W), laid out on it."""
    size = x.shape[-2:]
    first = "the block comes before the mean: mean first"
    means = ((project(mean), message) for mean, message in _means(x))
    for out, message in (*means, (project(x).mean((2, 3), keepdim=True), first)):
        yield out.expand(len(x), -1, *size), message


def _means(x: Tensor) -> Mistakes:
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


def mismixed(pyramid: Any, x: Tensor) -> Iterator[tuple[Any, str]]:
    """What is taken for the pyramid's output; its branches and their mixer are right."""
    project, views = pyramid.project, [branch(x) for branch in pyramid.branches]
    right, places = project(torch.cat(views, 1)), range(len(views))
    order = "the branches are concatenated in another order than they stand"
    twice = "a branch is left out, and another one stands there twice"
    unlike = [(i, j) for i in places for j in places if i != j]

    def without(i: int, view: Tensor) -> Tensor:
        return project(torch.cat([*views[:i], view, *views[i + 1 :]], 1))

    return chain(
        ((project(torch.cat(turned, 1)), order) for turned in [*permutations(views)][1:]),
        (
            (
                project(torch.cat([view] * len(views), 1)),
                "one branch stands for all: call each of them",
            )
            for view in views
        ),
        ((without(i, views[j]), twice) for i, j in unlike),
        ((without(i, 0 * views[i]), "the view of a branch is thrown away") for i in places),
        _mixed_otherwise(project, views, right),
    )


def _mixed_otherwise(project: Any, views: list[Tensor], right: Tensor) -> Mistakes:
    """What is made of all the views in place of `project`'s answer."""
    mean = "the mean over the map: that is the pooling branch's"
    nothing = "nothing comes after project"
    return [
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
        (right.mean((2, 3), keepdim=True).expand_as(right), mean),
        *[(act(right), nothing) for act in (torch.sigmoid, F.gelu, torch.tanh)],
        (right.softmax(1), "these are features, no scores: no softmax after project"),
        (
            project(torch.cat(views, 1) / len(views)),
            "the views are not divided: concatenate them as they are",
        ),
    ]


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


def misdecoded(decoder: Any, deep: Tensor, shallow: Tensor) -> Iterator[tuple[Any, str]]:
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
    return chain(
        ((ended(large, c), message) for c, message in rights[1:]),
        ((ended(a, thin), message) for a, message in lefts[1:]),
        [(ended(thin, large), front)],
        ((ended(thin, left), f"{front}; {message}") for left, message in lefts[1:]),
        [
            (ended(large, large), "the deep map stands there twice: beside it stands the skip"),
            (ended(thin, thin), "the skip stands there twice: before it stands the deep map"),
            (
                ended(torch.stack([large, thin], 2).flatten(1, 2)),
                "the channels are interleaved: torch.cat",
            ),
            (ended(both.relu()), "there is no ReLU between the concatenation and refine"),
            (F.interpolate(late, size, mode="bilinear"), "enlarge first, then refine"),
            (F.interpolate(late, size), "enlarge first, then refine"),
        ],
        _refined_otherwise(decoder, both, end),
        ((ended(a, c), f"{b}; {d}") for (a, b), (c, d) in product(lefts[1:], rights[1:])),
    )


def _refined_otherwise(decoder: Any, both: Tensor, end: Tensor) -> Mistakes:
    """What is made of the two maps, side by side, in place of the logits `end`."""
    cuts = decoder.refine[0][:1], decoder.refine[0][:2]
    part = "only part of refine's blocks: call all of it"
    return [
        *[(act, _LOGITS) for act in (end.softmax(1), end.log_softmax(1), end.sigmoid())],
        (end.relu(), "a ReLU behind head cuts negative scores off: leave it out"),
        *[(decoder.head(decoder.refine[1](cut(both))), part) for cut in cuts],
        (
            decoder.head(decoder.refine[0](both)),
            "half of refine: it has two blocks, call all of it",
        ),
        (
            decoder.head(decoder.refine[1](decoder.refine(both))),
            "refine's second block is called twice",
        ),
    ]


def misassembled(network: Any, image: Tensor) -> Iterator[tuple[Any, str]]:
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

    found: Mistakes = [
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
    ]
    white = "the image is whitened already: use it as it is"
    return chain(found, ((network(other), white) for other in others))


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
