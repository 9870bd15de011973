"""What the instructors' page says can be typed."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from coursekit.cli import make_parser
from coursekit.lessons.course import read_assignments
from coursekit.lessons.regions import hidden_text
from coursekit.lessons.source import read_lesson
from coursekit.release.also_tried import also_tried

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "notebooks" / "INSTRUCTORS.md").read_text(encoding="utf-8")
STUDENTS = (ROOT / "coursekit/release/student/README.md.j2").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


COMMANDS = re.findall(r"^coursekit .*", PAGE, re.MULTILINE) + re.findall(
    r"`(coursekit [a-z]+ -[^`…]*)`", PAGE
)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands(line: str) -> None:
    assert make_parser().parse_args(shlex.split(line, comments=True)[1:]).handler


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 6
    assert {line.split()[1] for line in COMMANDS} >= {"release", "grade", "build"}


def test_options_that_are_named_exist() -> None:
    help_text = "".join(
        parser.format_help()
        for action in make_parser()._subparsers._group_actions
        for parser in action.choices.values()
    )
    words = "".join(text for text in re.split(r"^```.*?^```", PAGE, flags=re.M | re.S))
    for option in set(re.findall(r"`(--[a-z-]+)", words)) - {"--security-opt"}:
        assert option in help_text, option


def test_the_course_file(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    assert tomllib.loads(text)
    path = tmp_path / "course.toml"
    path.write_text(text, encoding="utf-8")
    (assignment,) = read_assignments(ROOT / "notebooks", None, path)
    assert (assignment.name, assignment.given) == ("week-2", ("double-conv",))
    assert assignment.points == {"check-up": 3, "check-layers": 2}


def test_the_example_of_an_exercise(tmp_path: Path) -> None:
    example = blocks("python")[0]
    path = tmp_path / "09_example.py"
    head = "# %%\nimport numpy as np\n\nfrom coursekit.checks import Check\n\n"
    path.write_text(head + example, encoding="utf-8")
    lesson = read_lesson(path)
    assert also_tried(hidden_text(lesson.cells[-1])) == [
        "another image: wide",
        "another image: one pixel",
    ]
    names: dict[str, object] = {}
    for cell in lesson.solved():
        exec(compile(cell.source, cell.id, "exec", dont_inherit=True), names)
    mean = names["mean_colour"]
    for wrong, words in (
        (lambda image: image.mean(), "one mean for all"),
        (lambda image: mean(image) / 255, "divided by 255"),
        (lambda image: mean(image)[::-1] + 1, "half of the pixels"),
    ):
        names["mean_colour"] = wrong
        with pytest.raises(AssertionError, match=words):
            exec(compile(lesson.solved()[-1].source, "check", "exec"), names)


def test_the_students_readme_names_commands_that_exist() -> None:
    named = re.findall(r"coursekit (lab|check|doctor)", STUDENTS)
    assert set(named) == {"lab", "check", "doctor"}
    for name in named:
        arguments = [name, "x.ipynb"] if name == "check" else [name]
        assert make_parser().parse_args(arguments).handler
