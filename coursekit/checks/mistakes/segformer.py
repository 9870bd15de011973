"""Known mistakes in the exercises of lesson 05: what each of them gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.checks.comparing import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Mistakes = list[tuple[Any, str]]
    Layer = Callable[[Tensor], Tensor]


def to_tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    return tokens.transpose(1, 2).unflatten(2, size)


def conv_bn_relu(dim: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(dim, width, 1), nn.BatchNorm2d(width), nn.ReLU())


def misread(query: Tensor, key: Tensor, value: Tensor) -> Mistakes:
    """Known mistakes, for queries of length 9: what they give, and what to say."""
    raw, mixed = query @ key.mT, "weights sum to 1 over the {}: it must be over the keys"
    length = "d is the length of a query, not "
    low, every = torch.ones_like(raw).tril().bool(), "some keys are left out: every query sees all"
    turned = query @ key.reshape(*key.shape[:-2], 9, 7) / 3
    return [
        (raw.softmax(-1) @ value, "the scores are not divided by the root of d"),
        ((raw / 9).softmax(-1) @ value, "you divided by d: it is its root"),
        ((raw * 3).softmax(-1) @ value, "you multiplied by the root of d: divide"),
        (raw.softmax(-1) / 3 @ value, "you divided after the softmax: the weights must sum to 1"),
        ((raw / 7**0.5).softmax(-1) @ value, length + "the number of keys"),
        ((raw / 5**0.5).softmax(-1) @ value, length + "the number of queries"),
        ((raw / 6**0.5).softmax(-1) @ value, length + "of a value"),
        ((raw / 3).softmax(-2) @ value, mixed.format("queries")),
        ((raw / 3).softmax(1) @ value, mixed.format("heads")),
        ((raw / 3).softmax(0) @ value, mixed.format("images")),
        ((raw / 3**0.5).softmax(-1) @ value, length + "the number of heads"),
        ((raw / 81).softmax(-1) @ value, "you divided by d²: it is the root of d"),
        ((raw / 3).sigmoid() @ value, "that is a sigmoid: the weights of a query must sum to 1"),
        ((raw / 3).log_softmax(-1) @ value, "these are logarithms: softmax gives the weights"),
        (
            (raw / 3).flatten().softmax(0).view_as(raw) @ value,
            "all weights together sum to 1: it must be those of each query",
        ),
        ((raw / 3).exp() @ value, "the weights do not sum to 1: divide by their sum"),
        (raw / raw.sum(-1, keepdim=True) @ value, "the scores sum to 1: they need a softmax"),
        (turned.softmax(-1) @ value, "reshape is not transpose: it cuts the keys up"),
        (raw.where(low, 0).div(3).softmax(-1) @ value, every),
        (raw.where(low, -torch.inf).div(3).softmax(-1) @ value, every),
        (F.one_hot(raw.argmax(-1), 7).float() @ value, "one key takes all: it is a mean of all"),
        ((raw / 3).softmax(-1), "these are the weights: multiply them by the values"),
        (raw / 3 @ value, "there is no softmax: the weights must be positive and sum to 1"),
    ]


OTHERS = torch.tanh, F.leaky_relu, F.elu, F.softplus, F.mish, F.selu


def misfed(ffn: Any, x: Tensor) -> Mistakes:
    """Known mistakes with a map of 5 × 6: what they give, and what to say."""
    wide, narrow = ffn.widen(x), ffn.narrow
    seen, turned = (to_tokens(ffn.depthwise(to_map(wide, size))) for size in ((5, 6), (6, 5)))
    early = to_tokens(ffn.depthwise(to_map(F.gelu(wide), (5, 6))))
    again = to_tokens(ffn.depthwise(to_map(seen, (5, 6))))
    normal, plain = F.layer_norm(x, x.shape[-1:]), "the norm stands in the block: leave it out here"
    once = ffn.depthwise(wide.reshape(2, 12, 5, 6))
    cut = once.reshape(2, 30, 12)
    return [
        (narrow(seen), "there is no GELU: without an activation the three layers are one"),
        (narrow(early), "the GELU comes before the convolution: it belongs behind"),
        (narrow(F.gelu(early)), "there is a GELU before the convolution: one behind it will do"),
        (narrow(F.relu(seen)), "that is a ReLU: SegFormer has GELU"),
        (narrow(F.silu(seen)), "that is a SiLU: SegFormer has GELU"),
        *[(narrow(act(seen)), "that is another activation: F.gelu") for act in OTHERS],
        (narrow(F.gelu(wide + seen)), "only the whole block has a sum: add nothing in here"),
        (narrow(F.layer_norm(F.gelu(seen), seen.shape[-1:])), plain),
        (narrow(F.gelu(to_tokens(ffn.depthwise(to_map(ffn.widen(normal), (5, 6)))))), plain),
        (narrow(F.gelu(again)), "the depthwise convolution is called twice"),
        (narrow(seen * (1.702 * seen).sigmoid()), "that is an approximation: F.gelu"),
        (narrow(seen.sigmoid()), "that is a sigmoid: SegFormer has GELU"),
        (narrow(F.gelu(F.gelu(seen))), "there are two GELUs after the convolution: one is enough"),
        (F.gelu(narrow(seen)), "the GELU comes last: it belongs before narrow"),
        (F.gelu(seen), "the result is still wide: narrow it"),
        (narrow(F.gelu(seen, approximate="tanh")), "leave F.gelu's approximation at its default"),
        (narrow(F.gelu(wide)), "the depthwise convolution is never called"),
        (narrow(F.gelu(seen) + wide), "only the whole block has a sum: add nothing in here"),
        (F.gelu(narrow(F.gelu(seen))), "there is a GELU at the end: leave the result as it is"),
        (narrow(F.gelu(seen)) + x, "the sum with the input stands in the block: leave it out here"),
        (narrow(F.gelu(turned)), "height and width are swapped in the map"),
        (narrow(seen.softmax(-1)), "that is a softmax: SegFormer has GELU"),
        (narrow(F.gelu(to_tokens(once))), "reshape cuts in the wrong order: to_map"),
        (narrow(F.gelu(cut)), "reshape cuts in the wrong order: to_map, to_tokens"),
    ]


def misbuilt(x: Tensor, n1: Layer, att: Layer, n2: Layer, ffn: Layer) -> Mistakes:
    """Known mistakes in a block of these parts: what they give, and what to say."""
    first, other, post = x + att(n1(x)), x + ffn(n1(x)), n1(x + att(x))
    bare, alone, early = x + att(x), att(n1(x)), n1(x) + att(n1(x))
    both, swapped = n2(early), x + att(n2(x))
    least, late, right = x - att(n1(x)), x + n1(att(x)), first + ffn(n2(first))
    return [
        (n2(post + ffn(post)), "the sums are normalised (post-norm): normalise what a step reads"),
        (bare + ffn(bare), "nothing is normalised: each step reads what its norm gives"),
        (first + ffn(first), "the Mix-FFN reads tokens that are not normalised"),
        (bare + ffn(n2(bare)), "attention reads tokens that are not normalised"),
        (alone + ffn(n2(alone)), "attention's answer replaces the tokens: add it"),
        (ffn(n2(first)), "Mix-FFN's answer replaces the tokens: add it"),
        (ffn(n2(alone)), "nothing is added: each step adds what it found to the tokens"),
        (first + ffn(n1(first)), "norm1 is used twice and norm2 never"),
        (first + ffn(n2(x)), "the second step starts from the block's input, not the first's sum"),
        (x + ffn(n2(first)), "what attention found is lost: add to the first sum, not to x"),
        (first, "Mix-FFN is never called, or its answer is thrown away"),
        (x + ffn(n2(x)), "attention is never called, or its answer is thrown away"),
        (early + ffn(n2(early)), "add to the tokens, not to normalised ones"),
        (first - ffn(n2(first)), "Mix-FFN's answer is subtracted: add it"),
        (least + ffn(n2(least)), "attention's answer is subtracted: add it"),
        (first + att(n2(first)), "attention comes twice: the second step is the Mix-FFN's"),
        (late + n2(ffn(late)), "the answers are normalised: normalise what a step reads"),
        (first + n2(ffn(first)), "the Mix-FFN's answer is normalised: normalise what it reads"),
        (late + ffn(n2(late)), "attention's answer is normalised: normalise what it reads"),
        (post + ffn(n2(post)), "the first sum is normalised: normalise what a step reads"),
        (n2(first + ffn(first)), "the second sum is normalised: normalise what a step reads"),
        (x + first + ffn(n2(x + first)), "the tokens count twice: x + what attention found"),
        (x * alone + ffn(n2(x * alone)), "what attention found is multiplied: add it"),
        (x + ffn(n2(alone)), "attention's answer is not added to the tokens: two sums"),
        (first + F.gelu(ffn(n2(first))), "an activation after the Mix-FFN: it has its own"),
        (both + ffn(both), "add to the tokens, not to normalised ones"),
        (swapped + ffn(n1(swapped)), "norm1 and norm2 have changed places"),
        (n2(first) + ffn(n2(first)), "add to the tokens, not to normalised ones"),
        (F.layer_norm(right, right.shape[-1:]), "the block's sum is normalised at the end"),
        *[(right + twice, "the tokens are added twice") for twice in (x, first)],
        (right + ffn(n2(first)), "what the Mix-FFN found is added twice: once"),
        (other + att(n2(other)), "attention comes first, then the Mix-FFN"),
    ]


def decoder_parts(
    dims: tuple[int, ...], width: int, classes: int
) -> list[tuple[str, nn.Module, str]]:
    """The layers of a decoder: their names, their kinds, and what to say of others."""
    each = [
        (f"unify.{n}", conv_bn_relu(dim, width), f"unify[{n}] is a conv_bn_relu, {dim} → {width}")
        for n, dim in enumerate(dims)
    ]
    fuse = "fuse is a conv_bn_relu and takes all stages, at width channels each"
    head = "the head is a 1×1 convolution with bias, width → num_classes"
    return [
        *each,
        ("fuse", conv_bn_relu(len(dims) * width, width), fuse),
        ("head", nn.Conv2d(width, classes, 1), head),
    ]


def joined(decoder: Any, maps: list[Tensor], mode: str = "bilinear", **more: bool) -> Tensor:
    """What comes out of a decoder's parts; the check compares yours with it."""
    return _mixed(decoder, _large(decoder, maps, mode, **more))


def _large(decoder: Any, maps: list[Tensor], mode: str = "bilinear", **more: bool) -> list[Tensor]:
    size = maps[0].shape[-2:]
    unified = [unify(x) for unify, x in zip(decoder.unify, maps, strict=True)]
    return [F.interpolate(x, size, mode=mode, **more) for x in unified]


def _mixed(decoder: Any, large: list[Tensor]) -> Tensor:
    mixed: Tensor = decoder.head(decoder.fuse(torch.cat(large, 1)))
    return mixed


def misjoined(decoder: Any, maps: list[Tensor]) -> Mistakes:
    """Known mistakes with the same parts: what they give, and what to say."""
    late = [F.interpolate(x, maps[0].shape[-2:], mode="bilinear") for x in maps]
    right = joined(decoder, maps)
    return [
        (joined(decoder, maps, "nearest"), "upsample bilinearly: nearest neighbours give blocks"),
        (joined(decoder, maps, "bicubic"), "upsample bilinearly: that is bicubic"),
        (joined(decoder, maps, align_corners=True), "leave align_corners at its default"),
        (joined(decoder, late), "you upsampled the maps first: unify small ones, then upsample"),
        (
            _mixed(decoder, _large(decoder, maps)[::-1]),
            "the last stage stands in front: the first one should",
        ),
        (joined(decoder, maps, "area"), "upsample bilinearly: that is the mode area"),
        (right.relu(), "a ReLU after the head cuts negative scores off"),
        (right.softmax(1), "these are probabilities: return logits"),
        (right.sigmoid(), "these are probabilities: return logits"),
        (right.log_softmax(1), "these are log-probabilities: return logits"),
    ]


def mistokened(out: Tensor, norm: nn.LayerNorm) -> Mistakes:
    """Known mistakes between the projected map and what is given back."""
    plain = "the norm's learnt scale and shift have no effect: call self.norm"
    active = "there is no activation here: project and norm are all"
    tokens = to_tokens(out)
    return [
        (norm(to_tokens(out.mT)), "the tokens lie column by column: to_tokens goes row by row"),
        *[(norm(act(tokens)), active) for act in (F.relu, F.gelu)],
        (F.gelu(norm(tokens)), active),
        (F.normalize(tokens, dim=-1), "the tokens have length 1: it is self.norm that normalises"),
        (
            norm(out.reshape(tokens.shape)),
            "reshape cuts the numbers up in the wrong order: use to_tokens",
        ),
        (tokens, "the tokens are not normalised"),
        (F.layer_norm(tokens, tokens.shape[-1:]), plain),
        (norm(norm(tokens)), "the tokens are normalised twice"),
        (norm(tokens).relu(), "a ReLU cuts the tokens off: project and norm are all"),
        (tokens + norm(tokens), "the tokens are added to normalised ones: give back self.norm's"),
    ]


def misprojected(project: nn.Module, inside: int, dim: int, side: int, stride: int) -> str:
    """What is wrong with the convolution of patches of `side` × `side`; "" if nothing is."""
    if not isinstance(project, nn.Conv2d):
        return f"self.project is a {type(project).__name__}, expected: a Conv2d"
    channels = project.in_channels, project.out_channels
    if channels != (inside, dim):
        return "project goes {} → {}, expected: {} → {}".format(*channels, inside, dim)
    if (project.kernel_size, project.stride) == ((stride, stride), (side, side)):
        return "kernel and stride have changed places: a convolution takes its kernel first"
    if project.kernel_size == (stride, stride):
        return "the patches are as large as the stride, so nothing overlaps"
    half = side // 2
    for name, got, right, words in (
        ("kernel_size", project.kernel_size, side, f"project should have kernels of {side}×{side}"),
        ("stride", project.stride, stride, f"project goes on by `stride`, {stride}"),
        ("dilation", project.dilation, 1, "project has no gaps in its kernel"),
        ("padding", project.padding, half, f"project pads by half a kernel, {half}"),
    ):
        if got != (right, right) and not any(isinstance(one, float) for one in got):
            return f"{words} ({name}={got})"
    if project.padding_mode != "zeros":
        return "project pads with zeros: leave padding_mode at its default"
    return (
        ""
        if project.bias is not None
        else "the bias of project is missing: leave it at its default"
    )


def missized(size: Sequence[Any], image: Tensor, out: Tensor, tokens: Tensor) -> str:
    """What is wrong with the size of the tokens' map; "" if nothing is."""
    for side in size:
        if isinstance(side, bool) or not isinstance(side, int):
            return f"a side of the map is {kind_of(side)}, expected: an int, a whole number"
    places = tuple(out.shape[-2:])
    if tuple(size) == places:
        return ""
    known = {
        tuple(image.shape[-2:]): "that is the image's size: the tokens' map is smaller",
        places[::-1]: "height comes before width",
        tuple(out.shape): "the size is height and width alone: x.shape[-2:]",
        tuple(out.shape[1:3]): "dimension 1 of a map are its channels: x.shape[-2:]",
        tuple(tokens.shape[1:]): "that is the tokens' shape: take the map's, before to_tokens",
    }
    return known.get(tuple(size), f"the size of the projected map is {places}, and not {size}")


#: What exceptions say in a patch embedding of 3 → 8 channels, and what is behind them.
UNEMBEDDED = (
    (r"size\[3, 525, 3\]", "the map goes through self.project first: x = self.project(x)"),
    (r"size\[8, 132, 1\]", "project takes the map: to_tokens comes after it"),
    ("normalized_shape", "the norm wants the channels last, (B, N, dim), as to_tokens gives them"),
    ("unflatten", "to_map leads back to a map: here it is to_tokens"),
    ("to have 3 channels, but got [68]", "project is called once, with the map as it comes"),
)
#: What the parts of the lesson's modules get, in the order of the way through.
EMBED_GETS = {"project": "the map as it comes", "norm": "what project gives, by `to_tokens`"}
FFN_GETS = {
    "widen": "the tokens as they come",
    "depthwise": "what widen gives, by `to_map`",
    "narrow": "the GELU of what depthwise gives, by `to_tokens`",
}
BLOCK_GETS = {
    "norm1": "the tokens as they come",
    "attention": "what norm1 gives",
    "norm2": "the tokens, and what attention gives added to them",
    "ffn": "what norm2 gives, and the size",
}
DECODER_GETS = {
    **{f"unify.{n}": f"map number {n}, as it comes" for n in range(3)},
    "fuse": "what all of unify give, enlarged, in their order in dimension 1",
    "head": "what fuse gives",
}


def attention_apart(
    attend: Callable[..., Tensor], query: Tensor, key: Tensor, value: Tensor
) -> str:
    """What of an attention is wrong: its scores, its weights, or what is done with the values."""
    raw, keys = query @ key.mT / query.shape[-1] ** 0.5, key.shape[-2]
    shown = attend(query, key, torch.eye(keys).expand(*key.shape[:-2], keys, keys))
    if shown.shape != raw.shape:
        return "an answer is as long as a value: weights @ value, and nothing else"
    if torch.allclose(shown, raw.softmax(-1), atol=1e-4):
        return "the weights are right, and what is done with the values is not: weights @ value"
    if (shown == 0).all(-2).any():
        return "some keys get no weight at all: every query looks at all of them"
    total, logs = shown.sum(-1), shown.log()
    if not torch.allclose(total, torch.ones_like(total), atol=1e-4):
        first = f"those of the first query sum to {total.flatten()[0]:.3g}"
        return f"the weights of a query must sum to 1 over the keys: {first}"
    logs, true = logs - logs.mean(-1, keepdim=True), raw - raw.mean(-1, keepdim=True)
    factor = ((logs * true).sum() / true.square().sum()).item()
    if torch.allclose(logs, factor * true, atol=1e-3):
        return f"the scores are {factor:.3g} times as large as they should be: QKᵀ / √d"
    return "the weights sum to 1, and are not softmax(QKᵀ / √d): look at the scores"
