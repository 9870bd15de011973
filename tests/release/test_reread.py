"""The linter's reading of a source is its own, and agrees with the one that makes notebooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.lessons.regions import parts
from coursekit.lessons.source import read_lesson
from coursekit.release.reread import GAP, Region, read_source, told
from tests.release.demo_course import write_course

SOURCES = sorted((Path(__file__).parents[2] / "notebooks" / "source").glob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_two_readings_of_a_lesson_agree(path: Path) -> None:
    read, anew = read_lesson(path).cells, read_source(path)
    assert [(c.id, c.kind) for c in read] == [(c.name, c.kind) for c in anew]
    for cell, again in zip(read, anew, strict=True):
        if cell.kind == "markdown":
            assert "\n".join(again.public).strip("\n") == cell.source.strip("\n")
            continue
        regions = [part for part in parts(cell) if part.kind != "public"]
        assert [(r.hidden, r.lines) for r in again.regions] == [
            (part.kind == "hidden", part.lines) for part in regions
        ]
        public = [line for part in parts(cell) if part.kind == "public" for line in part.lines]
        shown = [line for line in again.public if not line.endswith(GAP)]
        assert "\n".join(shown).strip("\n") == "\n".join(public).strip("\n")


def test_cells_regions_and_what_is_public(tmp_path: Path) -> None:
    cells = read_source(write_course(tmp_path / "notebooks") / "source" / "07_sums.py")
    assert [cell.name for cell in cells] == [
        "lesson-07-1", "lesson-07-2", "twice", "check-twice", "lesson-07-5", "shift",
        "check-shift", "last", "check-last", "train",
    ]  # fmt: skip
    assert [(r.cell, r.hidden, len(r.lines)) for c in cells for r in c.regions] == [
        ("twice", False, 2), ("check-twice", True, 7), ("shift", False, 3),
        ("check-shift", True, 4), ("last", False, 1), ("last", False, 1),
    ]  # fmt: skip
    answer = cells[2]
    assert answer.public[:3] == ("def twice(x):", '    """Two times x."""', f"    {GAP}")
    assert len(answer.solutions) == 1 and cells[3].solutions == ()
    assert cells[0].public[0] == "# 7 · Sums" and cells[0].kind == "markdown"


@pytest.mark.parametrize(
    ("code", "may_be_told"),
    [
        ('probe.emit("a", 1, about="one")\nprobe.emit("b", 2, "two")', {"one", "two"}),
        ('about = "one"\nprobe.emit("a", f("x"), about)\nother = "two"', {"one"}),
        ('for n, (a, about) in ((1, ("p", "x")), (2, ("q", "y"))):\n    probe.emit(a, n, about)',
         {"x", "y"}),
        ('w = "on"\nabout = f"it is {w} {3}"\nprobe.emit("a", 1, about)',
         {"it is ", "on", " ", "3"}),
        ('probe.given("drawn", lambda rng: 1)\ncheck.equal(f(2), 3, "hint")', set()),
        ("this is no Python", set()),
    ],
)  # fmt: skip
def test_what_may_be_told(code: str, may_be_told: set[str]) -> None:
    assert told([Region("07_sums", "check-x", True, tuple(code.splitlines()))]) == may_be_told
    assert told([Region("07_sums", "x", False, tuple(code.splitlines()))]) == set()
