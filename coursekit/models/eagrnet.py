"""EAGRNet (Te et al., 2020), the network that DML-CSR starts from: 66,722,523 weights, 11 classes.

The encoder and the parsing head are DML-CSR's. Context comes from pyramid pooling; a binary edge
decoder, needed at inference, too, says where the anchors of two `EdgeAwareGraph`s lie. Gradients of
the parsing task do not reach the edge decoder through the graphs, as in the public code. Maps are
enlarged without aligning corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models.abn import KINDS
from coursekit.models.contexts import make_context
from coursekit.models.edge_heads import EdgeHeads, Heads, enlarge
from coursekit.models.layers import conv_abn, one_of
from coursekit.models.parsing_head import ParsingHead
from coursekit.models.resnet import ResNetEncoder


@dataclass(frozen=True)
class EAGRNetConfig:
    """Sizes of an EAGRNet.

    Attributes:
        num_classes: channels of the logits.
        in_channels: channels of the image.
        stem: widths of the three convolutions before the first pooling.
        widths: of each stage's bottlenecks inside.
        blocks: bottlenecks in each stage.
        expansion: how much wider a bottleneck is outside.
        context_channels: of pyramid pooling; its graph has a fourth of them, and so has C2's.
        head_channels: of the parsing head.
        low_level: channels that are kept of C2.
        edge_channels: of the edge decoder.
        anchors: side of the grid of a graph's nodes.
        abn: kind of the normalisations: "inplace", "package" or "plain", see `abn.ABN`.
    """

    num_classes: int = 19
    in_channels: int = 3
    stem: tuple[int, int, int] = (64, 64, 128)
    widths: tuple[int, int, int, int] = (64, 128, 256, 512)
    blocks: tuple[int, int, int, int] = (3, 4, 23, 3)
    expansion: int = 4
    context_channels: int = 512
    head_channels: int = 256
    low_level: int = 48
    edge_channels: int = 256
    anchors: int = 4
    abn: str = "inplace"


class NodeGraph(nn.Module):
    """Nodes exchange their states: (B, s, n) → (B, s, n)."""

    def __init__(self, states: int, nodes: int) -> None:
        super().__init__()
        self.adjacency = nn.Conv1d(nodes, nodes, 1)
        self.update = nn.Conv1d(states, states, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        # h = Conv1d over nodes(X) − X, then Conv1d over states and ReLU
        h = self.adjacency(x.transpose(1, 2)).transpose(1, 2) - x  # (B, s, n)
        return F.relu(self.update(h))  # (B, s, n)


class EdgeAwareGraph(nn.Module):
    """Pixels are gathered in nodes, whose anchors lie on edges; nodes reason, pixels take it back.

    Args:
        channels: c of the features.
        states: s, of a node.
        anchors: the nodes are a grid of anchors × anchors.
    """

    def __init__(self, channels: int, states: int, anchors: int, abn: str) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(anchors + 2)
        self.state = nn.Conv2d(channels, states, 1)
        self.project = nn.Conv2d(channels, states, 1)
        self.graph = NodeGraph(states, anchors * anchors)
        self.extend = conv_abn(states, channels, abn=abn)

    def forward(self, x: Tensor, edge: Tensor) -> Tensor:
        """Features (B, c, h, w) and an edge's probability (B, 1, h, w) → (B, c, h, w)."""
        size = x.shape[-2:]
        s = self.state(x).flatten(2)  # S (B, s, L)
        p = self.project(x)  # P (B, s, h, w)
        # The inner 4×4 of a 6×6 average pooling: the frame of the image holds no anchor.
        pooled = self.pool(p * edge)  # (B, s, 6, 6)
        a = pooled[..., 1:-1, 1:-1].flatten(2)  # (B, s, n)
        # B = softmax over nodes of aᵀP: to which node a pixel belongs
        b = (a.transpose(1, 2) @ p.flatten(2)).softmax(dim=1)  # (B, n, L)
        # X = S Bᵀ
        h = self.graph(s @ b.transpose(1, 2))  # (B, s, n)
        return x + self.extend((h @ b).unflatten(2, size))  # x + ABN(1×1(h B)), (B, c, h, w)


class EAGRNet(nn.Module):
    """Encoder, pyramid pooling, edge decoder, two edge-aware graphs, parsing head."""

    def __init__(self, config: EAGRNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EAGRNetConfig()
        abn = config.abn
        one_of("abn", abn, KINDS)
        self.encoder = ResNetEncoder(
            config.in_channels, config.stem, config.widths, config.blocks, config.expansion, abn
        )
        c2, c3, c4, c5 = self.encoder.channels
        context, states = config.context_channels, max(1, config.context_channels // 4)
        self.context = make_context("psp", c5, context, abn=abn)
        self.edge_module = EdgeHeads(
            (c2, c3, c4),
            config.num_classes,
            partial(conv_abn, abn=abn),
            width=config.edge_channels,
            heads="binary",
            maps=2,
        )
        self.deep_graph = EdgeAwareGraph(context, states, config.anchors, abn)
        self.shallow_graph = EdgeAwareGraph(c2, max(1, c2 // 4), config.anchors, abn)
        self.parsing_head = ParsingHead(
            context,
            c2,
            config.num_classes,
            width=config.head_channels,
            low_level=config.low_level,
            abn=abn,
        )

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits at the size of the image.

        Args:
            image: (B, in_channels, H, W) float, whitened; H and W of at least 64 pixels are what
                the network is made for.

        Returns:
            (B, num_classes, H, W) logits.

        Raises:
            ValueError: in training with a single image: a bin of the pyramid then gives its
                normalisation one value a channel.
        """
        return self._run(image)[0]

    def heads(self, image: Float[Tensor, "batch channels height width"]) -> Heads:
        """Logits and binary edges at the size of the image; there is no category head.

        Args:
            image: as in `forward`.
        """
        logits, binary = self._run(image)
        return Heads(logits, enlarge(binary, (image.shape[-2], image.shape[-1])))

    def _run(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, C, H, W) and binary edges (B, 2, H/4, W/4)."""
        c2, c3, c4, c5 = self.encoder(image)
        binary, _ = self.edge_module(c2, c3, c4)  # (B, 2, H/4, W/4)
        x = self.context(c5)  # (B, 512, H/8, W/8)
        x = self.deep_graph(x, _edge(binary, x.shape[-2:]))  # (B, 512, H/8, W/8)
        c2 = self.shallow_graph(c2, _edge(binary, c2.shape[-2:]))  # (B, 256, H/4, W/4)
        logits = self.parsing_head(x, c2)  # (B, C, H/4, W/4)
        return F.interpolate(logits, image.shape[-2:], mode="bilinear"), binary


def _edge(binary: Tensor, size: tuple[int, ...]) -> Tensor:
    """How likely a place lies on an edge, (B, 1, h, w) in [0, 1]; no gradient goes through."""
    resized = F.interpolate(binary.detach(), size, mode="bilinear")  # (B, 2, h, w)
    return resized.softmax(dim=1)[:, 1:]  # (B, 1, h, w)
