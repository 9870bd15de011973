"""The course's own parts of lesson 05."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models import segformer
from coursekit.models.segformer import Block, MixFFN, OverlapPatchEmbedding, SegFormerConfig

__all__ = ["Block", "Decoder", "MixFFN", "OverlapPatchEmbedding", "attend", "attend_in_blocks"]


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(QKᵀ/√d) V: (…, N, d), (…, M, d) and (…, M, c) → (…, N, c)."""
    return (query @ key.mT / math.sqrt(query.shape[-1])).softmax(-1) @ value


def attend_in_blocks(query: Tensor, key: Tensor, value: Tensor, block: int) -> Tensor:
    """What `attend` gives, from `block` keys at a time.

    Each block's own softmax counts by its share of all exponentials, whose logarithms add up.
    """
    mixed = query.new_zeros(())
    known = query.new_full((*query.shape[:-1], 1), -math.inf)  # (…, N, 1), log Σ exp so far
    for keys, values in zip(key.split(block, -2), value.split(block, -2), strict=True):
        scores = query @ keys.mT / math.sqrt(query.shape[-1])  # (…, N, block)
        own = scores.logsumexp(-1, keepdim=True)  # (…, N, 1)
        both = torch.logaddexp(known, own)
        mixed = (known - both).exp() * mixed + (scores - both).exp() @ values  # (…, N, c)
        known = both
    return mixed


class Decoder(segformer.Decoder):
    """The course's decoder, called as the lesson's, and with a plain `fuse` of one tensor."""

    def __init__(self, dims: tuple[int, ...], width: int, num_classes: int) -> None:
        super().__init__(SegFormerConfig(num_classes, dims=dims, decoder=width))
        self.add_module("fuse", nn.Sequential(*self.fuse))

    def forward(self, features: list[Tensor]) -> Tensor:
        size = features[0].shape[-2:]
        maps = [unify(x) for unify, x in zip(self.unify, features, strict=True)]
        large = [F.interpolate(x, size, mode="bilinear") for x in maps]  # each (B, width, H/4, W/4)
        return self.head(self.fuse(torch.cat(large, dim=1)))
