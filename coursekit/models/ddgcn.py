"""The Dynamic Dual Graph Convolution Network of DML-CSR (Zheng et al., 2022, Section 3.2, Fig. 3).

The figure's two branches are `SpatialGraph`, whose nodes are places of the image, and
`FeatureGraph`, whose nodes are groups of channels; `DDGCN` is the block around them. The letters
are the paper's. "No pooling is involved": neither an average nor a maximum is taken anywhere.

    X            the features that the block works on, (B, C, h, w); L = h·w places
    X_l          X at an eighth of its size, (B, C, h', w'); l = h'·w' nodes of the spatial graph
    Q, K, V      query, key and value of X_l, each (B, C/2, l)
    M            what attention gives, (B, l, C/2)
    Φ, Θ         X as states (B, C/2, L), and where each node of the feature graph looks (B, C/4, L)
    Z            the states of the nodes, (B, C/2, C/4)
    H_S, H_F     what the spatial and the feature graph add, (B, C, h', w') and (B, C, h, w)
    λ, γ         how much of each counts: learnt, 0 at the start

Deviations:

- The paper names no projection that makes X smaller, the public code has three strided depthwise
  convolutions; so have we: the paper's count of parameters fits no other.
- `merge`: Eq. 1 concatenates X, λ·H_S and γ·H_F; the public code X ⊙ S + X and G, with a
  multiplication that the paper does not name. Both are here; "code" is the default, because it
  gives the paper's count.
- `conva`: the first convolution is 3×3 in the public code; 1×1 gives the paper's count.
- The paper normalises by in-place ABN throughout; the public code leaves three BatchNorm1d. They
  are ABN without an activation here (slope 1): the same function, and the same parameters.
- Maps are enlarged without aligning corners, as everywhere in this package.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.errors import CourseError
from coursekit.models.abn import ABN
from coursekit.models.layers import conv_abn, one_of

MERGES = ("code", "paper")


def node_abn(channels: int, abn: str) -> nn.Sequential:
    """A weight between each two of `channels`, and ABN without an activation; (B, channels, n)."""
    return nn.Sequential(
        nn.Conv1d(channels, channels, 1, bias=False), ABN(channels, slope=1.0, kind=abn)
    )


class Projection(nn.Sequential):
    """X → X_l: three strided convolutions of each channel alone; 60 → 30 → 15 → 8, 64 nodes."""

    def __init__(self, channels: int, abn: str) -> None:
        super().__init__(
            *(conv_abn(channels, channels, 3, 2, groups=channels, abn=abn) for _ in range(3))
        )


class SpatialGraph(nn.Module):
    """H_S: each place takes from the others what goes with it."""

    def __init__(self, channels: int, abn: str) -> None:
        super().__init__()
        half = channels // 2
        self.query = nn.Conv2d(channels, half, 1)
        self.key = nn.Conv2d(channels, half, 1)
        self.value = nn.Conv2d(channels, half, 1)
        self.update = node_abn(half, abn)
        self.extend = conv_abn(half, channels, bias=True, abn=abn)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h', w') → H_S (B, C, h', w')."""
        height, width = x.shape[-2:]
        q = self.query(x).flatten(2)  # (B, C/2, l)
        k = self.key(x).flatten(2)  # (B, C/2, l)
        v = self.value(x).flatten(2)  # (B, C/2, l)
        # M = Kᵀ · softmax(Q · Vᵀ)
        attention = (q @ v.transpose(1, 2)).softmax(dim=2)  # (B, C/2, C/2)
        m = k.transpose(1, 2) @ attention  # (B, l, C/2)
        # H_S = ABN(1×1(BN(Conv1d(Mᵀ))))
        m = self.update(m.transpose(1, 2))  # (B, C/2, l)
        return self.extend(m.unflatten(2, (height, width)))  # (B, C, h', w')


class FeatureGraph(nn.Module):
    """H_F: each group of channels takes from the others what goes with it."""

    def __init__(self, channels: int, abn: str) -> None:
        super().__init__()
        states, nodes = channels // 2, channels // 4
        self.phi = conv_abn(channels, states, abn=abn)
        self.theta = conv_abn(channels, nodes, abn=abn)
        self.adjacency = node_abn(nodes, abn)
        self.update = node_abn(states, abn)
        self.extend = conv_abn(states, channels, abn=abn)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) → H_F (B, C, h, w)."""
        height, width = x.shape[-2:]
        phi = self.phi(x).flatten(2)  # (B, C/2, L)
        theta = self.theta(x).flatten(2)  # (B, C/4, L)
        # Z = Φ · Θᵀ
        z = phi @ theta.transpose(1, 2)  # (B, C/2, C/4)
        # Z ← BN(Conv1d(Zᵀ))ᵀ + Z: the convolution is the adjacency, a weight for each two nodes
        z = self.adjacency(z.transpose(1, 2)).transpose(1, 2) + z  # (B, C/2, C/4)
        # Z ← BN(Conv1d(Z)): the update of the states
        z = self.update(z)  # (B, C/2, C/4)
        # Y = Z · Θ
        y = z @ theta  # (B, C/2, L)
        # H_F = ABN(1×1(Y))
        return self.extend(y.unflatten(2, (height, width)))  # (B, C, h, w)


class DDGCN(nn.Module):
    """Context from two graphs: C5 (B, in, h, w) → (B, C, h, w).

    Args:
        in_channels: of C5.
        channels: C, at least 4.
        conva: 1 or 3, the first convolution's kernel.
        merge: "code" or "paper", see the module.
        graphs: False leaves the graphs out, a control: H_S and H_F are 0, and all else is as it
            is. There are fewer parameters then: those of the graphs, λ and γ are missing, and with
            "paper", which concatenates nothing but X, the projection, too.
        abn: the kind of normalisation.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 512,
        *,
        conva: int = 1,
        merge: str = "code",
        graphs: bool = True,
        abn: str = "inplace",
    ) -> None:
        super().__init__()
        one_of("conva", conva, (1, 3))
        one_of("merge", merge, MERGES)
        if channels < 4:
            raise CourseError(f"the graphs divide the channels by 4, and there are {channels}")
        self.out_channels, self.merge, self.graphs = channels, merge, graphs
        self.conva = conv_abn(in_channels, channels, conva, abn=abn)
        if graphs or merge == "code":
            self.projection = Projection(channels, abn)
        if graphs:
            self.spatial = SpatialGraph(channels, abn)
            self.feature = FeatureGraph(channels, abn)
            self.lambda_ = nn.Parameter(torch.zeros(1))  # λ
            self.gamma = nn.Parameter(torch.zeros(1))  # γ
        parts = 2 if merge == "code" else 3 if graphs else 1
        self.reduce = conv_abn(parts * channels, channels, abn=abn)
        self.convb = conv_abn(channels, channels, 3, abn=abn)
        self.bottleneck = conv_abn(in_channels + channels, channels, 3, abn=abn)

    def forward(self, c5: Tensor) -> Tensor:
        """(B, in, h, w) → (B, C, h, w), for any h and w.

        Raises:
            ValueError: by the normalisation, in training with one image and a spatial graph of a
                single node (an image of at most 64 pixels): one value a channel has no variance.
        """
        x = self.conva(c5)  # (B, C, h, w)
        y = self.merge_as_code(x) if self.merge == "code" else self.merge_as_paper(x)
        x = self.convb(self.reduce(y))  # (B, C, h, w)
        return self.bottleneck(torch.cat([c5, x], dim=1))  # (B, C, h, w)

    def merge_as_paper(self, x: Tensor) -> Tensor:
        """Eq. 1: Y = concat(X, λ·H_S, γ·H_F), (B, 3C, h, w)."""
        if not self.graphs:
            return x
        h_s = self.spatial(self.projection(x))  # (B, C, h', w')
        h_s = F.interpolate(h_s, x.shape[-2:], mode="bilinear")  # (B, C, h, w)
        h_f = self.feature(x)  # (B, C, h, w)
        return torch.cat([x, self.lambda_ * h_s, self.gamma * h_f], dim=1)  # (B, 3C, h, w)

    def merge_as_code(self, x: Tensor) -> Tensor:
        """Y = concat(X ⊙ up(S) + X, G), (B, 2C, h, w)."""
        s = self.projection(x)  # X_l (B, C, h', w')
        g = x
        if self.graphs:
            s = self.lambda_ * self.spatial(s) + s  # S = λ·H_S + X_l
            g = self.gamma * self.feature(x) + x  # G = γ·H_F + X
        s = F.interpolate(s, x.shape[-2:], mode="bilinear")  # (B, C, h, w)
        return torch.cat([x * s + x, g], dim=1)  # (B, 2C, h, w)
