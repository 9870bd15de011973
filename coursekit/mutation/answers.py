"""What an author keeps beside a lesson to try its checks on: `notebooks/source/answers/NN_name.py`.

::

    WRONG = {"exercise": [(code, "words that the public check's message must contain"), ...]}
    RIGHT = {"exercise": [code, ...]}
    EQUIVALENT = {"exercise": [(line, change, "why this is no bug"), ...]}
    HIDDEN_ONLY = {"exercise": [(line, change, "why only the hidden half can notice it"), ...]}

`code` takes the place of the whole answer cell. The last two name planted bugs (see
`coursekit.mutation.mutants`) by the line and the change that `coursekit build --mutate` tells of
them: those that change nothing that the exercise asks for, and those that pass the public half and
fail the hidden one, which nobody else may.
"""

from __future__ import annotations

import runpy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from coursekit.lessons.source import Lesson

#: Of each exercise, at least: likely mistakes, and correct solutions other than the lesson's.
LEAST_WRONG, LEAST_RIGHT = 3, 1


@dataclass(frozen=True)
class Answers:
    """What to try on the checks of a lesson, by the exercise's name.

    Attributes:
        wrong: code, and words of the message that must name the mistake.
        right: code.
        equivalent: line and change of a planted bug that is none, and why.
        hidden_only: line and change of one that only the hidden half notices, and why.
    """

    wrong: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    right: dict[str, list[str]] = field(default_factory=dict)
    equivalent: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    hidden_only: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)


def read_answers(lesson: Lesson) -> Answers:
    """The answers beside a lesson.

    Raises:
        CourseError: when there are none.
    """
    path = lesson.path.parent / "answers" / lesson.path.name
    if not path.is_file():
        raise CourseError(f"{path}: is missing; write WRONG, RIGHT and EQUIVALENT answers there")
    names = runpy.run_path(str(path))
    try:
        return Answers(
            names["WRONG"], names["RIGHT"], names.get("EQUIVALENT", {}),
            names.get("HIDDEN_ONLY", {}),
        )  # fmt: skip
    except KeyError as error:
        raise CourseError(f"{path}: defines no {error.args[0]}") from error


def gaps(lesson: Lesson, answers: Answers) -> list[str]:
    """What an author has yet to write, and answers to exercises that there are not."""
    names = [e.name for e in lesson.exercises]
    found = []
    for name in names:
        wrong, right = answers.wrong.get(name, []), answers.right.get(name, [])
        if len(wrong) < LEAST_WRONG:
            found.append(f"{name}: {len(wrong)} wrong answers; plant {LEAST_WRONG}")
        if len(right) < LEAST_RIGHT:
            found.append(f"{name}: {len(right)} other right answers; give {LEAST_RIGHT}")
    strangers = {
        *answers.wrong, *answers.right, *answers.equivalent, *answers.hidden_only,
    } - set(names)  # fmt: skip
    return found + [f"{name}: no such exercise in {lesson.name}" for name in sorted(strangers)]
