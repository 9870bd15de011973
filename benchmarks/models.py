"""Training steps of the four models: against the same networks written naively, and smp's.

    python benchmarks/models.py                                    # 128² and 256²
    python benchmarks/models.py --models segformer --sizes 128 256 512 --batch 1
    python benchmarks/models.py --costs                            # what each costs, 128² to 512²

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

"G" are 10⁹ multiply-accumulates of one image: what a step costs depends on them, not on parameters.
Peak memory is that of one step in a process of its own, above what the process holds with the
model; on a GPU it is torch's own count, and `--precision bf16` casts both sides.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

import torch
from harness import Measurement, Work, compare, header, peak_memory, show
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit import count_parameters, create_model
from coursekit.complexity import measure, multiply_accumulates
from coursekit.losses import WeightedCrossEntropy
from coursekit.models import MODEL_NAMES, segformer
from coursekit.training.layout import memory_format

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


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


def matrix(name: str) -> nn.Module | None:
    """Ours with the attention matrix written out."""
    model = create_model(name)
    found = [part for part in model.modules() if isinstance(part, segformer.Attention)]
    for part in found:
        part.__class__ = WrittenOut
    return model if found else None


def library(name: str) -> nn.Module | None:
    """smp's network of this name, without pretrained weights."""
    import segmentation_models_pytorch as smp

    kind, encoder, sizes = {
        "unet": (smp.Unet, "tu-mobilenetv3_small_100", {"decoder_channels": (128, 64, 32, 24, 16)}),
        "deeplabv3plus": (smp.DeepLabV3Plus, "tu-mobilenetv3_small_100", {"decoder_channels": 128}),
        "segformer": (smp.Segformer, "mit_b0", {}),
    }.get(name, (None, "", {}))
    return kind and kind(encoder, encoder_weights=None, classes=19, **sizes)


def library_resized(name: str) -> nn.Module | None:
    """smp's SegFormer with our sizes and without its reduction of keys and values."""
    if name != "segformer":
        return None
    from segmentation_models_pytorch.decoders.segformer.decoder import SegformerDecoder
    from segmentation_models_pytorch.encoders.mix_transformer import MixVisionTransformerEncoder

    sizes = segformer.SegFormerConfig()
    channels = [3, 0, *sizes.dims]
    model = library(name)
    assert model is not None
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


def make(name: str, side: str) -> nn.Module | None:
    """One side's network; None where there is none."""
    torch.manual_seed(0)
    return SIDES[side](name)


def make_step(model: nn.Module, size: int, batch: int, *, bf16: bool, fast: bool) -> Work:
    """One training step, ready to be called again and again."""
    layout = memory_format(model, size, DEVICE) if fast else torch.contiguous_format
    model = model.to(DEVICE, memory_format=layout)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fast)
    loss = WeightedCrossEntropy(torch.full((19,), 1 / 19)).to(DEVICE)
    image = torch.randn(batch, 3, size, size, device=DEVICE).contiguous(memory_format=layout)
    target = torch.randint(0, 19, (batch, size, size), device=DEVICE)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(DEVICE, torch.bfloat16, enabled=bf16):
            logits = model(image)
        loss(logits.float(), target).backward()
        optimiser.step()

    return step


def alone(arguments: argparse.Namespace, name: str, side: str, size: int) -> float:
    """Peak memory of a step, in MiB, in a process of its own."""
    call = [sys.executable, str(Path(__file__)), "--probe", side, "--models", name,
            "--sizes", str(size), "--batch", str(arguments.batch),
            "--precision", arguments.precision]  # fmt: skip
    return float(subprocess.run(call, capture_output=True, text=True, check=True).stdout)


def one_step(arguments: argparse.Namespace, side: str) -> Work:
    """The step of the first model and size that are asked for."""
    model = make(arguments.models[0], side)
    assert model is not None
    bf16 = arguments.precision == "bf16"
    size = arguments.sizes[0]
    return make_step(model, size, arguments.batch, bf16=bf16, fast=side != "naive")


def compare_all(arguments: argparse.Namespace) -> None:
    """The table."""
    header()
    bf16 = arguments.precision == "bf16"
    for name in arguments.models:
        for size in arguments.sizes:
            for side in list(SIDES)[1:]:
                ours, other = make(name, "ours"), make(name, side)
                if ours is None or other is None:
                    continue
                step = partial(make_step, size=size, batch=arguments.batch, bf16=bf16)
                products = multiply_accumulates(other, size) / 1e9
                label = f"{side}, {count_parameters(other):,} parameters, {products:.2f} G"
                measured = compare(
                    ("ours", step(ours, fast=True)),
                    (label, step(other, fast=side != "naive")),
                    rounds=arguments.rounds,
                )
                measured = [
                    Measurement(m.name, m.seconds, m.spread, alone(arguments, name, s, size))
                    for m, s in zip(measured, ("ours", side), strict=True)
                ]
                products = multiply_accumulates(ours, size) / 1e9
                title = (
                    f"{name} ({products:.2f} G), {size}², batch {arguments.batch}, "
                    f"{arguments.precision}"
                )
                show(title, measured, "images", arguments.batch)


def costs(arguments: argparse.Namespace) -> None:
    """What each network costs as the image grows."""
    print("| network | parameters | size | 10⁹ multiply-accumulates | kept for backward, MiB | "
          "forward, ms | training step, ms |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in arguments.models:
        for side in ("ours", "smp"):
            model = make(name, side)
            if model is None:
                continue
            for size in arguments.sizes:
                cost = measure(model, size, rounds=arguments.rounds, device=DEVICE)
                products = multiply_accumulates(model, size) / 1e9
                print(f"| {name}{'' if side == 'ours' else f', {side}'} | {cost.parameters:,} | "
                      f"{size}² | {products:.2f} | {cost.kept_bytes / 2**20:.0f} | "
                      f"{1000 * cost.seconds:.0f} | {1000 * cost.training_seconds:.0f} |",
                      flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODEL_NAMES), choices=MODEL_NAMES)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--costs", action="store_true", help="no comparison: a table of costs")
    parser.add_argument("--probe", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.probe:
        step = one_step(arguments, arguments.probe)
        print(peak_memory(step))
    elif arguments.costs:
        costs(arguments)
    else:
        compare_all(arguments)


if __name__ == "__main__":
    main()
