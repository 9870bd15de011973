"""Training steps of the four models: against the same networks written naively, and smp's.

    python benchmarks/models.py                                    # 128² and 256²
    python benchmarks/models.py --models segformer --sizes 128 256 512 --batch 1
    python benchmarks/models.py --costs --sizes 128 256 512        # what each costs as it grows

A step is forward, weighted cross-entropy, backward and an optimiser's step on random images.
Times are taken in turn in one process. The peers:

- "naive": the same network, with the same weights, as it is mostly written: torch's default layout
  and optimiser, and in SegFormer the attention matrix written out and the decoder's maps
  concatenated.
- "matrix": ours, but for SegFormer's attention matrix, which is written out.
- "smp": segmentation-models-pytorch's network of that name, brought as near to ours in parameters
  as its encoders allow, with our layout and fused optimiser.
- "smp, our sizes": its SegFormer with the report's widths, depths and unreduced attention. What is
  left of the difference is the decoder, which has no normalisation or ReLU after each projection.

Peak memory is that of one step above what the process holds with the model: on a CPU in a process
of its own, on a GPU (`make gpu`) torch's own count.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import torch
from harness import device, device_name, in_turn, peak_memory, round_to
from records import Recorder, Row
from torch import Tensor, nn
from torch.nn import functional as F
from wanted import MODELS, PEERS, step

from coursekit import count_parameters, create_model
from coursekit.complexity import measure, multiply_accumulates
from coursekit.losses import WeightedCrossEntropy
from coursekit.models import segformer
from coursekit.training.layout import memory_format

ASKED = ("model", "size", "batch", "precision")


class WrittenOut(segformer.Attention):
    """softmax(QKᵀ/√d) V with the whole matrix, as the equation stands."""

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.qkv(x).unflatten(2, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5  # (B, heads, N, N)
        return self.project((scores.softmax(dim=-1) @ value).transpose(1, 2).flatten(2))


class Concatenated(segformer.Fuse):
    """All maps enlarged and side by side, then one convolution."""

    def forward(self, maps: list[Tensor]) -> Tensor:
        size = maps[0].shape[-2:]
        wide = [F.interpolate(x, size, mode="bilinear") for x in maps]
        return nn.Sequential.forward(self, torch.cat(wide, dim=1))


def naive(name: str) -> nn.Module:
    """The same network, written as it mostly is."""
    model = create_model(name)
    for part in model.modules():
        if isinstance(part, segformer.Attention):
            part.__class__ = WrittenOut
        elif isinstance(part, segformer.Fuse):
            part.__class__ = Concatenated
    return model


def matrix(name: str) -> nn.Module:
    """Ours with the attention matrix written out."""
    model = create_model(name)
    for part in model.modules():
        if isinstance(part, segformer.Attention):
            part.__class__ = WrittenOut
    return model


def library(name: str) -> nn.Module:
    """smp's network of this name, without pretrained weights."""
    import segmentation_models_pytorch as smp

    kind, encoder, sizes = {
        "unet": (smp.Unet, "tu-mobilenetv3_small_100", {"decoder_channels": (128, 64, 32, 24, 16)}),
        "deeplabv3plus": (smp.DeepLabV3Plus, "tu-mobilenetv3_small_100", {"decoder_channels": 128}),
        "segformer": (smp.Segformer, "mit_b0", {}),
    }[name]
    model: nn.Module = kind(encoder, encoder_weights=None, classes=19, **sizes)
    return model


def library_resized(name: str) -> nn.Module:
    """smp's SegFormer with our sizes and without its reduction of keys and values."""
    from segmentation_models_pytorch.decoders.segformer.decoder import SegformerDecoder
    from segmentation_models_pytorch.encoders.mix_transformer import MixVisionTransformerEncoder

    sizes = segformer.SegFormerConfig()
    channels = [3, 0, *sizes.dims]
    model = library(name)
    model.encoder = MixVisionTransformerEncoder(
        out_channels=channels,
        embed_dims=sizes.dims,
        num_heads=sizes.heads,
        mlp_ratios=[sizes.expansion] * 4,
        qkv_bias=True,
        depths=sizes.depths,
        sr_ratios=[1] * 4,
    )
    model.decoder = SegformerDecoder(channels, segmentation_channels=sizes.decoder)
    return model


SIDES = {
    "ours": create_model,
    "naive": naive,
    "matrix": matrix,
    "smp": library,
    "smp, our sizes": library_resized,
}


def make(name: str, side: str) -> nn.Module:
    """One side's network."""
    torch.manual_seed(0)
    return SIDES[side](name)


def training_step(
    model: nn.Module, size: int, batch: int, precision: str, device: str, *, fast: bool
) -> Callable[..., None]:
    """One training step, ready to be called again and again, on random images or on others."""
    layout = memory_format(model, size, device) if fast else torch.contiguous_format
    model = model.to(device, memory_format=layout)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fast)
    loss = WeightedCrossEntropy(torch.full((19,), 1 / 19)).to(device)
    noise = torch.randn(batch, 3, size, size, device=device).contiguous(memory_format=layout)
    classes = torch.randint(0, 19, (batch, size, size), device=device)

    def step(image: Tensor = noise, target: Tensor = classes) -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            logits = model(image.contiguous(memory_format=layout))
        loss(logits.float(), target).backward()
        optimiser.step()

    return step


def compare(
    device: str, model: str, size: int, batch: int, precision: str, peer: str,
    rounds: int = 25, until: float = math.inf,
) -> dict[str, Any]:  # fmt: skip
    """Figures of one row, both sides timed in turn; a GPU's memory too."""
    networks = {"ours": make(model, "ours"), "peer": make(model, peer)}
    facts: dict[str, dict[str, Any]] = {
        side: {
            "parameters": count_parameters(network),
            "giga_products": round_to(multiply_accumulates(network, size) / 1e9),
        }
        for side, network in networks.items()
    }
    works = {
        side: training_step(
            network, size, batch, precision, device, fast=(side, peer) != ("peer", "naive")
        )
        for side, network in networks.items()
    }
    timings = in_turn(works, rounds, until)
    for side, figures in facts.items():
        if side not in timings:
            figures["failed"] = "out of memory"
            continue
        figures |= timings[side].rate(batch)
        if device == "cuda":
            figures["mebibytes"] = round(peak_memory(works[side]))
    return facts


def alone(row: Row, side: str) -> int:
    """Peak memory of a step, in MiB, in a process of its own."""
    model, size, batch, precision = (str(row.settings[k]) for k in ASKED)
    call = [sys.executable, __file__, "--probe", side, "--models", model, "--sizes", size,
            "--batch", batch, "--precision", precision]  # fmt: skip
    return round(float(subprocess.run(call, capture_output=True, text=True, check=True).stdout))


def costs(name: str, side: str, size: int, rounds: int) -> dict[str, Any]:
    """What one network costs at one size."""
    model = make(name, side)
    cost = measure(model, size, rounds=rounds, device=device())
    return {
        "parameters": cost.parameters,
        "giga_products": round_to(cost.multiply_accumulates / 1e9),
        "kept_mebibytes": round(cost.kept_bytes / 2**20),
        "forward_ms": round_to(1000 * cost.seconds),
        "step_ms": round_to(1000 * cost.training_seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--costs", action="store_true", help="no comparison: what each costs")
    parser.add_argument("--probe", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    where, batch, precision = device(), options.batch, options.precision
    if options.probe:
        network, size = make(options.models[0], options.probe), options.sizes[0]
        fast = options.probe != "naive"
        print(peak_memory(training_step(network, size, batch, precision, where, fast=fast)))
        return
    recorder = Recorder(device_name(where), torch.get_num_threads())
    for name in options.models:
        for size in options.sizes:
            if options.costs:
                for side in ("ours", "smp") if "smp" in PEERS[name] else ("ours",):
                    row = Row("costs", {"device": where, "model": name, "side": side, "size": size})
                    recorder.keep(row, costs(name, side, size, options.rounds))
                continue
            for peer in PEERS[name]:
                row = step(where, name, size, batch, precision, peer)
                figures = compare(**row.settings, rounds=options.rounds)
                if where == "cpu":
                    for side, network in (("ours", "ours"), ("peer", peer)):
                        figures[side]["mebibytes"] = alone(row, network)
                recorder.keep(row, figures)


if __name__ == "__main__":
    main()
