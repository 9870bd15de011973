"""What is said between who wants a notebook run and the process that runs it."""

from __future__ import annotations

from dataclasses import dataclass

#: A file in the request's folder, with a line for each cell when it begins, and when it ends: its
#: name, and "ended" or what came out. It is there also when the process was lost.
PROGRESS = "progress.txt"
#: What took too long, of a run that ended with a timeout.
CELL, NOTEBOOK = "cell", "notebook"
#: Characters of a picture, in base64, that is kept; of a larger one nothing is.
LARGEST_PICTURE = 400_000


@dataclass(frozen=True)
class Request:
    """One notebook to run.

    Attributes:
        folder: with `run.ipynb` and `kernels/`; `result.json` and `log.txt` are written there.
        seconds: for the whole notebook.
        cell_seconds: for one cell.
        keep_outputs: whether the result holds what the cells showed.
    """

    folder: str
    seconds: float
    cell_seconds: float
    keep_outputs: bool


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
