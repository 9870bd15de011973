"""Known mistakes in lessons 03 to 05 that end in an exception: kind, cause, what to say."""

from __future__ import annotations

from typing import Any

_ONE_MAP = (TypeError, "got .(list|tuple)|positional arguments but|found type (list|tuple)")

#: By exercise, each as `Check.crashes` takes it.
CRASHES: dict[str, tuple[Any, ...]] = {
    "dilated-block": (
        (ValueError, "divisible by groups", "set no groups: each kernel sees all channels"),
        (TypeError, "ModuleList", "nn.Sequential calls its parts one by one, nn.ModuleList none"),
        (RuntimeError, "running_mean", "normalisation comes second: it gets out_channels"),
        (
            (RuntimeError, AttributeError),
            "weight of size|'Conv2d' object",
            "give nn.Sequential its parts: a convolution in → out, then the others",
        ),
    ),
    "aspp-pooling": (
        (RuntimeError, r"size: \[\]", "one number for all: a mean for each image and channel"),
        (
            RuntimeError,
            r"size: \[3, 6\]|input\[1, 3, 6, 1\]",
            "keep height and width, of 1 each: `keepdim=True`",
        ),
        (RuntimeError, "to have 6 channels", "the mean goes over H and W, not over channels"),
        (RuntimeError, "size is too small", "the mean goes over the whole map, not over a window"),
        (
            RuntimeError,
            r"tensor \([57]\) must match.* size \([2-4]\)",
            "mean over all of H and W: 1 × 1",
        ),
        (
            RuntimeError,
            r"tensor a \((40|6)\) must match.* tensor b \((6|40)\)",
            "x has other channels: neither add nor multiply it",
        ),
        (
            (RuntimeError, TypeError),
            "expand",
            "`.expand(-1, -1, *x.shape[-2:])`: -1 is a size that stays",
        ),
    ),
    "attention": (
        (
            RuntimeError,
            r"tensor a \(7\) must match the size of tensor b \(9\)",
            "√d is one number for all scores: the root of query.shape[-1], not of query",
        ),
        (
            RuntimeError,
            "Expected size|cannot be multiplied|must match",
            (
                "matrices do not fit: the scores are query @ key with its last two dimensions "
                "swapped, the answer is weights @ value"
            ),
        ),
        (RuntimeError, "be a 3D tensor", "use @, which takes any number of dimensions"),
        (
            (IndexError, ValueError, RuntimeError),
            "out of range|unpack|subscripts",
            "matrices without batch and heads have two dimensions: count from the back, -2 and -1",
        ),
        (
            TypeError,
            "softmax.*dim",
            "softmax needs its dimension: the last, which are the keys",
        ),
    ),
    "mix-ffn": (
        (RuntimeError, "60x12 and 4x12", "widen comes first: it is narrow that comes last"),
        (RuntimeError, "mat1 and mat2", "a dense layer wants the channels last: to_tokens"),
        (
            RuntimeError,
            "to have 12 channels, but got 4",
            "the convolution gets narrow tokens: widen first",
        ),
        (RuntimeError, "expected input|Expected 3D", "the convolution wants a map: to_map"),
        (
            RuntimeError,
            "unflatten",
            "the map has `size`[0] · `size`[1] places: use the argument",
        ),
        (TypeError, "takes 2 positional", "forward takes the tokens and the size"),
        (
            (AttributeError, TypeError),
            "'tuple' object has no attribute|to_map.. missing",
            "`to_map(tokens, size)` takes both, in this order",
        ),
    ),
    "mlp-decoder": (
        (
            TypeError,
            "'Tensor' object is not callable",
            "a map is no part of the network: each part of unify is called with its map",
        ),
        (RuntimeError, "have 15 channels, but got 18", "what unify gives is lost: x = unify(x)"),
        (TypeError, "got .list", "fuse takes one map: torch.cat(…, dim=1) first"),
        (AttributeError, "'list' object", "`features` is a list of maps: features[0].shape"),
        (ValueError, "spatial dim", "`F.interpolate` takes the height and width alone: shape[-2:]"),
        (
            RuntimeError,
            "to have [0-9]+ channels",
            "unify[n] takes map number n, and fuse takes all of them, side by side in dimension 1",
        ),
        (
            RuntimeError,
            "Sizes of tensors must match",
            "the maps do not fit: upsample each to the size of the first, then concatenate them",
        ),
        (RuntimeError, "Expected 3D", "stack makes a new dimension: torch.cat(…, dim=1)"),
        (NotImplementedError, "mode needs", "maps are upsampled with the mode bilinear"),
    ),
    "fold-norm": (
        (
            ValueError,
            "expected 4D",
            "norm takes maps: fold its numbers, such as norm.weight",
        ),
        (
            RuntimeError,
            "must match|broadcast|cannot be multiplied",
            "shapes do not fit: s, (out,), times (out, in, k, k)",
        ),
        (
            TypeError,
            "cannot assign",
            "a weight is an nn.Parameter: write into it, `weight.copy_(…)`",
        ),
        (RuntimeError, "batch2 tensor", "each channel times its own number: `*`, no `@`"),
        (RuntimeError, "leaf Variable", "gradients are on: keep the line `@torch.no_grad()`"),
        (
            AttributeError,
            "'Conv2d' object has no attribute '(dim|ndim|shape)'",
            "norm is folded in, not called: give back one convolution",
        ),
        (
            AttributeError,
            "has no attribute '(var|mean|gamma|beta|running_std|std)'",
            "it is called running_var, running_mean, weight (γ), bias (β)",
        ),
    ),
    "aspp": (
        (
            RuntimeError,
            "but got 26 channels",
            "the branches are concatenated, and x itself is not",
        ),
        (
            RuntimeError,
            r"expected input\[1, 5, 72, 8\]",
            "`+=` of a tensor takes it apart, image by image: `append` it to the list",
        ),
        (
            RuntimeError,
            "20 channels, but got 5 ",
            "project gets all views, concatenated along dim=1, and is called once",
        ),
        (
            RuntimeError,
            "to have 20 channels",
            "concatenate the branches, each of them once, along channels: dim=1",
        ),
        (
            RuntimeError,
            "to have 6 channels",
            "all branches read the same x, not what one of them gave",
        ),
        (
            RuntimeError,
            "Sizes of tensors must match|Dimension out of range|expanded|stack expects|Expected 3D",
            "concatenate along channels, dim=1",
        ),
        (
            RuntimeError,
            "of tensor a",
            "x has other channels than the views: add nothing, concatenate",
        ),
        (*_ONE_MAP, "project takes one map: torch.cat(…, dim=1) first"),
    ),
    "deeplab-decoder": (
        (
            RuntimeError,
            r"\((6|8)\) must match .* \((8|6)\)",
            "refine gives other channels: add nothing to it",
        ),
        (NotImplementedError, "mode needs", "maps are enlarged with the mode bilinear"),
        (RuntimeError, "except in dimension 1", "enlarge deep to the size of shallow"),
        (
            RuntimeError,
            "except in dim|to have 8.* got [24]|Expected 3D|stack expects",
            "torch.cat the channels, dim=1, before refine",
        ),
        (
            RuntimeError,
            "to have 8 channels, but got (9|13)",
            "thin the skip first: self.low_level",
        ),
        (RuntimeError, "to have 8 channels, but got [63]", "refine comes once, before head"),
        (RuntimeError, r"\[6, 6, 3, 3\]", "half of refine: it has two blocks, call all of it"),
        (TypeError, "upsample_", "`F.interpolate` takes a size, no map: `shallow.shape[-2:]`"),
        (RuntimeError, "to have 6 channels", "head comes last, behind refine"),
        (RuntimeError, "to have 5 channels", "deep comes first, and low_level gets shallow"),
        (*_ONE_MAP, "refine takes one map: torch.cat([…], dim=1) first"),
    ),
    "fast-scnn": (
        (RuntimeError, "have 64 channels, but got 3 ", "both paths begin with the shared map"),
        (
            RuntimeError,
            r"384, 64, 1, 1.*got (32|48) ",
            "all of learning_to_downsample is called, not one layer of it",
        ),
        (
            RuntimeError,
            r"384, 64, 1, 1.*got 128 ",
            "global_feature_extractor is called once, on the fine map",
        ),
        (TypeError, "missing.*'num_classes'", "call all of the classifier, no slice of it"),
        (
            RuntimeError,
            "have (64|128) channels",
            "feature_fusion(fine, coarse), in this order, then the classifier",
        ),
        (TypeError, "'coarse'", "feature_fusion gets two maps: fine, coarse"),
        (
            TypeError,
            "__init__.. missing",
            "FeatureFusion takes three numbers of channels: fine, coarse, width",
        ),
        (TypeError, "for %: 'tuple'", "a number of channels is one number: downsample[-1]"),
        (
            TypeError,
            "'<=' not supported.*'tuple'",
            "a number of channels is one number, no tuple: `FeatureFusion(fine, width, width)`",
        ),
        (
            ValueError,
            "spatial dimensions of .7.",
            "enlarge the logits, and leave the arg-max out",
        ),
        (
            RuntimeError,
            "tensor a .7. must match",
            "the two maps have other sizes: feature_fusion enlarges and adds them",
        ),
        (
            TypeError,
            "not iterable|positional arguments but",
            "widths come as one tuple, where the table has it",
        ),
    ),
}
