"""One layer in two processes, each with a part of the batch; and layers that are compiled.

    python -m tests.models.abn_processes FOLDER

What each got is left in FOLDER; `tests/models/test_abn.py` compares. Here nothing checks the types
of arguments, which could not be compiled.
"""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path

import torch
from torch import Tensor, distributed, nn

from coursekit.models.abn import ABN

#: Images of the first process in each case; the second has the others.
SHARES = {"one": 1, "three": 3, "all": 5}


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Input, residual and the gradient from above, of five images; the mean is far from 0."""
    torch.manual_seed(0)
    x, residual, above = torch.randn(3, 5, 4, 3, 2, dtype=torch.float64)
    return 100 + x, residual, above


def layer(kind: str) -> ABN:
    """With scales of either sign."""
    abn = ABN(4, kind=kind).double()
    with torch.no_grad():
        abn.weight.copy_(torch.tensor([1.5, -0.5, 0.0, 0.1]))
        abn.bias.copy_(torch.tensor([0.1, -1.0, 0.5, 0.0]))
    return abn


def results(abn: ABN, x: Tensor, residual: Tensor, above: Tensor) -> dict[str, Tensor]:
    """Output, gradients and statistics of a step, and the output in evaluation."""
    x, residual = x.clone().requires_grad_(), residual.clone().requires_grad_()
    out = abn(x, residual)
    out.backward(above)
    assert x.grad is not None and residual.grad is not None
    assert abn.weight.grad is not None and abn.bias.grad is not None
    found = {"out": out, "x": x.grad, "residual": residual.grad, "weight": abn.weight.grad}
    found |= {"bias": abn.bias.grad, "mean": abn.running_mean, "var": abn.running_var}
    found["evaluated"] = abn.eval()(x.detach(), residual.detach())
    return {name: value.detach() for name, value in found.items()}


def work(rank: int, out: Path) -> None:
    """One process's part."""
    distributed.init_process_group("gloo", f"file://{out}/meeting", rank=rank, world_size=2)
    for name, share in SHARES.items():
        part = slice(share) if rank == 0 else slice(share, None)
        mine = [tensor[part] for tensor in batch()]
        torch.save(results(layer("inplace"), *mine), out / f"{name}-{rank}.pt")
    try:
        layer("inplace")(torch.ones(1 - rank, 4).double())
    except ValueError as error:
        (out / f"refused-{rank}").write_text(str(error))
    distributed.barrier()
    distributed.destroy_process_group()


def compiled() -> tuple[list[Tensor], list[Tensor]]:
    """A small network's results, as it is and compiled without a break."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), ABN(4), nn.Conv2d(4, 4, 1), ABN(4, slope=1))
    twin = copy.deepcopy(net)
    x, found = torch.randn(2, 3, 7, 7), []
    for parts, run in (
        (net, net),
        (twin, torch.compile(twin, backend="aot_eager", fullgraph=True)),
    ):
        out = run(x)
        out.square().sum().backward()
        tensors = [out, *(p.grad for p in parts.parameters()), *parts.parameters()]
        tensors += [buffer.clone() for buffer in parts.buffers()]
        parts.eval()
        found.append([t.detach() for t in [*tensors, run(x)] if t is not None])
    return found[0], found[1]


def main(out: Path) -> None:
    torch.set_num_threads(1)
    children = []
    for rank in (0, 1):
        child = os.fork()
        if not child:
            code = 1
            try:
                work(rank, out)
                code = 0
            finally:
                if code:
                    sys.excepthook(*sys.exc_info())
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert not any(codes), codes
    torch.save(compiled(), out / "compiled.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
