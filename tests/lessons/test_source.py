"""Reading a source: names, regions, and errors that name file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.lessons.source import Lesson, read_lesson

EXERCISE = """\
# %% [markdown]
# # A lesson

# %% twice points=3
def twice(x):
    \"\"\"Two times x.\"\"\"
    ### BEGIN SOLUTION
    y = x + x
    return y
    ### END SOLUTION

# %% check-twice points=2 tags=["kept"]
assert twice(2) == 4
### BEGIN HIDDEN TESTS
assert twice(3) == 6
### END HIDDEN TESTS

# %%
print(twice(1))
"""


def lesson(folder: Path, text: str, name: str = "07_demo.py") -> Lesson:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_lesson(path)


def test_a_student_sees_a_stub(tmp_path: Path) -> None:
    read = lesson(tmp_path, EXERCISE)
    title, answer, check, last = read.student()
    assert answer.source == (
        '# exercise: twice\ndef twice(x):\n    """Two times x."""\n    # YOUR CODE HERE\n'
        '    raise NotImplementedError("not written yet: twice")'
    )
    assert check.source == "assert twice(2) == 4"
    assert (check.points, check.tags, answer.points) == (2, ("kept",), 3)
    assert [c.id for c in (title, answer, check, last)] == [
        "lesson-07-1", "twice", "check-twice", "lesson-07-4",
    ]  # fmt: skip
    assert title.kind == "markdown" and title.source == "# A lesson"


def test_the_solved_lesson_has_the_solution_and_no_markers(tmp_path: Path) -> None:
    _, answer, check, _ = lesson(tmp_path, EXERCISE).solved()
    assert answer.source.startswith("def twice") and answer.source.endswith("x + x\n    return y")
    assert check.source == "assert twice(2) == 4"


def test_exercises_know_their_checks(tmp_path: Path) -> None:
    text = EXERCISE + "\n# %% check-twice-2\npass\n\n# %% check-twice-more\npass\n"
    (exercise,) = lesson(tmp_path, text).exercises
    assert exercise.name == "twice"
    assert [c.id for c in exercise.checks] == ["check-twice", "check-twice-2"]


def test_a_stub_may_be_a_statement_and_there_may_be_two(tmp_path: Path) -> None:
    text = (
        "# %% both\n### BEGIN SOLUTION\na = 1\n### END SOLUTION\nif a:\n"
        "    ### BEGIN SOLUTION\n    b = 1\n    ### END SOLUTION\n\n# %% check-both\npass\n"
    )
    answer = lesson(tmp_path, text).student()[0]
    assert answer.source.count("raise NotImplementedError") == 2
    assert answer.source.count("# exercise: both\n") == 1
    compile(answer.source, "answer", "exec")


def test_a_cell_of_hidden_tests_alone_vanishes(tmp_path: Path) -> None:
    text = "# %% all-hidden\n### BEGIN HIDDEN TESTS\nsecret = 1\n### END HIDDEN TESTS\n"
    read = lesson(tmp_path, text)
    assert read.cells and not read.student() and not read.solved()


CHECK = "\n# %% check-x\npass\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# %% x\n### BEGIN SOLUTION\npass\n" + CHECK, 2, "without '### END SOLUTION'"),
        ("# %% x\npass\n### END SOLUTION\n" + CHECK, 3, "ends no region"),
        (
            "# %% x\n### BEGIN SOLUTION\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n"
            "### END SOLUTION\n" + CHECK,
            3,
            "begins at line 2; regions do not nest",
        ),
        (
            "# %% x\n\n\n### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n" + CHECK,
            5,
            "do not nest",
        ),
        ("# %% x\n### BEGIN HIDDEN TESTS\n### END SOLUTION\n", 3, "ends no region"),
        ("# %% x\n# begin solution\n1\n# end solution\n", 2, "looks like a marker"),
        ("# %% x\n### BEGIN SOLUTION  # here\n1\n", 2, "looks like a marker"),
        ("# %% x\n### BEGIN SOLUTION\n1\n### END SOLUTION\n", 2, "has no check"),
        ("# %%\n### BEGIN SOLUTION\n1\n### END SOLUTION\n", 2, "needs a name"),
        ("# %% one\n1\n\n# %% one\n2\n", 5, "line 2"),
        ("# %% Double conv\n1\n", 1, "is no name"),
        ("# %% lesson-1\n1\n", 1, "is no name"),
        ("# %% " + "a" * 65 + "\n1\n", 1, "at most 64"),
        ("# %% x points=-1\n1\n", 1, "whole number"),
        ('# %% x points="two"\n1\n', 1, "whole number"),
        ("# %% x colour=2\n1\n", 1, "colour"),
        ("# %% x\nfor i in 3\n", 2, "is not Python"),
        ("# %% x\n%matplotlib inline\n", 2, "magics"),
        ("# %% x\nf(\n### BEGIN SOLUTION\n1\n### END SOLUTION\n)\n" + CHECK, 2, "is not Python"),
        ("import os\n\n# %% x\n1\n", 1, "before the first cell"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(CourseError, match=words) as caught:
        lesson(tmp_path, text)
    assert f"07_demo.py:{line}: " in str(caught.value)


def test_a_lesson_has_a_number(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="two digits"):
        lesson(tmp_path, EXERCISE, "unet.py")
    with pytest.raises(CourseError, match="cannot be read"):
        read_lesson(tmp_path / "08_missing.py")
