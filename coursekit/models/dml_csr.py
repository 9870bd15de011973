"""DML-CSR (Zheng et al., 2022): 59,669,549 weights at inference, 60,155,634 in training.

(With 11 classes, as in LaPa and Helen.) Fig. 2's boxes are `ResNetEncoder`, the context embedding
(`DDGCN` or another of `contexts`), `ParsingHead` and `EdgeHeads`. The three tasks share C1 … C4 and
nothing else, so the edge heads can be left out: `forward` does not compute them, and
`coursekit.models.decouple` gives the network without them, whose logits are the same.

    network = create_model("dml_csr", 11)                     # training: heads(image)
    network = decouple(network)                               # inference
    network = create_model("dml_csr", 11, edge_heads="none")  # the same network, with fresh weights

Deviations from the paper and from its public code stand where they are: `ddgcn` (projection, merge,
first convolution, BatchNorm1d), `edge_heads` (one branch, not two). All else of the public code's
list concerns losses, training or evaluation. Maps are enlarged without aligning corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models.abn import KINDS
from coursekit.models.contexts import make_context
from coursekit.models.edge_heads import EDGE_HEADS, EdgeHeads, Heads, enlarge
from coursekit.models.layers import conv_abn, one_of
from coursekit.models.parsing_head import ParsingHead
from coursekit.models.resnet import ResNetEncoder


@dataclass(frozen=True)
class DMLCSRConfig:
    """Sizes of a DML-CSR network.

    Attributes:
        num_classes: channels of the logits.
        in_channels: channels of the image.
        stem: widths of the three convolutions before the first pooling.
        widths: of each stage's bottlenecks inside; they give `expansion` times as many.
        blocks: bottlenecks in each stage; (3, 4, 23, 3) is ResNet-101.
        expansion: how much wider a bottleneck is outside.
        context: one of `contexts.CONTEXTS`; "none" is the paper's baseline, a 3×3 convolution.
        context_channels: C of the context embedding.
        head_channels: of the parsing head.
        low_level: channels that are kept of C2.
        edge_channels: of the edge heads.
        edge_heads: "both" for training; "binary", "category"; "none" at inference.
        conva: 1 or 3, kernel of the first convolution of DDGCN and DGCNet; 1 gives the paper's
            count.
        merge: of DDGCN, "code" (the public code's, gives the paper's count) or "paper" (Eq. 1).
        graphs: of DDGCN; False builds the block without its graphs, as a control.
        abn: kind of the normalisations: "inplace", "package" or "plain", see `abn.ABN`.
    """

    num_classes: int = 19
    in_channels: int = 3
    stem: tuple[int, int, int] = (64, 64, 128)
    widths: tuple[int, int, int, int] = (64, 128, 256, 512)
    blocks: tuple[int, int, int, int] = (3, 4, 23, 3)
    expansion: int = 4
    context: str = "ddgcn"
    context_channels: int = 512
    head_channels: int = 256
    low_level: int = 48
    edge_channels: int = 256
    edge_heads: str = "both"
    conva: int = 1
    merge: str = "code"
    graphs: bool = True
    abn: str = "inplace"


#: Settings of the small network that the quick tier trains on a CPU: 0.57 M weights with the
#: context "none" and 19 classes, 0.81 M with "ddgcn", 0.82 M with both edge heads.
SMALL: dict[str, Any] = {
    "stem": (16, 16, 32),
    "widths": (16, 32, 64, 96),
    "blocks": (1, 1, 2, 1),
    "context_channels": 64,
    "head_channels": 64,
    "low_level": 16,
    "edge_channels": 16,
}


class DMLCSR(nn.Module):
    """Encoder, context embedding and parsing head, and edge heads for training."""

    def __init__(self, config: DMLCSRConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DMLCSRConfig()
        one_of("edge_heads", config.edge_heads, EDGE_HEADS)
        one_of("abn", config.abn, KINDS)
        self.encoder = ResNetEncoder(
            config.in_channels,
            config.stem,
            config.widths,
            config.blocks,
            config.expansion,
            config.abn,
        )
        c2, c3, c4, c5 = self.encoder.channels
        self.context = make_context(
            config.context,
            c5,
            config.context_channels,
            conva=config.conva,
            merge=config.merge,
            graphs=config.graphs,
            abn=config.abn,
        )
        self.parsing_head = ParsingHead(
            self.context.out_channels,
            c2,
            config.num_classes,
            width=config.head_channels,
            low_level=config.low_level,
            abn=config.abn,
        )
        self.edge_heads = None
        if config.edge_heads != "none":
            self.edge_heads = EdgeHeads(
                (c2, c3, c4),
                config.num_classes,
                partial(conv_abn, abn=config.abn),
                width=config.edge_channels,
                heads=config.edge_heads,
            )

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits at the size of the image, without computing edges.

        Args:
            image: (B, in_channels, H, W) float, whitened; H and W of at least 64 pixels are what
                the network is made for.

        Returns:
            (B, num_classes, H, W) logits.
        """
        return self._run(image, edges=False).logits

    def heads(self, image: Float[Tensor, "batch channels height width"]) -> Heads:
        """Logits and the edges that the network has heads for, at the size of the image.

        Args:
            image: as in `forward`.
        """
        return self._run(image, edges=True)

    def _run(self, image: Tensor, *, edges: bool) -> Heads:
        size = (image.shape[-2], image.shape[-1])
        # C2 (B, 256, H/4, W/4), C3 (B, 512, H/8, W/8), C4 (B, 1024, H/8, W/8), C5 (B, 2048, …)
        c2, c3, c4, c5 = self.encoder(image)
        context = self.context(c5)  # (B, 512, H/8, W/8)
        logits = self.parsing_head(context, c2)  # (B, C, H/4, W/4)
        logits = F.interpolate(logits, size, mode="bilinear")  # (B, C, H, W)
        if self.edge_heads is None or not edges:
            return Heads(logits)
        binary, category = self.edge_heads(c2, c3, c4)  # at C2's size
        return Heads(logits, enlarge(binary, size), enlarge(category, size))
