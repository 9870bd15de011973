"""Whole lessons executed on this machine, held against what their cards promise."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.files import atomic_path
from coursekit.lessons.execution import cost_of, execute_cell, kernel_for, quick_environment
from coursekit.lessons.outline import STEPS, Cost
from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Seconds for one cell on the quick tier; on the full one a cell may train for hours.
QUICK_TIMEOUT = 300.0


@dataclass(frozen=True)
class Rehearsed:
    """How a lesson went.

    Attributes:
        name: of the lesson.
        cells: how many code cells it has.
        failed: the cells that ended in an error, took too long or ended the kernel, in order.
        unwritten: whether the first of them is an exercise that nobody has answered yet.
        why: what the first of them said, one line.
        ended: whether all cells had their turn.
        seconds: from start to end.
        cost: processor time and memory; None where the kernel ended.
    """

    name: str
    cells: int
    failed: tuple[str, ...]
    unwritten: bool
    why: str
    ended: bool
    seconds: float
    cost: Cost | None

    def broken(self, promised: Cost | None) -> list[str]:
        """Which of a card's promises it broke: "time", "memory".

        By more than a step (`STEPS`): up to a step more, a build leaves the card as it is.
        """
        if not promised or not self.cost:
            return []
        measured = zip(("time", "memory"), self.cost, promised, STEPS, strict=True)
        return [what for what, took, most, step in measured if took > most + step]


def find_lessons(folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """The notebooks of lessons in a folder, in order.

    Args:
        folder: with NN_name.ipynb.
        only: lessons to take, such as "02" or "02_unet"; all when empty.

    Raises:
        CourseError: when there are none, or a name is none of theirs.
    """
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise CourseError(f"{folder}: holds no lessons (NN_name.ipynb); name --notebooks")
    for name in only:
        if not any(name in (path.stem, path.stem[:2]) for path in paths):
            raise CourseError(f"no lesson {name}; there are {', '.join(p.stem for p in paths)}")
    return [p for p in paths if not only or p.stem in only or p.stem[:2] in only]


def rehearse(
    path: Path,
    tier: str = "quick",
    *,
    timeout: float | None = None,
    keep: Path | None = None,
    step: Callable[[int, int], None] = lambda done, cells: None,
) -> Rehearsed:
    """Run all cells of a notebook in a fresh kernel, also those after one that fails.

    Args:
        path: of the notebook; it stays as it is.
        tier: "quick", whatever the user's settings are, or "full", with them.
        timeout: seconds for each cell; None for `QUICK_TIMEOUT`, and for no limit on the full tier.
        keep: where the executed notebook goes; None for nowhere.
        step: is told before each code cell how many are done, of how many.

    Raises:
        CourseError: for a file that is no notebook, or when no kernel can be started.
    """
    import nbformat

    try:
        node = nbformat.read(path, as_version=4)
    except (OSError, ValueError, KeyError) as error:
        raise CourseError(f"{path}: is no notebook ({error})") from error
    cells = [(i, cell) for i, cell in enumerate(node.cells) if cell.cell_type == "code"]
    limit = timeout or (QUICK_TIMEOUT if tier == "quick" else -1)
    failed, first, kind = [], None, ""
    begun, cost = time.monotonic(), None
    with temporary_folder() as scratch:
        environment = quick_environment if tier == "quick" else _full_environment
        with kernel_for(node, scratch, limit, environment) as client:
            for done, (index, cell) in enumerate(cells):
                step(done, len(cells))
                end = execute_cell(client, cell, index)
                if (kind := end.kind) != "passed":
                    failed.append(str(cell.get("id", index)))
                    first = first or end
                if kind in ("dead", "timeout"):  # a cell that is still running has the kernel
                    break
            else:
                cost = cost_of(client, node)
    if keep:
        with atomic_path(keep) as temporary:
            nbformat.write(node, temporary)
    says = {"timeout": f"took longer than {limit:g} s", "dead": "ended the kernel; out of memory?"}
    why = says.get(first.kind, f"{first.error}: {first.message}") if first else ""
    return Rehearsed(
        name=path.stem,
        cells=len(cells),
        failed=tuple(failed),
        unwritten=bool(first and first.error == "NotImplementedError"),
        why=" ".join(why.split())[:120],
        ended=kind not in ("dead", "timeout"),
        seconds=time.monotonic() - begun,
        cost=cost,
    )


def _full_environment(scratch: str) -> dict[str, str]:
    """The user's own settings on the full tier; the kernel works in another folder."""
    kept = dict(os.environ)
    if data := kept.get("COURSEKIT_DATA"):
        kept["COURSEKIT_DATA"] = str(Path(data).expanduser().resolve())
    return kept | {"COURSEKIT_TIER": "full"}
