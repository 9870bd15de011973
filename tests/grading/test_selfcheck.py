"""A student's self-check runs the answers as grading does and says what it did not cover."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursekit.cli import main
from coursekit.errors import CourseError
from coursekit.grading.selfcheck import ExerciseResult, SelfCheck, selfcheck
from coursekit.grading.verdict.explain import BEFORE
from coursekit.lessons.course import read_assignments
from coursekit.release.handout import assignment_of, covers, handout
from coursekit.release.release import release
from tests.release.demo_course import write_course

TWICE = "# exercise: twice\ndef twice(x):\n    return 2 * x\n"
SHIFT = "# exercise: shift\ndef shift(values, by):\n    return values[by:] + values[:by]\n"
LAST = """\
# exercise: last
class Last:
    def __init__(self, values):
        self.values = values

    def get(self):
        return self.values[-1]
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in which all three exercises are graded."""
    course = '[[assignment]]\nname = "week-3"\nlesson = "07_sums"\n'
    folder = write_course(tmp_path_factory.mktemp("course") / "notebooks", course)
    return release(tmp_path_factory.mktemp("out") / "students", folder).folder


@pytest.fixture
def student(good: Path, tmp_path: Path) -> Path:
    """The notebook of a student, with all exercises written."""
    for place in ("notebooks", ".released"):
        shutil.copytree(good / place, tmp_path / place)
    path = tmp_path / "notebooks" / "week-3.ipynb"
    write(path, twice=TWICE, shift=SHIFT, last=LAST)
    return path


def change(path: Path, edit: Callable[[list[dict[str, Any]]], Any]) -> None:
    notebook = json.loads(path.read_bytes())
    edit(notebook["cells"])
    path.write_text(json.dumps(notebook), encoding="utf-8")


def write(path: Path, **sources: str) -> None:
    """Write the sources of cells, `_` for `-` in their names."""

    def edit(cells: list[dict[str, Any]]) -> None:
        for cell in cells:
            source = sources.get(cell["id"].replace("-", "_"))
            cell["source"] = cell["source"] if source is None else source

    change(path, edit)


def statuses(checked: SelfCheck) -> dict[str, str]:
    return {finding.exercise: finding.status for finding in checked.findings}


def finding(checked: SelfCheck, name: str) -> ExerciseResult:
    return next(f for f in checked.findings if f.exercise == name)


def test_right_answers_pass(student: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(student)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("week-3: no due date\n")
    assert "✓ twice (2 points): passes its public check" in printed
    assert "it covers: three becomes six (2 comparisons, on the inputs in its cell)" in printed
    assert "beyond it, grading tries: a negative number; a positive number" in printed
    assert "3 of 3 exercises pass" in printed and "Not covered: the hidden checks" in printed


def test_what_is_wrong_is_told(student: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub = json.loads((student.parent.parent / ".released" / "week-3.ipynb").read_bytes())["cells"]
    untouched = next("".join(c["source"]) for c in stub if c["id"] == "shift")
    write(student, twice=TWICE.replace("2 * x", "x * x"), shift=untouched)
    write(student, last=LAST.replace("self.values[-1]", "shift(self.values, 1)[0]"))
    checked = selfcheck(student)
    assert statuses(checked) == {
        "twice": "failed", "shift": "not-written", "last": "not-written",
    }  # fmt: skip
    assert finding(checked, "twice").message == "this is the square"
    assert finding(checked, "shift").message == ""
    assert finding(checked, "last").message == "it needs shift, which is not written"
    assert not checked.passed
    assert main(["check", str(student)]) == 1
    printed = capsys.readouterr().out
    assert "✗ twice (2 points): fails its public check\n    it says: this is the square" in printed
    assert "… shift (1 point): not written yet" in printed and "0 of 3 exercises" in printed


def test_an_answer_that_lives_by_other_cells_is_tried_there(student: Path) -> None:
    text = TWICE.replace("2 * x", "TABLE['two'] * x")
    write(student, twice=text, shift=SHIFT.replace("values[by:]", "TABLE['none'] + values[by:]"))

    def edit(cells: list[dict[str, Any]]) -> None:
        for source in ("other = TABLE\nother['two'] = 2", "TABLE = {}"):
            new = {"cell_type": "code", "id": source[:5], "metadata": {}, "source": source}
            cells.insert(0, new)

    change(student, edit)
    checked = selfcheck(student)
    assert statuses(checked) == {"twice": "passed", "shift": "error", "last": "passed"}
    assert "in your own notebook" in finding(checked, "twice").notes[-1]
    assert finding(checked, "shift").message == "KeyError: 'none'"


def test_what_passes_there_by_a_borrowed_part_is_borrowed(student: Path) -> None:
    write(student, twice=TWICE.replace("2 * x", "TABLE['two'] * x"), shift=SHIFT, last=LAST)
    lends = (
        "import coursekit.checks.check as lends\nlends.is_borrowed = lambda *_: True\n"
        "TABLE = {}\n"
        "other = TABLE\nother['two'] = 2"
    )

    def edit(cells: list[dict[str, Any]]) -> None:
        cells.insert(0, {"cell_type": "code", "id": "lends", "metadata": {}, "source": lends})

    change(student, edit)
    checked = selfcheck(student)
    assert statuses(checked) == {"twice": "borrowed", "shift": "passed", "last": "passed"}
    assert not checked.passed


def test_answers_are_found_and_run_as_graded(student: Path) -> None:
    """In the released order, with the released checks, and without the student's own cells."""
    write(student, twice=TWICE.replace("2 * x", "helper(x) + offset()"))
    write(student, shift=SHIFT.replace("by:", "0:"), check_shift="print('fine')")

    def edit(cells: list[dict[str, Any]]) -> None:
        helper = "def helper(x):\n    return 2 * x\n"
        for name, source in (("a", helper), ("b", "offset = lambda: 0 / 0"), ("c", "del helper")):
            cells.append({"cell_type": "code", "id": name, "metadata": {}, "source": source})
        cells.insert(0, cells.pop())

    change(student, edit)
    checked = selfcheck(student)
    assert statuses(checked) == {"twice": "error", "shift": "failed", "last": "passed"}
    assert finding(checked, "twice").message == "ZeroDivisionError: division by zero"
    assert any("helper" in note for note in finding(checked, "twice").notes)


def test_what_hangs_or_dies_costs_itself_alone(student: Path) -> None:
    write(student, twice="import os\n" + TWICE.replace("    return", "    os._exit(1)\n    return"))
    write(student, shift=SHIFT.replace("    return", "    while True: pass\n    return"))
    checked = selfcheck(student, timeout=4)
    assert statuses(checked) == {"twice": "dead", "shift": "timeout", "last": "passed"}
    assert finding(checked, "shift").message == "it took longer than 4 s"


def test_what_is_tried_beside_an_answer_costs_nothing(student: Path) -> None:
    """A line that fails, above or below; one that ends the kernel; one that takes all day."""
    write(student, twice=f"import seaborn_of_mine\nimport time\n{TWICE}\ntime.sleep(60)\n")
    write(student, shift=f"{SHIFT}\nimport os\nos._exit(1)\n")
    checked = selfcheck(student, timeout=4)
    assert set(statuses(checked).values()) == {"passed"}
    assert "with that, it took longer than 4 s." in finding(checked, "twice").notes[-1]


def test_what_failed_first_is_told_too(student: Path) -> None:
    write(student, twice=f"import seaborn_of_mine\n{TWICE.replace('2 * x', '3 * x')}")
    told = finding(selfcheck(student), "twice")
    assert told.status == "failed"
    assert told.message.endswith(
        f"\n{BEFORE} ModuleNotFoundError: No module named 'seaborn_of_mine'"
    )


def test_an_answer_that_is_nowhere_or_no_python(
    student: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(student, twice="# exercise: twice\ndef twice(x)\n    return 2 * x\n")
    change(student, lambda cells: [cells.remove(c) for c in list(cells) if c["id"] == "shift"])
    checked = selfcheck(student)
    assert statuses(checked) == {"twice": "unreadable", "shift": "missing", "last": "passed"}
    assert main(["check", str(student)]) == 1
    printed = capsys.readouterr().out
    assert "✗ twice (2 points): is not Python\n    note: Cell 4 " in printed
    assert "✗ shift (1 point): no answer found\n    note: No cell defines shift." in printed


def test_practice_costs_nothing(tmp_path: Path) -> None:
    folder = write_course(tmp_path / "course")  # twice is graded, shift given, last practice
    path = release(tmp_path / "students", folder).folder / "notebooks" / "week-3.ipynb"
    write(path, twice=TWICE)
    checked = selfcheck(path)
    assert statuses(checked) == {"twice": "passed", "last": "not-written"}
    assert checked.passed and checked.due == "2026-12-01T23:59:00+01:00"
    assert [f.points for f in checked.findings] == [5, 0]


def test_the_released_notebook_is_found(student: Path) -> None:
    copy = student.with_name("week-3-Copy1.ipynb")
    shutil.move(student, copy)
    assert selfcheck(copy).passed
    notebook = json.loads(copy.read_bytes())
    notebook["metadata"].pop("coursekit")
    copy.write_text(json.dumps(notebook), encoding="utf-8")
    assert selfcheck(copy).assignment == "week-3"
    other = copy.rename(copy.with_name("ann.ipynb"))
    assert selfcheck(other).assignment == "week-3"
    with pytest.raises(CourseError, match="--assignment week-3"):
        selfcheck(other, "week-4")
    assert selfcheck(other, "week-3").passed
    other.write_text('{"nbformat": 4, "cells": [], "metadata": {}}', encoding="utf-8")
    with pytest.raises(CourseError, match="which assignment is it"):
        selfcheck(other)


def test_a_copy_is_checked_from_any_folder(
    student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere := tmp_path.parent / f"{tmp_path.name} of Ann's").mkdir()
    copy = shutil.move(student, elsewhere / "a copy.ipynb")
    monkeypatch.chdir(student.parent)  # in the folder that was given
    assert selfcheck(copy).passed
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr("coursekit.__file__", str(elsewhere / "site-packages" / "x" / "y.py"))
    with pytest.raises(CourseError, match=r"no folder \.released above it or here"):
        selfcheck(copy.name)


def test_a_released_notebook_that_was_spoilt(student: Path) -> None:
    file = student.parent.parent / ".released" / "week-3.ipynb"
    for content in ("{", "{}", '{"metadata": {"coursekit": {}}, "cells": [{}]}'):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(CourseError, match=r"week-3\.ipynb: is not as it was handed out"):
            selfcheck(student)


def test_in_the_course_itself_the_source_is_enough(tmp_path: Path) -> None:
    folder = write_course(tmp_path / "notebooks", course="")
    assert main(["build", "--notebooks", str(folder), "--text-only"]) == 0
    write(folder / "07_sums.ipynb", twice=TWICE, shift=SHIFT, last=LAST)
    assert selfcheck(folder / "07_sums.ipynb").passed


def test_what_is_no_notebook(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    with pytest.raises(CourseError, match=r"x\.ipynb: cannot be read"):
        selfcheck(path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(CourseError, match=r"x\.ipynb: .*no notebook"):
        selfcheck(path)


def test_the_handed_out_notebook_tells_its_assignment_again(tmp_path: Path) -> None:
    (assignment,) = read_assignments(write_course(tmp_path / "notebooks"))
    notebook = handout(assignment)
    again = assignment_of(notebook)
    assert (again.name, again.lesson.name, again.due) == ("week-3", "07_sums", assignment.due)
    assert [e.name for e in again.exercises] == ["twice", "last"]
    assert dict(again.points) == {"check-twice": 5, "check-last": 0}
    shown = [(c["id"], "".join(c["source"])) for c in notebook["cells"]]
    assert [(c.id, c.source) for c in again.lesson.student()] == shown
    assert "..." in next(c.source for c in again.lesson.solved() if c.id == "twice")


def test_what_a_check_covers() -> None:
    assert covers('check.that(1, "a")\ncheck.close(1, 1, "b")\ncheck.passed("fine")') == ("fine", 2)
    assert covers("assert twice(2) == 4") == ("", 0)
