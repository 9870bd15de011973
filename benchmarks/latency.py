"""DML-CSR at the paper's size beside EAGRNet: how long an image takes, what a training step costs.

    python benchmarks/latency.py                                # an image, in each mode there is
    python benchmarks/latency.py --modes compiled
    python benchmarks/latency.py --tasks --batch 2              # a training step of all three tasks
    python benchmarks/latency.py --model dml_csr_small --size 64

An image: the decoupled network (no edge heads) in one of `MODES` against EAGRNet in its public
form, which is eager, in fp32, in torch's default layout, with batch normalisation and leaky ReLU as
a kernel each. Both have fresh weights and 11 classes; what a mode gives is compared with eager fp32
first. The paper says 89 and 31 ms, a ratio of 0.35, and does not say where or of what.

A step: parsing, binary and category edges (cross-entropy each, on random maps; Lovász and attention
are left out), backward and a fused SGD step, against the same network with the normalisation that
saves no memory ("plain"). On a CPU times are processor times.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import torch
from harness import (
    Work,
    device,
    device_name,
    in_turn,
    peak_memory,
    processor_seconds,
    round_to,
    seconds_of,
)
from records import Recorder
from torch import Tensor, nn
from torch.nn import functional as F
from wanted import CPU_MODES, GPU_MODES, latency, tasks

from coursekit import create_model
from coursekit.complexity import kept_bytes
from coursekit.models.abn import ABN
from coursekit.models.dml_csr import SMALL
from coursekit.models.edge_heads import Heads

CLASSES = 11
NETWORKS: dict[str, dict[str, Any]] = {"dml_csr": {}, "dml_csr_small": SMALL}
MODES = tuple(dict.fromkeys((*GPU_MODES, *CPU_MODES, "compiled")))


def timer(device: str) -> Callable[[Work], float]:
    """On a CPU processor time, which other processes hardly change."""
    return processor_seconds if device == "cpu" else seconds_of


class PublicABN(nn.Module):
    """Batch normalisation and leaky ReLU as a kernel each, in the place of an ABN."""

    def __init__(self, abn: ABN) -> None:
        super().__init__()
        self.norm, self.slope = nn.BatchNorm2d(abn.num_features), abn.slope

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        y = self.norm(x)
        y = y if residual is None else y + residual
        return y if self.slope == 1 else F.leaky_relu_(y, self.slope)


def public(model: nn.Module) -> nn.Module:
    """A network with each ABN replaced."""
    for part in list(model.modules()):
        for name, child in part.named_children():
            if isinstance(child, ABN):
                setattr(part, name, PublicABN(child))
    return model


def ready(model: nn.Module, mode: str, image: Tensor) -> Callable[[], Tensor]:
    """One pass of a network in a mode, ready to be called again and again.

    Args:
        model: in evaluation mode, in fp32, on the image's device; it is changed.
        mode: one of `MODES`.
        image: (B, 3, H, W) fp32.
    """
    if mode != "eager fp32":
        model, image = _channels_last(model), image.contiguous(memory_format=torch.channels_last)
    if mode not in ("eager fp32", "channels last"):
        half = torch.float16 if image.is_cuda else torch.bfloat16
        model, image = model.to(half), image.to(half)
    if mode == "CUDA graph":
        return _graph(model, image)
    if mode == "compiled":
        model = torch.compile(model, mode="reduce-overhead" if image.is_cuda else "default")
    return lambda: model(image)


def _channels_last(model: nn.Module) -> nn.Module:
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _graph(model: nn.Module, image: Tensor) -> Callable[[], Tensor]:
    """A pass whose kernels were recorded once: nothing is launched from Python."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            model(image)
    torch.cuda.current_stream().wait_stream(stream)
    graph, given = torch.cuda.CUDAGraph(), image.clone()
    with torch.cuda.graph(graph):
        out: Tensor = model(given)

    def replay() -> Tensor:
        given.copy_(image)
        graph.replay()
        return out

    return replay


@torch.inference_mode()
def compare(
    device: str, model: str, size: int, batch: int, mode: str,
    rounds: int = 25, until: float = math.inf,
) -> dict[str, Any]:  # fmt: skip
    """Figures of one row: milliseconds of a pass, both networks timed in turn."""
    torch.manual_seed(0)
    settings = NETWORKS[model]
    ours = create_model("dml_csr", CLASSES, **{**settings, "edge_heads": "none"}).to(device).eval()
    peer = public(create_model("eagrnet", CLASSES, **settings)).to(device).eval()
    image = torch.randn(batch, 3, size, size, device=device)
    expected = ours(image)
    works = {"ours": ready(ours, mode, image), "peer": ready(peer, "eager fp32", image)}
    error = (works["ours"]().float() - expected).norm() / expected.norm()
    if not error < 0.05:
        raise RuntimeError(f"{mode} gives other logits than eager fp32 (by {float(error):.3g})")
    figures: dict[str, Any] = {
        side: {"ms": round_to(1000 * timing.seconds), "spread": round(timing.spread, 3)}
        for side, timing in in_turn(works, rounds, until, timer(device)).items()
    }
    if device == "cuda":
        for side, work in works.items():
            figures[side]["mebibytes"] = round(peak_memory(work))
    return figures | {"error": round_to(float(error), 2)}


class _Forward(nn.Module):
    """A network that is run another way."""

    def __init__(self, model: nn.Module, run: Callable[[Tensor], Heads]) -> None:
        super().__init__()
        self.model, self.run = model, run

    def forward(self, image: Tensor) -> Heads:
        return self.run(image)


def step_of(
    name: str, size: int, batch: int, precision: str, device: str, abn: str
) -> Callable[..., float]:
    """A training step of the three tasks, on random images and labels.

    With `measure` there is no step, and the result is what is kept for its backward pass, in MiB.
    """
    torch.manual_seed(0)
    model = create_model("dml_csr", CLASSES, **NETWORKS[name], abn=abn).to(device).train()
    optimiser = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9, fused=True)
    image = torch.randn(batch, 3, size, size, device=device)
    target = torch.randint(0, CLASSES, (batch, size, size), device=device)
    edges = torch.randint(0, 2, (batch, size, size), device=device)
    category = torch.randint(0, 2, (batch, CLASSES, size, size), device=device).float()

    def forward(image: Tensor) -> Heads:
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            heads: Heads = model.heads(image)
        return heads

    def step(*, measure: bool = False) -> float:
        if measure:
            return kept_bytes(_Forward(model, forward), image) / 2**20
        optimiser.zero_grad(set_to_none=True)
        heads = forward(image)
        loss = F.cross_entropy(heads.logits.float(), target)
        loss = loss + F.cross_entropy(heads.binary.float(), edges)
        loss = loss + F.binary_cross_entropy_with_logits(heads.category.float(), category)
        loss.backward()
        optimiser.step()
        return 0.0

    return step


def train(
    device: str, model: str, size: int, batch: int, precision: str, peer: str,
    rounds: int = 25, until: float = math.inf,
) -> dict[str, Any]:  # fmt: skip
    """Figures of one row: images a second, what is kept for the backward pass, a GPU's peak."""
    sides = {"ours": "inplace", "peer": peer}
    steps = {s: step_of(model, size, batch, precision, device, abn) for s, abn in sides.items()}
    timings = in_turn(steps, rounds, until, timer(device))
    figures: dict[str, dict[str, Any]] = {}
    for side, step in steps.items():
        if side not in timings:
            figures[side] = {"failed": "out of memory"}
            continue
        figures[side] = {
            **timings[side].rate(batch),
            "kept_mebibytes": round_to(step(measure=True)),
        }
        if device == "cuda":
            figures[side]["mebibytes"] = round(peak_memory(step))
    return figures


def main() -> None:
    where = device()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="dml_csr", choices=NETWORKS)
    parser.add_argument("--size", type=int, default=473)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--modes", nargs="+", choices=MODES,
                        default=GPU_MODES if where == "cuda" else CPU_MODES)  # fmt: skip
    parser.add_argument("--tasks", action="store_true", help="a training step in place of a pass")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    options = parser.parse_args()
    recorder = Recorder(device_name(where), torch.get_num_threads())
    shared = (where, options.model, options.size, options.batch)
    if options.tasks:
        row = tasks(*shared, options.precision)
        recorder.keep(row, train(**row.settings, rounds=options.rounds))
        return
    for mode in options.modes:
        row = latency(*shared, mode)
        recorder.keep(row, compare(**row.settings, rounds=options.rounds))


if __name__ == "__main__":
    main()
