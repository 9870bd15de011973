"""What is said between who wants a notebook run and the process that runs it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

#: A file in the request's folder, with a line for each cell when it begins, and when it ends: its
#: name, and "ended" or what came out. It is there also when the process was lost.
PROGRESS = "progress.txt"
#: What took too long, of a run that ended with a timeout.
CELL, NOTEBOOK = "cell", "notebook"
#: Characters of a picture, in base64, that is kept; of a larger one nothing is.
LARGEST_PICTURE = 400_000


@dataclass(frozen=True)
class Inputs:
    """Inputs of hidden checks, which a kernel gets when it has come so far, and not before.

    Attributes:
        source: the folder that holds them.
        target: the folder in which the kernel will find them.
        before: the cell before which they come.
    """

    source: str
    target: str
    before: str

    def hand_out(self) -> None:
        """Copy them for a kernel that may run as another user; only that one reaches its folder."""
        shutil.copytree(self.source, self.target, dirs_exist_ok=True, copy_function=shutil.copyfile)
        for path in Path(self.target).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


@dataclass(frozen=True)
class Request:
    """One notebook to run.

    Attributes:
        folder: with `run.ipynb` and `kernels/`; `result.json` and `log.txt` are written there.
        seconds: for the whole notebook.
        cell_seconds: for one cell.
        keep_outputs: whether the result holds what the cells showed.
        inputs: of hidden checks; None when there are none.
    """

    folder: str
    seconds: float
    cell_seconds: float
    keep_outputs: bool
    inputs: Inputs | None = None


@dataclass(frozen=True)
class Ended:
    """Why a run stopped half-way.

    Attributes:
        kind: "timeout", "flooded" (it printed without end), "dead" (its kernel is) or "broken"
            (what runs it is).
        detail: of a timeout `CELL` or `NOTEBOOK`; of a dead kernel the sandbox's reason, such as
            "memory"; of a broken run what happened, in words.
        ours: whether the grader's own processes are at fault: another try may go better.
    """

    kind: str
    detail: str = ""
    ours: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind
