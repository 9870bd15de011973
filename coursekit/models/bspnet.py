"""BSPNet, the boundary-sensitive network of the LaPa paper: 66,499,302 weights in training.

(With 11 classes; 66,489,035 at inference, 65,703,371 as model A.) Fig. 7's boxes: `ResNetEncoder`
at output stride 16, the semantic-aware branch (`PSP` and a classifier), the boundary-aware branch
(`EdgeHeads` on C2, C3 and C4), and `FusionBranch`, whose logits are the prediction.

    network = create_model("bspnet", 11)                       # models B and C of Table 2: training
    network = decouple(network)                                # their inference
    network = create_model("bspnet", 11, branches="semantic")  # model A

B and C are one network: what tells them apart is the weight of boundary pixels in the loss of the
fusion (`coursekit.training.BoundarySensitiveConfig`).

                       model A   training of B, C   inference of B, C
    encoder, context      x             x                   x
    semantic              x             x                            the branch's classifier
    edge_heads.reduce                   x                   x        C2, C3 and C4 at one width
    edge_heads.shared, .binary          x                            the boundary's classifier
    fusion                              x                   x

These are the first words of the state_dict's keys; weights of a row are the same in all columns, so
that `load_state_dict` of one network's part fits another's.

Readings, where the paper leaves a choice:

- The features "before predictors" of the boundary branch are C2, C3 and C4 brought to one width, as
  in CE2P, whose edge branch it follows; the maps that its 3×3 convolution makes of them are part of
  the predictor. A boundary is a softmax over two channels, which is Eq. 3's sigmoid of their
  difference.
- The fusion is CE2P's: a 1×1 convolution with normalisation, then the classifier; no dropout. It
  works at C2's size, where the boundaries are, on semantic features that are enlarged.
- The encoder is the one of DML-CSR: three 3×3 convolutions as stem, and activated normalisation.
- Maps are enlarged without aligning corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models.abn import KINDS
from coursekit.models.contexts import PSP
from coursekit.models.edge_heads import EdgeHeads, enlarge
from coursekit.models.layers import conv_abn, one_of
from coursekit.models.resnet import ResNetEncoder

BRANCHES = ("three", "fusion", "semantic")


class Outputs(NamedTuple):
    """What the branches say, all at the size of the image.

    Attributes:
        logits: (B, C, H, W), the prediction: the fusion's; of model A the semantic branch's.
        semantic: (B, C, H, W) of the semantic-aware branch, where it is not the prediction.
        binary: (B, 2, H, W) of the boundary-aware branch: no boundary and boundary.
    """

    logits: Tensor
    semantic: Tensor | None = None
    binary: Tensor | None = None


@dataclass(frozen=True)
class BSPNetConfig:
    """Sizes of a BSPNet.

    Attributes:
        num_classes: channels of the logits.
        in_channels: channels of the image.
        stem: widths of the three convolutions before the first pooling.
        widths: of each stage's bottlenecks inside.
        blocks: bottlenecks in each stage; (3, 4, 23, 3) is ResNet-101.
        expansion: how much wider a bottleneck is outside.
        output_stride: 16 as in the paper, or 8.
        context_channels: of pyramid pooling.
        edge_channels: that C2, C3 and C4 are brought to.
        head_channels: of the fusion.
        branches: "three" for training; "fusion", what inference needs of them; "semantic", model A.
        abn: kind of the normalisations: "inplace", "package" or "plain", see `abn.ABN`.
    """

    num_classes: int = 19
    in_channels: int = 3
    stem: tuple[int, int, int] = (64, 64, 128)
    widths: tuple[int, int, int, int] = (64, 128, 256, 512)
    blocks: tuple[int, int, int, int] = (3, 4, 23, 3)
    expansion: int = 4
    output_stride: int = 16
    context_channels: int = 512
    edge_channels: int = 256
    head_channels: int = 256
    branches: str = "three"
    abn: str = "inplace"


#: Settings of the small network that the quick tier trains on a CPU: 0.93 M weights with 11
#: classes, 0.92 M as model A.
SMALL: dict[str, Any] = {
    "stem": (16, 16, 32),
    "widths": (16, 32, 64, 96),
    "blocks": (1, 1, 2, 1),
    "context_channels": 64,
    "edge_channels": 16,
    "head_channels": 64,
}


class FusionBranch(nn.Module):
    """Both branches' features at C2's size, side by side; a 1×1 convolution; a classifier.

    That concatenation is never made: enlarging mixes neighbours and a 1×1 convolution mixes
    channels, so the two may change places, and each map meets its own columns of the weights at its
    own size.

    Args:
        context: channels of the semantic features.
        edges: channels of each of the three boundary features.
        num_classes: C.
        width: channels that are classified.
        abn: kind of the normalisation.
    """

    def __init__(self, context: int, edges: int, num_classes: int, width: int, abn: str) -> None:
        super().__init__()
        self.columns = [edges] * 3 + [context]
        self.mix = conv_abn(sum(self.columns), width, abn=abn)
        self.classify = nn.Conv2d(width, num_classes, 1)

    def forward(self, edges: list[Tensor], context: Tensor) -> Tensor:
        """(B, 256, H/4, W/4), …, and (B, 512, H/16, W/16) → logits (B, C, H/4, W/4)."""
        convolution, norm = self.mix
        assert isinstance(convolution, nn.Conv2d)
        first, *others = convolution.weight.split(self.columns, dim=1)
        size = edges[0].shape[-2:]
        mixed = F.conv2d(edges[0], first)  # (B, 256, H/4, W/4)
        for x, own in zip((*edges[1:], context), others, strict=True):
            mixed = mixed + F.interpolate(F.conv2d(x, own), size, mode="bilinear")
        return self.classify(norm(mixed))  # (B, C, H/4, W/4)


class BSPNet(nn.Module):
    """Encoder, pyramid pooling, and three branches."""

    def __init__(self, config: BSPNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or BSPNetConfig()
        abn, three = config.abn, config.branches == "three"
        one_of("branches", config.branches, BRANCHES)
        one_of("abn", abn, KINDS)
        self.encoder = ResNetEncoder(
            config.in_channels, config.stem, config.widths, config.blocks, config.expansion, abn,
            config.output_stride,
        )  # fmt: skip
        c2, c3, c4, c5 = self.encoder.channels
        self.context = PSP(c5, config.context_channels, abn=abn)
        self.semantic = self.edge_heads = self.fusion = None
        if config.branches != "fusion":
            self.semantic = nn.Conv2d(config.context_channels, config.num_classes, 1)
        if config.branches != "semantic":
            self.edge_heads = EdgeHeads(
                (c2, c3, c4),
                config.num_classes,
                partial(conv_abn, abn=abn),
                width=config.edge_channels,
                heads="binary" if three else "none",
                maps=2,
            )
            self.fusion = FusionBranch(
                config.context_channels, config.edge_channels, config.num_classes,
                config.head_channels, abn,
            )  # fmt: skip

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """The prediction at the size of the image; what only training asks for is not computed.

        Args:
            image: (B, in_channels, H, W) float, whitened; H and W of at least 64 pixels are what
                the network is made for.

        Returns:
            (B, num_classes, H, W) logits.

        Raises:
            ValueError: in training with a single image: a bin of the pyramid then gives its
                normalisation one value a channel.
        """
        return self._run(image, everything=False).logits

    def heads(self, image: Float[Tensor, "batch channels height width"]) -> Outputs:
        """The prediction and what the other branches say, those that the network has.

        Gradients of the fusion reach both other branches' features, and with them the encoder.

        Args:
            image: as in `forward`.
        """
        return self._run(image, everything=True)

    def _run(self, image: Tensor, *, everything: bool) -> Outputs:
        size = (image.shape[-2], image.shape[-1])
        # C2 (B, 256, H/4, W/4), C3 (B, 512, H/8, W/8), C4 (B, 1024, H/16, W/16), C5 (B, 2048, …)
        c2, c3, c4, c5 = self.encoder(image)
        context = self.context(c5)  # (B, 512, H/16, W/16)
        semantic = binary = None
        if self.semantic is not None and (everything or self.fusion is None):
            semantic = self.semantic(context)  # (B, C, H/16, W/16)
            semantic = F.interpolate(semantic, size, mode="bilinear")  # (B, C, H, W)
        if self.edge_heads is None or self.fusion is None:
            assert semantic is not None
            return Outputs(semantic)
        edges = self.edge_heads.features(c2, c3, c4)  # (B, 256, H/4, W/4), …
        logits = self.fusion(edges, context)  # (B, C, H/4, W/4)
        logits = F.interpolate(logits, size, mode="bilinear")  # (B, C, H, W)
        if everything and self.edge_heads.binary is not None:
            binary, _ = self.edge_heads.classify(edges)  # (B, 2, H/4, W/4)
        return Outputs(logits, semantic, enlarge(binary, size))
