"""A student's notebook as it was handed in, for answers that live by what no reading has found.

What an answer needs of other cells is taken from their text, which never sees everything: a second
name for a table, a file that is written, a function that binds. So an answer that fails in the
course's notebook is tried once more in the student's own, from its top to the check.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coursekit import names
from coursekit.grading.answers.pieces import Piece, holds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coursekit.grading.answers.cells import StudentCell
    from coursekit.grading.answers.key import ExerciseKey, LessonKey


@dataclass(frozen=True)
class OwnCell:
    """A code cell as it was handed in.

    Attributes:
        number: of the cell, from 1.
        text: all of it, magics too.
        given: the lesson's cell that it is, unchanged; "" for what the student wrote or changed.
        known: the lesson's cells that it seems to be, changed or not.
    """

    number: int
    text: str
    given: str
    known: frozenset[str]


@dataclass(frozen=True)
class OwnNotebook:
    """The code of a student's notebook.

    Attributes:
        cells: in order.
        until: of each exercise to which it can make a difference, the number of the last cell that
            stands before its hidden tests.
    """

    cells: tuple[OwnCell, ...] = ()
    until: Mapping[str, int] = field(default_factory=dict)


def own_notebook(
    cells: Sequence[StudentCell],
    key: LessonKey,
    taken: Sequence[Piece],
    until: Mapping[str, int],
    lost: Sequence[ExerciseKey],
) -> OwnNotebook:
    """The notebook, and for which exercises it says more than the answers that were found.

    Args:
        cells: of the student.
        key: of the lesson.
        taken: what the answers are made of; it runs in the course's notebook, too.
        until: number of the last cell that counts, for each exercise.
        lost: exercises without an answer.
    """
    left = {c.number: text for c in cells if (text := _left(c, key, taken))}
    wanted = {e.name: re.compile(rf"\b(?:{'|'.join(e.wanted) or e.name})\b") for e in lost}
    helps = {
        exercise: last
        for exercise, last in until.items()
        if any(
            number <= last and (exercise not in wanted or wanted[exercise].search(text))
            for number, text in left.items()
        )
    }
    own = (
        OwnCell(c.number, c.source, "" if c.given in key.exercises else c.given, c.known)
        for c in cells
        if c.kind == "code" and c.source.strip()
    )
    return OwnNotebook(tuple(own), helps)


def _left(cell: StudentCell, key: LessonKey, taken: Sequence[Piece]) -> str:
    """What of a cell is the student's and does not run once, as there: in no answer, or in several.

    A table that two answers take is empty again when the second has its turn.
    """
    if cell.kind != "code" or cell.given:
        return ""
    if cell.code.tree is None or cell.code.magic or cell.code.notes:
        return cell.source
    return "\n".join(
        s.text
        for s in cell.statements
        if s.same not in key.statements and not _runs_once(Piece(cell, s), taken)
    )


def _runs_once(piece: Piece, taken: Sequence[Piece]) -> bool:
    """Whether a statement runs in one answer; an import may in several."""
    times = sum(holds([other], piece) for other in taken)
    return times == 1 or (times > 1 and isinstance(piece.statements[0].node, names.IMPORTS))
