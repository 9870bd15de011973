"""What an entry of the corpus is, and how submissions are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coursekit.lessons.course import Assignment, read_assignments
from coursekit.lessons.notebook import make_notebook

#: What is handed in: files by their paths below the class's folder, or what makes one at a path.
Files = Mapping[str, "bytes | Callable[[Path], object]"]
LESSON = "00_corpus"
HANDED_IN = f"student/{LESSON}.ipynb"


@dataclass(frozen=True)
class Bait:
    """Things outside of the sandbox that an attack may try to reach.

    Attributes:
        folder: with `secret.txt`; nothing else may appear in it.
        port: of a listener at 127.0.0.1 that nobody may reach.
        socket: name of a listener's abstract Unix socket, the same.
        process: a process that must live.
    """

    folder: Path
    port: int
    socket: str
    process: int

    def fill(self, code: str) -> str:
        """Code with @FOLDER@, @PORT@, @SOCKET@ and @PROCESS@ in it filled in."""
        for name in ("folder", "port", "socket", "process"):
            code = code.replace(f"@{name.upper()}@", str(getattr(self, name)))
        return code


@dataclass(frozen=True)
class Entry:
    """One submission and its verdict.

    Attributes:
        name: of the entry.
        about: what is tried.
        make: the files, given the bait.
        loses: exercises that must not pass.
        free: exercises that may pass or not: the attack spoils its own notebook.
        statuses: one of which each check of a lost exercise must have; any when empty.
        earned: points, when exercises pass in part.
        slow: longer than a few seconds, so not for the short test run.
    """

    name: str
    about: str
    make: Callable[[Bait], Files]
    loses: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    earned: int | None = None
    slow: bool = False


@cache
def assignment() -> Assignment:
    """The lesson, as a whole."""
    return read_assignments(Path(__file__).parent)[0]


RIGHT = {
    "small-net": """\
class SmallNet(torch.nn.Module):
    def __init__(self, classes=5, width=8):
        super().__init__()
        self.last = torch.nn.Conv2d(width, classes, 1)
        self.first = torch.nn.Conv2d(3, width, 3, padding=1)
    def forward(self, image):
        hidden = self.first(image)
        return self.last(torch.clamp(hidden, min=0))
""",
    "paint": """\
def paint(label_map, palette):
    return np.take(palette, label_map, axis=0)
""",
    "count-pixels": """\
def count_pixels(label_map, num_classes):
    return np.array([(label_map == c).sum() for c in range(num_classes)])
""",
    "iou": """\
def iou(truth, called, num_classes):
    known = np.arange(num_classes)[:, None]
    a, b = truth.ravel() == known, called.ravel() == known
    with np.errstate(invalid="ignore"):
        return (a & b).sum(1) / (a | b).sum(1)
""",
    "tally": """\
class Tally:
    def __init__(self, names):
        self.names, self.maps = names, []
    def add(self, label_map):
        self.maps.append(np.asarray(label_map).ravel())
    def shares(self):
        every = np.concatenate(self.maps)
        found = {n: float((every == i).mean()) for i, n in enumerate(self.names)}
        return {n: share for n, share in found.items() if share > 0}
""",
    "dice-loss": """\
def dice_loss(logits, target):
    p = torch.softmax(logits, dim=1)
    scores = []
    for c in range(logits.shape[1]):
        t = (target == c).to(p.dtype)
        scores.append(2 * (p[:, c] * t).sum() / (p[:, c].sum() + t.sum()))
    return 1 - torch.stack(scores).mean()
""",
}
EXERCISES = tuple(RIGHT)
ALL = frozenset(EXERCISES)
POINTS = {"small-net": 2, "paint": 1, "count-pixels": 2, "iou": 2, "tally": 2, "dice-loss": 3}

#: A right network, but too wide.
WIDE = RIGHT["small-net"].replace("width=8", "width=64")
WRONG = {
    "small-net": WIDE,
    "paint": """\
def paint(label_map, palette):
    return np.repeat(np.asarray(label_map)[..., None], 3, axis=2)
""",
    "count-pixels": """\
def count_pixels(label_map, num_classes):
    return np.zeros(num_classes, dtype=int)
""",
    "iou": """\
def iou(truth, called, num_classes):
    return np.ones(num_classes)
""",
    "tally": """\
class Tally:
    def __init__(self, names):
        self.names = names
    def add(self, label_map):
        pass
    def shares(self):
        return {"background": 1.0}
""",
    "dice-loss": """\
def dice_loss(logits, target):
    return (logits * 0).sum() + 0.5
""",
}


def notebook(answers: Mapping[str, str] = RIGHT) -> dict[str, Any]:
    """The lesson as a student hands it in, with these answers and stubs for the rest."""
    made: dict[str, Any] = json.loads(
        json.dumps({**make_notebook(assignment().lesson.student()), "metadata": {}})
    )
    for cell in made["cells"]:
        if cell["id"] in answers:
            cell["source"] = f"# exercise: {cell['id']}\n{answers[cell['id']]}"
    return made


def as_bytes(made: Any) -> bytes:
    """A notebook's file."""
    return json.dumps(made).encode()


def find(made: dict[str, Any], name: str) -> dict[str, Any]:
    """The cell of this id."""
    cell: dict[str, Any] = next(c for c in made["cells"] if c.get("id") == name)
    return cell


def code_cell(source: str, name: str = "own") -> dict[str, Any]:
    """A code cell of the student's own."""
    return {
        "cell_type": "code", "id": name, "metadata": {}, "source": source,
        "outputs": [], "execution_count": None,
    }  # fmt: skip


def hand_in(answers: Mapping[str, str]) -> Callable[[Bait], Files]:
    """A notebook with these answers, right ones for the rest."""
    return lambda bait: {
        HANDED_IN: as_bytes(notebook(RIGHT | {k: bait.fill(v) for k, v in answers.items()}))
    }


def cheat(
    name: str,
    exercise: str,
    about: str,
    code: str,
    *,
    statuses: str = "wrong",
    answer: str | None = None,
    free: str = "",
    slow: bool = False,
) -> Entry:
    """An attack from within one answer: some code, and a wrong answer after it."""
    text = f"{code.strip()}\n\n\n{WRONG[exercise] if answer is None else answer}"
    return Entry(
        name, about, hand_in({exercise: text}), frozenset({exercise}), frozenset(free.split()),
        frozenset(statuses.split()), slow=slow,
    )  # fmt: skip
