"""The course's own part for each exercise, so that nobody is stuck: whoever borrows it goes on.

    from coursekit.parts.unet import Up

takes the place of an answer. It has the names and the calls that the exercise asks for, passes its
check, and brings no points: the check says so, and grading reads it from the answer's text
(`coursekit.checks.borrowing`). Where the package holds the thing itself, a module
here only gives it the lesson's way to be called. This file is a table and loads nothing.
"""

from __future__ import annotations

#: By lesson (a module here), then by exercise: the names that its answer binds.
PARTS: dict[str, dict[str, str]] = {
    "welcome": {"paint": "paint", "count-pixels": "count_pixels", "mirror": "mirror"},
    "data": {
        "read-mask": "read_mask", "count-classes": "count_classes",
        "class-weights": "class_weights", "whitening": "whitening",
        "resize-and-mirror": "resize_and_mirror", "suspects": "suspects",
    },
    "unet": {
        "double-conv": "DoubleConv", "up": "Up", "layers": "Layers", "unet": "UNet",
        "cross-entropy": "weighted_cross_entropy", "mean-iou": "mean_iou",
    },
    "deeplabv3plus": {
        "dilated-block": "conv_bn_relu", "fold-norm": "fold", "aspp-pooling": "ASPPPooling",
        "aspp": "ASPP", "deeplab-decoder": "Decoder", "deeplabv3plus": "DeepLabV3Plus",
    },
    "fastscnn": {
        "separable-conv": "SeparableConv", "inverted-residual": "InvertedResidual",
        "pyramid-pooling": "PyramidPooling", "feature-fusion": "FeatureFusion",
        "fast-scnn": "FastSCNN", "through-stride": "through_stride",
    },
    "segformer": {
        "attention": "attend", "online-softmax": "attend_in_blocks",
        "overlapping-patches": "OverlapPatchEmbedding", "mix-ffn": "MixFFN",
        "transformer-block": "Block", "mlp-decoder": "Decoder",
    },
    "losses": {
        "gradient-share": "inverse_frequency gradient_share", "focal-loss": "focal_loss",
        "soft-dice": "soft_dice_loss", "lovasz-gradient": "lovasz_gradient",
        "lovasz-softmax": "lovasz_softmax",
    },
    "optimiser": {
        "sgd-step": "sgd_step", "adam-step": "adam_step", "cosine": "cosine",
        "patience": "Machine", "run-pipeline": "run_pipeline",
    },
    "competition": {
        "f-and-iou": "f_from_iou two_means", "image-scores": "image_scores",
        "bootstrap": "bootstrap interval lead", "masks-in-a-zip": "write_flat",
    },
    "ddgcn": {
        "node-projection": "Projection", "spatial-relation": "relate",
        "spatial-graph": "SpatialGraph", "feature-graph": "FeatureGraph",
        "dynamic-merge": "DDGCN at_start", "count-readings": "readings",
    },
    "edges": {
        "edge-labels": "category_edges binary_edges", "edge-heads": "EdgeHeads",
        "balanced-loss": "balanced binary_edge_loss category_edge_loss",
        "binary-attention": "binary_edge_attention",
        "category-attention": "category_edge_attention", "decouple": "decouple",
    },
    "self_regulation": {
        "aggregate": "aggregate", "shares": "shares", "reestimate": "reestimate",
        "distillation": "distillation_loss", "run-cycles": "run_cycles",
        "seeds-needed": "seeds_needed",
    },
    "bspnet": {
        "boundary": "boundary", "fusion": "FusionBranch", "fusion-loss": "fusion_loss",
        "alpha": "weight_share alpha_for", "claims": "not_above",
    },
    "annotation": {
        "fit-lid": "lid", "fuse": "fuse", "normalised-error": "nme", "ask-first": "ask_first",
        "two-hands": "two_hands",
    },
    "capstone": {
        "widest": "widest", "receptive-field": "receptive_field", "own-network": "Mine",
        "paired": "paired", "worst": "worst",
    },
    "recipes": {
        "warm-cosine": "warm_cosine", "two-by-two": "effects", "one-cause": "only all_but",
    },
}  # fmt: skip

#: By exercise: other names of the same work in the package, which an answer may not only call.
_ALIKE = {
    "read-mask": "decode_mask", "unet": "create_model", "deeplabv3plus": "create_model",
    "fast-scnn": "create_model", "gradient-share": "inverse_frequency_weights",
    "soft-dice": "dice_loss", "cosine": "cosine_rate", "patience": "Pipeline",
    "reestimate": "reestimate_statistics", "boundary": "binary_edges",
    "fusion-loss": "boundary_weighted_cross_entropy", "fit-lid": "parabola two_parabolas",
    "fuse": "label_map", "normalised-error": "point_errors",
}  # fmt: skip


def lessons_with(exercise: str) -> list[str]:
    """The lessons (modules here) that have an exercise of this name."""
    return [lesson for lesson, exercises in PARTS.items() if exercise in exercises]


def alike(exercise: str) -> list[str]:
    """Names in the package that stand for the work of an exercise, beside its part's own."""
    return _ALIKE.get(exercise, "").split()


def parts_of(exercise: str) -> list[str]:
    """The names that an exercise's answer binds; none for an exercise that is not the course's."""
    return [name for exercises in PARTS.values() for name in exercises.get(exercise, "").split()]


def borrowing(lesson: str, exercise: str) -> str:
    """The statement that borrows them, such as `from coursekit.parts.unet import Up`.

    Args:
        lesson: its name, such as "02_unet".
        exercise: its name.
    """
    module = lesson[3:]
    return f"from {__name__}.{module} import {', '.join(PARTS[module][exercise].split())}"
