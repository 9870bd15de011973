"""Lesson 11's cycles in small: a student, its teacher, and what known mistakes make of them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from coursekit.optim import aggregation, reestimate_statistics

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    Inputs = NDArray[np.float64]


def state_of(network: nn.Module) -> Tensor:
    """All that a network holds, weights and statistics, one after the other."""
    return torch.cat([v.detach().double().flatten() for v in network.state_dict().values()])


class Lesson:
    """A small student, its teacher, and notes of what `train_epoch` is given.

    Args:
        inputs: (N, 2, H, W).

    Attributes:
        starts, ends: the student's state before and after each epoch.
        teachers: the teacher's state in each epoch.
        frozen: whether the teacher is another network, evaluates, and is frozen.
        own: whether the student itself is trained, can learn, and gradients are recorded.
    """

    def __init__(self, inputs: Inputs) -> None:
        torch.manual_seed(0)
        layers = nn.Conv2d(2, 3, 1, bias=False), nn.BatchNorm2d(3), nn.Dropout(0.5)
        self.network = nn.Sequential(*layers).double().train()
        self.inputs = torch.as_tensor(inputs)
        self.batches = list(self.inputs.split(3))
        self.teacher = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.starts: list[Tensor] = []
        self.ends: list[Tensor] = []
        self.teachers: list[Tensor] = []
        self.frozen: list[list[bool]] = []
        self.own: list[list[bool]] = []

    def train_epoch(self, network: nn.Module, teacher: nn.Module) -> None:
        """Change the student's weights, as an epoch would."""
        learns = all(p.requires_grad for p in network.parameters())
        records = torch.is_grad_enabled()
        self.own.append([network is self.network, network is not self.network or learns, records])
        self.starts.append(state_of(network))
        self.teachers.append(state_of(teacher))
        learns = any(p.requires_grad for p in teacher.parameters())
        self.frozen.append([teacher is not network, not teacher.training, not learns])
        network.train()
        with torch.no_grad():
            network(self.inputs + len(self.ends))
            for p in network.parameters():
                p.add_(torch.cos(3 * p + len(self.ends)))
        self.ends.append(state_of(network))


def cycled(
    flaw: str, inputs: Inputs, cycles: int, epochs: int
) -> tuple[list[Tensor], list[Tensor]]:
    """Aggregates and teachers with a known mistake; with "" those that are right."""
    lesson = Lesson(inputs)
    made: list[nn.Module] = []
    students: list[dict[str, Any]] = []
    every: list[dict[str, Any]] = []
    network: nn.Module = lesson.network
    teacher: nn.Module = lesson.teacher
    start = copy.deepcopy(teacher.state_dict())
    for k in range(1, cycles + 1):
        students = students if flaw == "all" else []
        for _ in range(epochs):
            before = copy.deepcopy(network.state_dict())
            lesson.train_epoch(network, teacher)
            students.append(before if flaw == "early" else copy.deepcopy(network.state_dict()))
        every += students
        now, taught = network.state_dict(), teacher.state_dict()
        used = {
            "window": [now] * epochs, "fewer": students[:-1] or students,
            "taught": [taught] * epochs, "stale": every[:epochs],
        }.get(flaw, students)  # fmt: skip
        best = {"first": start, "student": now, "early student": students[0]}.get(flaw, taught)
        j = {
            "zero": k - 1, "one": 1, "all cycles": cycles, "epochs": epochs, "more": k + 1
        }.get(flaw, k)  # fmt: skip
        made.append(_made(flaw, lesson, best, used, j))
        teacher = made[-1]
    return [state_of(m) for m in made], lesson.teachers


def _made(
    flaw: str, lesson: Lesson, best: dict[str, Any], used: list[dict[str, Any]], k: int
) -> nn.Module:
    """The M of a cycle, by Eq. 6 with k, and with statistics of its own."""
    total = {n: sum(s[n] for s in used) for n in ("0.weight", "1.weight", "1.bias")}
    m, whole = copy.deepcopy(lesson.network), aggregation.aggregate(best, total, k, len(used))
    if flaw in ("unloaded", "bare"):
        whole = {n: w for n, w in whole.items() if flaw == "bare" and "weight" in n}
    m.load_state_dict(used[-1] | whole)
    if flaw != "statistics":
        passed = {"start": lesson.batches[:1], "cat": [torch.cat(lesson.batches)]}
        reestimate_statistics(m, lambda: passed.get(flaw, lesson.batches))
    return m.eval().requires_grad_(False)


_TEACHER = "M_best is the teacher's state, not the student's"
_CYCLED = {
    "window": "only the last student of a cycle counts: append in the inner loop, and copy, since "
    "`state_dict()` is a window",
    "early": "a student is kept as it was before its epoch: train first, then copy",
    "all": "the students of earlier cycles are still in the list: begin a new one in each cycle",
    "stale": "the students of cycle 1 are in each M: begin a new list in each cycle",
    "first": "M_best is always the first teacher: from cycle 2 on it is the M of the cycle before",
    "student": _TEACHER,
    "early student": _TEACHER,
    "taught": "the students are the network's states, not the teacher's",
    "fewer": "a student is missing: `aggregate` takes all of this cycle's",
    "all cycles": "k is the number of this cycle, not of all cycles",
    "epochs": "k is the number of the cycle, not of its epochs",
    "more": "k counts from 1 already: do not add 1 to it",
    "unloaded": "M is just the last student: load what `aggregate` gives, and let `names` be those "
    "of the parameters",
    "bare": "a name is missing: `names` are those of *all* parameters",
    "start": "M's statistics are of a part of the images: pass all `batches`",
    "cat": "hand `batches` on to `reestimate` as they are",
    "zero": "cycles count from 1",
    "one": "k has no effect: it is the number of the cycle",
    "statistics": "M has the last student's statistics: re-estimate them",
}


def cycled_wrongly(inputs: Inputs, cycles: int, epochs: int) -> Iterator[tuple[list[Tensor], str]]:
    """The aggregates of each known mistake, and its name."""
    for flaw, words in _CYCLED.items():
        yield cycled(flaw, inputs, cycles, epochs)[0], words
    turned = cycled("", inputs, cycles, epochs)[0][::-1]
    yield turned, "the M of cycle 1 comes first: `append`"
