"""SegFormer (Xie et al., 2021) as the course's report sizes it: 1,975,683 weights.

The figure's boxes are `OverlapPatchEmbedding`, `Attention` (Eq. 1), `MixFFN` (Eq. 3) and `Decoder`
(the all-MLP head, Eq. 4). Deviations from the paper, all of them the report's: attention without
the reduction of keys and values (Eq. 2) that makes the paper's efficient; other widths, depths and
heads than MiT-B0; and normalisation and ReLU after each projection of the decoder.

The report computes attention, softmax(QKᵀ/√d)V, with the whole matrix in memory: 16,384 × 16,384 at
the first stage of a 512² image. `scaled_dot_product_attention` gives the same numbers block by
block and never holds it.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class SegFormerConfig:
    """Sizes of a SegFormer.

    Attributes:
        num_classes: channels of the logits.
        in_channels: channels of the image.
        dims: channels of the four stages, at strides 4, 8, 16 and 32.
        depths: blocks of each stage.
        heads: of the attention in each stage; they divide `dims`.
        expansion: how much wider a Mix-FFN is inside.
        decoder: channels of the decoder. 184 gives 1,820,019 weights, below the 2025
            competition's limit of 1,821,085.
    """

    num_classes: int = 19
    in_channels: int = 3
    dims: tuple[int, ...] = (16, 32, 128, 192)
    depths: tuple[int, ...] = (1, 2, 2, 2)
    heads: tuple[int, ...] = (2, 2, 2, 8)
    expansion: int = 4
    decoder: int = 256


def to_tokens(x: Tensor) -> Tensor:
    """A map as a sequence: (B, C, H, W) → (B, H·W, C)."""
    return x.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """A sequence as a map: (B, H·W, C) → (B, C, H, W)."""
    return tokens.transpose(1, 2).unflatten(2, size)


class OverlapPatchEmbedding(nn.Module):
    """Patches that overlap, so that neighbours know of each other: a strided convolution."""

    def __init__(self, in_channels: int, dim: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(in_channels, dim, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        x = self.project(x)  # (B, dim, H/stride, W/stride)
        return self.norm(to_tokens(x)), (x.shape[-2], x.shape[-1])


class Attention(nn.Module):
    """Every token looks at every other: softmax(QKᵀ/√d) V, in several heads (Eq. 1)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"{heads} heads do not divide {dim} channels")
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.project = nn.Linear(dim, dim)

    def heads_of(self, x: Tensor) -> Tensor:
        """Queries, keys and values: (B, N, dim) → (3, B, heads, N, d)."""
        qkv = self.qkv(x).unflatten(2, (3, self.heads, -1))  # (B, N, 3, heads, d)
        return qkv.permute(2, 0, 3, 1, 4)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.heads_of(x)  # each (B, heads, N, d)
        out = F.scaled_dot_product_attention(query, key, value)
        return self.project(out.transpose(1, 2).flatten(2))  # (B, N, dim)


class MixFFN(nn.Module):
    """Two dense layers; a depthwise 3×3 in between tells tokens where they are (Eq. 3)."""

    def __init__(self, dim: int, expansion: int) -> None:
        super().__init__()
        hidden = dim * expansion
        self.widen = nn.Linear(dim, hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.narrow = nn.Linear(hidden, dim)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        x = self.depthwise(to_map(self.widen(x), size))
        return self.narrow(F.gelu(to_tokens(x)))


class Block(nn.Module):
    """Attention, then Mix-FFN; each reads normalised tokens and adds to them."""

    def __init__(self, dim: int, heads: int, expansion: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.ffn = MixFFN(dim, expansion)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.ffn(self.norm2(x), size)


class Stage(nn.Module):
    """Patches, blocks, a last normalisation: a coarser map with more channels."""

    def __init__(self, in_channels: int, config: SegFormerConfig, number: int) -> None:
        super().__init__()
        dim = config.dims[number]
        kernel, stride = (7, 4) if number == 0 else (3, 2)
        self.embed = OverlapPatchEmbedding(in_channels, dim, kernel, stride)
        self.blocks = nn.ModuleList(
            Block(dim, config.heads[number], config.expansion) for _ in range(config.depths[number])
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        tokens, size = self.embed(x)
        for block in self.blocks:
            tokens = block(tokens, size)
        return to_map(self.norm(tokens), size)


class Fuse(nn.Sequential):
    """A 1×1 convolution of all maps, enlarged and concatenated, that never makes that tensor.

    Enlarging mixes neighbours and a 1×1 convolution mixes channels, so the two may change places:
    each map meets its own columns of the weights at its own size. The same function and the same
    weights, with a third of the products.
    """

    def forward(self, maps: list[Tensor]) -> Tensor:
        convolution, norm, relu = self
        assert isinstance(convolution, nn.Conv2d)
        size = maps[0].shape[-2:]
        columns = convolution.weight.chunk(len(maps), dim=1)
        mixed = F.conv2d(maps[0], columns[0], convolution.bias)  # (B, width, H/4, W/4)
        for x, own in zip(maps[1:], columns[1:], strict=True):
            mixed = mixed + F.interpolate(F.conv2d(x, own), size, mode="bilinear")
        return relu(norm(mixed))


class Decoder(nn.Module):
    """Every stage at one width and the first one's size, side by side, then mixed (Eq. 4)."""

    def __init__(self, config: SegFormerConfig) -> None:
        super().__init__()
        width = config.decoder
        self.unify = nn.ModuleList(_conv_bn_relu(dim, width) for dim in config.dims)
        self.fuse = Fuse(*_conv_bn_relu(width * len(config.dims), width))
        self.head = nn.Conv2d(width, config.num_classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        unified = [unify(x) for unify, x in zip(self.unify, features, strict=True)]
        return self.head(self.fuse(unified))


def _conv_bn_relu(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class SegFormer(nn.Module):
    """A transformer encoder of four stages and a decoder of 1×1 convolutions."""

    def __init__(self, config: SegFormerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SegFormerConfig()
        inputs = (config.in_channels, *config.dims[:-1])
        self.stages = nn.ModuleList(Stage(i, config, n) for n, i in enumerate(inputs))
        self.decoder = Decoder(config)

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits at the size of the image, for any height and width.

        Args:
            image: (B, in_channels, H, W) float, whitened.

        Returns:
            (B, num_classes, H, W) logits, raised bilinearly from a quarter of the size.
        """
        features = []
        x = image
        for stage in self.stages:
            x = stage(x)
            features.append(x)  # (B, 16, H/4, W/4), …, (B, 192, H/32, W/32)
        return F.interpolate(self.decoder(features), image.shape[-2:], mode="bilinear")
