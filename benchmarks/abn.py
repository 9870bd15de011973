"""Training steps of the encoder: activated batch normalisation against its peers.

    python benchmarks/abn.py                   # ResNet-101 at 129², processor time in one thread
    python benchmarks/abn.py --size 473        # the paper's size; about 20 GB and 15 minutes

A step is forward and backward of `ResNetEncoder` on random images; the sides have the same weights
and differ in their normalisation alone. The peers:

- "plain": batch normalisation, then leaky ReLU in place, as everybody writes them.
- "package": inplace-abn's, where it is installed.

What is kept for the backward pass is counted by the tensors that autograd saves, so it is exact and
the same on any machine. On a CPU times are processor times, which other processes hardly change; on
a GPU (`make gpu`) peak memory is torch's own count.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import torch
from harness import device, device_name, in_turn, peak_memory, processor_seconds, seconds_of
from records import Recorder
from torch import Tensor, nn
from wanted import ABN_PEERS, abn

from coursekit.complexity import kept_bytes
from coursekit.models.resnet import ResNetEncoder


class Deepest(nn.Module):
    """An encoder's last map, as one that is all that is asked for."""

    def __init__(self, encoder: ResNetEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Tensor) -> Tensor:
        c5: Tensor = self.encoder(image).c5
        return c5


def make(kind: str, device: str) -> nn.Module:
    """The encoder with this kind of normalisation; every kind has the same weights."""
    torch.manual_seed(0)
    return Deepest(ResNetEncoder(abn=kind)).to(device)


def compare(
    device: str, size: int, batch: int, precision: str, peer: str,
    rounds: int = 9, until: float = math.inf,
) -> dict[str, Any]:  # fmt: skip
    """Figures of one row: images a second, mebibytes kept, and a GPU's peak memory."""
    if peer == "package":
        import inplace_abn  # noqa: F401  a row whose peer is missing stays open
    image = torch.randn(batch, 3, size, size, device=device)
    networks = {"ours": make("inplace", device), "peer": make(peer, device)}

    def step(network: nn.Module) -> Callable[[], None]:
        def run() -> None:
            network.zero_grad(set_to_none=True)
            with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
                out = network(image)
            out.float().square().mean().backward()

        return run

    works = {side: step(network) for side, network in networks.items()}
    timer = processor_seconds if device == "cpu" else seconds_of
    timings = in_turn(works, rounds, until, timer)
    facts: dict[str, dict[str, Any]] = {}
    for side, network in networks.items():
        if side not in timings:
            facts[side] = {"failed": "out of memory"}
            continue
        facts[side] = timings[side].rate(batch)
        network.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            facts[side]["kept_mebibytes"] = round(kept_bytes(network, image) / 2**20, 1)
        if device == "cuda":
            facts[side]["mebibytes"] = round(peak_memory(works[side]))
    return facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=129)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--peers", nargs="+", default=list(ABN_PEERS), choices=ABN_PEERS)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    where = device()
    torch.set_num_threads(options.threads)
    recorder = Recorder(device_name(where), torch.get_num_threads())
    for peer in options.peers:
        row = abn(where, options.size, options.batch, "fp32", peer)
        try:
            recorder.keep(row, compare(**row.settings, rounds=options.rounds))
        except ModuleNotFoundError as error:
            print(f"{row.name}: peer missing ({error.name} is not installed)")


if __name__ == "__main__":
    main()
