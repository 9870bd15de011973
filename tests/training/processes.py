"""Runs in processes of their own, forked from one that has imported everything: whole, killed, two.

    python -m tests.training.processes FOLDER

Each child trains in one thread: OpenMP's threads do not survive a fork.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import accelerate  # noqa: F401  here, not once more in each child
import torch
import torch._dynamo  # the first optimiser would import it

from coursekit.optim import SelfRegulationConfig, reestimate_statistics
from tests.training.test_loop import config, data, fit, model
from tests.training.test_objective import TWO_HEADS
from tests.training.toys import register

FAST = {"repeats": 1, "expansion": 1}  # FastSCNN has dropout and batch normalisation
#: Batch statistics are each process's own, so there are none here.
HEADS = {"objective": TWO_HEADS["objective"]}
CYCLES = SelfRegulationConfig(initial_epochs=2, cycles=2, cycle_epochs=1, lr=0.01, cycle_lr=0.01)


def forked(work: Callable[[], object]) -> int:
    """The process that does it."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return child


def ended(*children: int) -> None:
    """Wait for them; all must have succeeded."""
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert not any(codes), codes


def killed(out: Path, epoch: int, pause: float) -> None:
    """A run that kill -9 ends some time after an epoch."""
    ours, theirs = os.pipe()
    child = forked(lambda: long(out, lambda e: os.write(theirs, f"{e['epoch']}\n".encode())))
    os.close(theirs)
    with os.fdopen(ours) as lines:
        for line in lines:
            if int(line) == epoch:
                time.sleep(pause)
                os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def long(out: Path, on_epoch: Callable[[dict], object] | None = None) -> None:
    """Six epochs, or what is left of them."""
    fit(model("fastscnn", **FAST), *data(), config(epochs=6), out, resume=True, on_epoch=on_epoch)


def both(out: Path, name: str, rank: int, processes: int, port: int) -> None:
    """One process's part of short runs: a label map's network, one with two heads, with cycles."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes),
                   "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}  # fmt: skip
    register()
    fit(model(), *data(), config(epochs=2, batch_size=4), out / name)
    heads = config(epochs=2, batch_size=4, **HEADS)
    fit(model("two_heads", normalised=False), *data(), heads, out / f"{name}-heads")
    cycles = config(epochs=4, batch_size=4, **HEADS | {"plan": CYCLES})
    fit(model("two_heads", normalised=False), *data(), cycles, out / f"{name}-cycles")
    estimate(out / f"{name}-{rank}", rank, processes)
    if processes > 1:
        assert torch.distributed.get_backend() == "gloo"
        assert torch.distributed.get_world_size() == processes


def estimate(path: Path, rank: int, processes: int) -> None:
    """Statistics of one layer that each process estimates from its own images, unequally many."""
    layer = torch.nn.BatchNorm1d(3)
    images = torch.randn(9, 3, generator=torch.Generator().manual_seed(3))
    first = 6 if processes > 1 else 9
    share = images[:first] if rank == 0 else images[first:]
    reestimate_statistics(layer, lambda: share.split(3))
    torch.save(layer.state_dict(), path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(out: Path) -> None:
    torch.set_num_threads(1)
    ended(forked(lambda: long(out / "whole")))
    killed(out / "killed", 1, 0.0)
    killed(out / "killed", 3, 0.05)
    (out / "killed-files").write_text("\n".join(p.name for p in (out / "killed").iterdir()))
    ended(forked(lambda: long(out / "killed", lambda e: print(e["epoch"], flush=True))))
    ended(forked(lambda: both(out, "one", 0, 1, free_port())))
    port = free_port()
    ended(*(forked(lambda r=rank: both(out, "two", r, 2, port)) for rank in (0, 1)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
