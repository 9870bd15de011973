"""The context modules of DML-CSR's Table 5 under one interface, from C5 to the parsing head.

    none               the paper's baseline: 3×3 to half the channels
    psp                pyramid pooling (Zhao et al., 2017) with 1, 4, 9 and 36 regions
    psp_no_pooling     its four branches at full size: 1×1 convolutions side by side
    dgcnet             the dual graph network (Zhang et al., 2019) that DDGCN starts from
    dgcnet_no_pooling  without the strided projection: each place of X is a node
    ddgcn              `ddgcn.DDGCN`

Each maps C5 (B, in, h, w) to (B, out_channels, h, w). No code of the two "−pooling" rows is public:
they are our reading of the paper's words, and so is DGCNet's sum. Its own code concatenates the two
branches; DML-CSR says that DDGCN concatenates "instead of the addition operation".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.errors import CourseError
from coursekit.models.abn import ABN
from coursekit.models.ddgcn import DDGCN, MERGES, FeatureGraph, Projection, SpatialGraph
from coursekit.models.layers import conv_abn, one_of

CONTEXTS = ("ddgcn", "none", "psp", "psp_no_pooling", "dgcnet", "dgcnet_no_pooling")
BINS = (1, 2, 3, 6)


class Baseline(nn.Sequential):
    """A 3×3 convolution to half the channels, as the paper's 2048 → 256."""

    def __init__(self, in_channels: int, channels: int, abn: str = "inplace") -> None:
        out_channels = max(1, channels // 2)
        super().__init__(*conv_abn(in_channels, out_channels, 3, abn=abn))
        self.out_channels = out_channels


class PSP(nn.Module):
    """Averages over 1, 4, 9 and 36 regions, laid beside C5; `pooling=False` takes none.

    In training a batch of one fails where it pools: its 1×1 bin has one value a channel.
    """

    def __init__(
        self, in_channels: int, channels: int, *, pooling: bool = True, abn: str = "inplace"
    ) -> None:
        super().__init__()
        self.out_channels = channels
        self.pools = nn.ModuleList(
            nn.AdaptiveAvgPool2d(bins) if pooling else nn.Identity() for bins in BINS
        )
        self.branches = nn.ModuleList(conv_abn(in_channels, channels, abn=abn) for _ in BINS)
        both = in_channels + len(BINS) * channels
        self.bottleneck = conv_abn(both, channels, 3, abn=abn)

    def forward(self, c5: Tensor) -> Tensor:
        priors = []
        for pool, branch in zip(self.pools, self.branches, strict=True):
            prior = branch(pool(c5))  # (B, C, bins, bins), or (B, C, h, w)
            priors.append(F.interpolate(prior, c5.shape[-2:], mode="bilinear"))  # (B, C, h, w)
        return self.bottleneck(torch.cat([c5, *priors], dim=1))  # (B, C, h, w)


class DGCNet(nn.Module):
    """DDGCN's graphs with batch normalisation and ReLU, added without a learnable weight.

    `pooling=False` leaves out the strided projection, so that the graph has h·w nodes.
    """

    def __init__(
        self, in_channels: int, channels: int, *, conva: int = 1, pooling: bool = True
    ) -> None:
        super().__init__()
        one_of("conva", conva, (1, 3))
        if channels < 4:
            raise CourseError(f"the graphs divide the channels by 4, and there are {channels}")
        self.out_channels = channels
        self.conva = conv_abn(in_channels, channels, conva)
        self.projection = Projection(channels, "plain") if pooling else nn.Identity()
        self.spatial = SpatialGraph(channels, "plain")
        self.feature = FeatureGraph(channels, "plain")
        self.convb = conv_abn(channels, channels, 3)
        self.bottleneck = conv_abn(in_channels + channels, channels, 3)
        _use_batch_norm(self)
        for graph in (self.spatial, self.feature):
            graph.extend = graph.extend[:2]  # its ReLU comes after the sum

    def forward(self, c5: Tensor) -> Tensor:
        """(B, in, h, w) → (B, C, h, w)."""
        x = self.conva(c5)  # (B, C, h, w)
        x_l = self.projection(x)  # (B, C, h', w')
        s = F.relu(self.spatial(x_l) + x_l)  # (B, C, h', w')
        s = F.interpolate(s, x.shape[-2:], mode="bilinear")  # (B, C, h, w)
        g = F.relu(x + self.feature(x))  # (B, C, h, w)
        x = self.convb((x * s + x) + g)  # (B, C, h, w)
        return self.bottleneck(torch.cat([c5, x], dim=1))  # (B, C, h, w)


Context = Baseline | PSP | DGCNet | DDGCN


def _use_batch_norm(module: nn.Module) -> None:
    """Put batch normalisation and ReLU in the place of each ABN that follows a convolution."""
    for part in [part for part in module.modules() if isinstance(part, nn.Sequential)]:
        if len(part) == 2 and isinstance(part[1], ABN):
            kind = nn.BatchNorm1d if isinstance(part[0], nn.Conv1d) else nn.BatchNorm2d
            active = part[1].slope != 1
            part[1] = kind(part[1].num_features)
            if active:
                part.append(nn.ReLU(inplace=True))


#: Which contexts read a setting that only some do, and its default.
_READ_BY = {
    "conva": (("ddgcn", "dgcnet"), 1),
    "merge": (("ddgcn",), "code"),
    "graphs": (("ddgcn",), True),
}


def _refuse_unread(name: str, **settings: object) -> None:
    """A setting that a context would not read is a slip: a control that controls nothing."""
    for setting, value in settings.items():
        readers, default = _READ_BY[setting]
        if value != default and not name.startswith(readers):
            raise CourseError(
                f"{setting}={value!r} is a setting of {' and '.join(readers)}, and the context is "
                f"{name}: leave it out"
            )


def make_context(
    name: str,
    in_channels: int,
    channels: int,
    *,
    conva: int = 1,
    merge: str = "code",
    graphs: bool = True,
    abn: str = "inplace",
) -> Context:
    """A context module by name.

    Args:
        name: one of `CONTEXTS`.
        in_channels: of C5.
        channels: that the module works with, and gives but for "none", which gives half of them.
        conva: of ddgcn and dgcnet, see `DDGCN`.
        merge: of ddgcn.
        graphs: of ddgcn.
        abn: the kind of normalisation; DGCNet's is batch normalisation and ReLU.

    Returns:
        A module with `out_channels`.

    Raises:
        CourseError: for a name that is none of them, or a setting that builds nothing.
    """
    one_of("context", name, CONTEXTS)
    one_of("conva", conva, (1, 3))  # also where nobody reads them: a slip is one everywhere
    one_of("merge", merge, MERGES)
    _refuse_unread(name, conva=conva, merge=merge, graphs=graphs)
    pooling = not name.endswith("_no_pooling")
    if name == "none":
        return Baseline(in_channels, channels, abn)
    if name.startswith("psp"):
        return PSP(in_channels, channels, pooling=pooling, abn=abn)
    if name.startswith("dgcnet"):
        return DGCNet(in_channels, channels, conva=conva, pooling=pooling)
    return DDGCN(in_channels, channels, conva=conva, merge=merge, graphs=graphs, abn=abn)
