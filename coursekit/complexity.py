"""What a network costs: multiply-accumulates, memory for training, time.

Counts are exact and the same on any machine; times are medians of several runs on this one, and
mean something beside another network's that was timed in turn.
"""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from coursekit.errors import CourseError
from coursekit.models import count_parameters, plain
from coursekit.models.abn import ABN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor


@dataclass(frozen=True)
class Complexity:
    """What one image costs.

    Attributes:
        parameters: the sum of `p.numel()`.
        multiply_accumulates: of one forward pass.
        kept_bytes: what a training step keeps between its forward and its backward pass.
        seconds: of one forward pass in evaluation, the median.
        training_seconds: of one forward and backward pass, the median.
    """

    parameters: int
    multiply_accumulates: int
    kept_bytes: int
    seconds: float
    training_seconds: float


def measure(model: nn.Module, size: int, *, rounds: int = 5, device: str = "cpu") -> Complexity:
    """All of it for one (3, size, size) image.

    Args:
        model: maps (B, 3, H, W) to (B, classes, H, W); a copy of it does the work.
        size: side of the image, in pixels.
        rounds: runs that are timed, after one that is not, at least 1; the median counts.
        device: where it runs.
    """
    if rounds < 1:
        raise CourseError(f"rounds is {rounds}; at least one run must be timed")
    model = copy.deepcopy(model).to(device)
    # A batch of two: some normalisations cannot learn from a single image.
    pair = torch.randn(2, 3, size, size, device=device, dtype=_dtype(model))
    image = pair[:1]

    def train() -> None:
        model.zero_grad(set_to_none=True)
        model(pair).square().mean().backward()

    @torch.inference_mode()
    def predict() -> None:
        model(image)

    model.train()
    training = _median(train, rounds) / 2
    kept = kept_bytes(model, pair) // 2
    model.eval()
    seconds = _median(predict, rounds)
    return Complexity(
        count_parameters(model),
        multiply_accumulates(model, size),
        kept,
        seconds,
        training,
    )


def multiply_accumulates(model: nn.Module, size: int) -> int:
    """Products of convolutions, matrices and attention, in one pass of a (3, size, size) image.

    Counted by torch's own `FlopCounterMode`, which sees two operations in each; normalisations,
    activations and interpolation are left out, as is usual, and so are bilinear layers and a matrix
    times a single vector, which it does not know. Nothing is computed: the pass runs on shapes
    alone.
    """
    return int(_counted(model, size).get_total_flops()) // 2


#: Modules that multiply nothing that is counted and keep the shape.
_UNCOUNTED = (
    nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.ReLU, nn.ReLU6, nn.GELU, nn.Hardswish,
    nn.Hardsigmoid, nn.SiLU,
)  # fmt: skip


def _counted(model: nn.Module, size: int) -> FlopCounterMode:
    """The counter after one pass."""
    shapes = copy.deepcopy(plain(model)).to("meta").eval()
    for part in shapes.modules():
        if type(part) in _UNCOUNTED:  # half of the time: on shapes alone torch does these in Python
            part.forward = lambda x: x
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes(torch.empty(1, 3, size, size, device="meta", dtype=_dtype(model)))
    return counter


@dataclass(frozen=True)
class PartCost:
    """What a part of a network has and does, and its share of the whole.

    Attributes:
        parameters: of the part.
        multiply_accumulates: in one pass of an image through the whole network.
        parameter_share: from 0 to 1.
        work_share: from 0 to 1.
    """

    parameters: int
    multiply_accumulates: int
    parameter_share: float
    work_share: float


def part_costs(model: nn.Module, size: int) -> dict[str, PartCost]:
    """Where the parameters sit and where the work is, in one pass of a (3, size, size) image.

    Args:
        model: maps (1, 3, H, W) to anything.
        size: side of the image, in pixels.

    Returns:
        The cost of each child of the network, by its name and in its order; "elsewhere" is last,
        for what belongs to none of them, if there is any.
    """
    model, counter = plain(model), _counted(model, size)
    counts, root = counter.get_flop_counts(), type(model).__name__
    parameters, work = count_parameters(model), int(counter.get_total_flops()) // 2
    found = {
        name: (count_parameters(part), _work(part, f"{root}.{name}", counts) // 2)
        for name, part in model.named_children()
    }
    held = max(0, parameters - sum(one for one, _ in found.values()))  # parts may share some
    done = work - sum(one for _, one in found.values())
    if held or done:
        found["elsewhere"] = held, done
    return {
        name: PartCost(held, done, held / max(parameters, 1), done / max(work, 1))
        for name, (held, done) in found.items()
    }


def _work(part: nn.Module, name: str, counts: Mapping[str, Mapping[Any, int]]) -> int:
    """Operations of a part; a list of modules is never called itself: those of what it holds."""
    if name in counts:
        return sum(counts[name].values())
    return sum(_work(one, f"{name}.{own}", counts) for own, one in part.named_children())


def cost_table(model: nn.Module, size: int) -> str:
    """`part_costs` in words, a line for each part and one for all together."""
    costs = part_costs(model, size)
    width = max(map(len, (*costs, "together")))
    lines = [
        f"{name:<{width}}{cost.parameters:>11,} parameters ({cost.parameter_share:4.0%})"
        f"{cost.multiply_accumulates / 1e9:>8.2f} · 10⁹ multiplications ({cost.work_share:4.0%})"
        for name, cost in costs.items()
    ]
    held, done = count_parameters(model), multiply_accumulates(model, size) / 1e9
    lines.append(f"{'together':<{width}}{held:>11,} parameters{done:>15.2f} · 10⁹ multiplications")
    return "\n".join(lines)


def hooked_operations(model: nn.Module, size: int, *, heads: bool = False) -> int:
    """Operations of one (3, size, size) image as DML-CSR's table counts them: 48.54 billion.

    That is what hooks on the modules of its public code see: of a convolution the products and the
    biases, of a pooling each value that it takes, of a ReLU each value that it gives. The ReLUs
    are those of the encoder; ABN everywhere else, matrix products and interpolation have no hook.
    In our networks the encoder's ReLUs are in its ABNs, and count there.

    Args:
        model: DML-CSR or EAGRNet.
        size: side of the image, in pixels.
        heads: whether the edge heads are run, too.
    """
    shapes = copy.deepcopy(plain(model)).to("meta").eval()
    total = 0

    def count(part: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal total
        if isinstance(part, nn.Conv1d | nn.Conv2d):
            products = part.weight[0].numel() + (part.bias is not None)
            total += products * out.numel()
        elif isinstance(part, nn.MaxPool2d | nn.AdaptiveAvgPool2d):
            total += inputs[0].numel()
        else:
            total += out.numel()

    encoder = set(shapes.get_submodule("encoder").modules())
    for part in shapes.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d | nn.MaxPool2d | nn.AdaptiveAvgPool2d) or (
            part in encoder and isinstance(part, ABN) and part.slope != 1
        ):
            part.register_forward_hook(count)
    image = torch.empty(1, 3, size, size, device="meta", dtype=_dtype(model))
    with torch.no_grad():
        shapes.heads(image) if heads else shapes(image)  # type: ignore[operator]
    return total


def kept_bytes(model: nn.Module, images: Tensor) -> int:
    """What autograd holds for the backward pass, beside the weights and the images.

    It grows with the batch and is most of a training step's memory; what an operation needs for
    the moment comes on top.

    Args:
        model: in the mode that it has; in training mode its normalisations see the images.
        images: (B, 3, H, W) on the model's device, which may be meta.
    """
    own = {_storage(tensor) for tensor in (*model.parameters(), *model.buffers(), images)}
    held: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if _storage(tensor) not in own:
            held[_storage(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = model(images)  # alive until its parts are counted: no two share an address
    del out
    return sum(held.values())


def _storage(tensor: Tensor) -> int:
    """What a tensor's numbers stand in, by its address; on meta, where there are none, too."""
    return int(tensor.untyped_storage()._cdata)


class Largest(TorchDispatchMode):
    """How many numbers the largest tensor has that is made inside of `with`.

    Attributes:
        numbers: of the largest tensor; 0 before the first.
        steps: operations of PyTorch so far.
    """

    numbers = steps = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        made = [leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor)]
        self.numbers, self.steps = max([self.numbers, *made]), self.steps + 1
        return out


def _dtype(model: nn.Module) -> torch.dtype:
    """Of the images that a model takes: that of its weights."""
    return next((p.dtype for p in model.parameters()), torch.float32)


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds of one run; on a GPU until its work is done, which is later than the call's return.

    Args:
        work: what to run.
    """
    _synchronise()
    start = time.perf_counter()
    work()
    _synchronise()
    return time.perf_counter() - start


def _median(work: Callable[[], object], rounds: int) -> float:
    work()
    return statistics.median(seconds_of(work) for _ in range(rounds))


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
