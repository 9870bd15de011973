"""What the public checks said to an answer, before anything hidden came to a kernel of its own.

All of it comes from a student's kernel. It goes to that student alone, as text that is escaped and
pictures that are made anew (see `report`), and it decides nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coursekit
from coursekit.files import home_folder
from coursekit.grading.records import PublicResult
from coursekit.grading.run.protocol import LARGEST_PICTURE
from coursekit.lessons.notebook import text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from coursekit.grading.run.executor import Run
    from coursekit.lessons.course import Assignment

LONGEST = 1_200  # characters of a message
MOST_PICTURES = 4  # of an exercise
#: What leads what failed in an answer's cell before its check did.
BEFORE = "In the cell with the answer a line had failed before:"
_LONGEST_BEFORE = 300
_HERE = (Path(coursekit.__file__).parents[1], sys.prefix, sys.base_prefix, home_folder())
#: Folders of who grades, the innermost first; not "/", which is root's home in some containers.
_PLACES = sorted({str(p) for p in _HERE if len(Path(p).parts) > 1}, key=len, reverse=True)


def explain(assignment: Assignment, run: Run, exercises: Collection[str]) -> Iterator[PublicResult]:
    """What the run showed of some exercises, in the lesson's order."""
    for exercise in assignment.exercises:
        if exercise.name not in exercises:
            continue
        cells = [exercise.name, *(c.id for c in exercise.checks)]
        outputs = [o for name in cells for o in run.outputs.get(name, []) if isinstance(o, dict)]
        status, message = _told(run, exercise.name, cells, outputs)
        yield PublicResult(exercise.name, status, message[:LONGEST], tuple(_pictures(outputs)))


def _told(run: Run, name: str, cells: list[str], outputs: list[dict[str, Any]]) -> tuple[str, str]:
    errors = [o for o in outputs if o.get("output_type") == "error"]
    if errors:
        # What the check says, though a line beside the answer failed before it.
        first = next((o for o in errors if o.get("ename") == "CheckFailed"), errors[0])
        kind, said = str(first.get("ename")), _without_places(str(first.get("evalue")))
        if kind != "CheckFailed":
            return "error", f"{kind}: {said}"
        said = said.removeprefix(f"{name}: ")
        if first is not errors[0]:  # such as an import, of what is not there now
            before = f"{errors[0].get('ename')}: {_without_places(str(errors[0].get('evalue')))}"
            said = f"{said[: LONGEST - _LONGEST_BEFORE]}\n{BEFORE} {before}"
        return "failed", said
    reached = [run.cells[c] for c in cells if c in run.cells]
    if reached and all(outcome == "passed" for outcome in reached) and len(reached) == len(cells):
        return "passed", "the public check passes; the hidden one tries other inputs"
    if "ended" in reached or not reached:
        return "not-run", "the run ended before the public check did"
    return "error", "the cell failed without a message"


def _without_places(said: str) -> str:
    """Without where things lie on the machine that grades: an import that fails tells it."""
    for place in _PLACES:
        said = said.replace(place, "…")
    return said


def _pictures(outputs: list[dict[str, Any]]) -> Iterator[str]:
    left = MOST_PICTURES
    for output in outputs:
        data = output.get("data")
        picture = data.get("image/png") if isinstance(data, dict) else None
        if left and isinstance(picture, (str, list)):
            try:
                text = text_of(picture)
            except TypeError:
                continue
            if text and len(text) <= LARGEST_PICTURE:
                left -= 1
                yield text
