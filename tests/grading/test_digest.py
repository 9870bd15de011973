"""Old grades are taken over exactly as long as nothing has changed that decided them."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import grimp
import pytest

from coursekit.grading import digest
from coursekit.grading.records import HandedIn
from coursekit.grading.run.executor import Timeouts
from coursekit.grading.sandbox.limits import KernelLimits
from coursekit.grading.task import Conditions, Task, make_task
from coursekit.lessons.course import Assignment
from tests.grading.small_course import RIGHT, SECRET, answered, assignments, make_course

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's sources, which are hashed in its place."""
    copy = tmp_path / "coursekit"
    shutil.copytree(digest.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(digest, "PACKAGE", copy)
    return copy


def hashed() -> str:
    digest._hashed.cache_clear()
    return digest.of_sources()


@pytest.mark.parametrize(
    "name",
    [
        "grading/submissions/read.py", "grading/answers/recover.py", "grading/run/execute.py",
        "grading/verdict/compare.py", "grading/sandbox/limits.py", "grading/grader.py",
        "grading/records.py", "lessons/source.py", "probe.py", "checks/check.py", "labels.py",
        "metrics/label_maps.py", "models/unet.py",
    ],
)  # fmt: skip
def test_a_source_that_decides_invalidates(package: Path, name: str) -> None:
    before = hashed()
    (package / name).write_text((package / name).read_text() + "\n# a word\n")
    assert hashed() != before


@pytest.mark.parametrize(
    "name",
    [
        "cli.py", "commands/grade.py", "grading/report/summary.py", "grading/report/words.py",
        "grading/report/templates/style.css", "grading/batch.py", "grading/store.py",
        "grading/selfcheck.py", "mutation/report.py", "release/lint.py", "grading/a note.txt",
    ],
)  # fmt: skip
def test_a_source_that_decides_nothing_does_not(package: Path, name: str) -> None:
    before = hashed()
    with (package / name).open("a") as file:
        file.write("\n# a word\n")
    assert hashed() == before


def test_another_library_below_invalidates(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hashed()
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda n: "0" if n == "torch" else version(n))
    assert hashed() != before
    digest._hashed.cache_clear()


def test_a_source_that_comes_goes_or_moves_invalidates(package: Path) -> None:
    seen = {hashed()}
    (package / "grading" / "verdict" / "new.py").write_text("")
    seen.add(hashed())
    (package / "grading" / "verdict" / "new.py").rename(package / "grading" / "verdict" / "old.py")
    seen.add(hashed())
    (package / "grading" / "verdict" / "explain.py").unlink()
    assert len(seen | {hashed()}) == 4


def test_nothing_apart_is_reached_from_what_decides() -> None:
    """From the grader and from the lessons' cells no import leads to what is not hashed."""
    graph = grimp.build_graph("coursekit")
    for name in digest.APART:
        assert (digest.PACKAGE / name).exists(), name
    roots = {"coursekit.grading.grader", "coursekit.grading.run.worker", *_imported_by_lessons()}
    roots |= {m for m in graph.modules if m.startswith("coursekit.grading.sandbox.")}
    reached = roots | {m for root in roots for m in graph.find_upstream_modules(root)}
    apart = {"coursekit." + name.removesuffix(".py").replace("/", ".") for name in digest.APART}
    found = [m for m in reached if any(m == a or m.startswith(a + ".") for a in apart)]
    assert found == []


def _imported_by_lessons() -> Iterator[str]:
    for path in sorted(SOURCES.glob("[0-9]*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (a.name for a in node.names if a.name.startswith("coursekit"))
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coursekit"):
                yield str(node.module)
                there = (digest.PACKAGE.parent / str(node.module).replace(".", "/")).is_dir()
                yield from (
                    f"{node.module}.{a.name}"
                    for a in node.names
                    if there and _is_module(f"{node.module}.{a.name}")
                )


def _is_module(name: str) -> bool:
    path = digest.PACKAGE.parent / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


# --- the other things that a grade depends on ---


@pytest.fixture
def given(tmp_path: Path) -> tuple[HandedIn, Assignment]:
    course = make_course(tmp_path / "course")
    content = answered(course, RIGHT)
    return HandedIn("ada", "ada/10_light.ipynb", content), assignments(course)[0]


def digest_of(
    submission: HandedIn, assignment: Assignment, *, secret: str = SECRET, **conditions: Any
) -> str:
    task = make_task(submission, [assignment], secret, Conditions(**conditions))
    assert isinstance(task, Task)
    return task.digest


def test_all_else_that_decides_is_in_it(given: tuple[HandedIn, Assignment]) -> None:
    ada, assignment = given
    points = dict.fromkeys(assignment.points, 7)
    digests = [
        digest_of(ada, assignment),
        digest_of(replace(ada, student="Ada"), assignment),
        digest_of(replace(ada, name="ada/2.ipynb"), assignment),
        digest_of(replace(ada, notes=("Canvas says that it came late.",)), assignment),
        digest_of(replace(ada, content=(ada.content or b"") + b"\n"), assignment),
        digest_of(ada, assignment, secret=SECRET + "!"),
        digest_of(ada, replace(assignment, points=points)),
        digest_of(ada, replace(assignment, exercises=assignment.exercises[:1])),
        digest_of(ada, replace(assignment, given=(assignment.exercises[0].name,))),
        digest_of(ada, assignment, timeouts=Timeouts(cell=1.0)),
        digest_of(ada, assignment, limits=KernelLimits(memory=1 << 30)),
    ]
    assert len(set(digests)) == len(digests)


def test_how_it_was_run_is_not(given: tuple[HandedIn, Assignment]) -> None:
    assert digest_of(*given, isolation="unshare", cold=True) == digest_of(*given)
