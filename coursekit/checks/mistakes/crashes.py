"""Known mistakes in lessons 03 and 04 that end in an exception: kind, cause, what to say."""

from __future__ import annotations

_ONE_MAP = (TypeError, "got .(list|tuple)|positional arguments but|found type (list|tuple)")

#: By exercise, each as `Check.crashes` takes it.
CRASHES = {
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
            "20 channels, but got 5 ",
            "project gets all views, concatenated along dim=1, and is called once",
        ),
        (
            RuntimeError,
            "to have 20 channels",
            "concatenate the branches, all of them, along channels: dim=1",
        ),
        (
            RuntimeError,
            "to have 6 channels",
            "all branches read the same x, not what one of them gave",
        ),
        (
            RuntimeError,
            "Sizes of tensors must match|Dimension out of range|expanded|stack expects",
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
        (NotImplementedError, "mode needs", "maps are enlarged with the mode bilinear"),
        (RuntimeError, "except in dimension 1", "enlarge deep to the size of shallow"),
        (
            RuntimeError,
            "except in dim|to have 8.* got [24]|Expected 3D|stack expects",
            "torch.cat the channels: dim=1",
        ),
        (
            RuntimeError,
            "to have 8 channels, but got (9|13)",
            "thin the skip first: self.low_level",
        ),
        (RuntimeError, "to have 8 channels, but got [63]", "refine comes once, before head"),
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
            "not iterable|positional arguments but",
            "widths come as one tuple, where the table has it",
        ),
    ),
}
