"""A class is graded: whole, again, half-way, on a cluster, from the command line."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coursekit.errors import CourseError
from coursekit.grading import digest
from coursekit.grading.batch import Options, best_of_each, grade_class, read_secret
from coursekit.grading.records import CheckResult, Grade
from coursekit.grading.sandbox.launch import Sandbox
from tests.grading.small_course import RIGHT, SECRET, answered, assignments, hand_in, make_course


@pytest.fixture(scope="session")
def needs_sandbox() -> None:
    try:
        Sandbox().close()
    except CourseError as error:
        pytest.skip(f"no sandbox on this machine: {error}")


pytestmark = pytest.mark.usefixtures("needs_sandbox")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path)


@pytest.fixture
def handed_in(course: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    hand_in(folder, "ada", answered(course, RIGHT))
    (folder / "ada" / "lost.rar").write_bytes(b"Rar!")
    hand_in(folder, "ben", answered(course, RIGHT | {"twice": "def twice(x):\n    return x * x"}))
    deadly = "import os\ndef middle(v): ...\nos._exit(1)"
    hand_in(folder, "cem", answered(course, {"middle": deadly}))
    hand_in(folder, "dov", b"{")
    return folder


def _grade(course: Path, handed_in: Path, out: Path, **options: Any) -> dict[str, Grade]:
    done: list[str] = []
    grades = grade_class(
        handed_in, out, assignments(course), SECRET, Options(workers=2, **options),
        lambda _done, _total, grade: done.append(grade.student) if grade else None,
    )  # fmt: skip
    _grade.done = sorted(done)  # type: ignore[attr-defined]
    return {grade.student: grade for grade in grades}


def test_each_gets_what_they_earned_and_a_second_run_grades_only_what_changed(
    course: Path, handed_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "grades"
    first = _grade(course, handed_in, out)
    assert {name: grade.earned for name, grade in first.items()} == {
        "ada": 3, "ben": 2, "cem": 0, "dov": 0,
    }  # fmt: skip
    statuses = {c.check: c.status for c in first["cem"].checks}
    assert statuses == {"check-twice": "not-written", "check-middle": "dead"}
    assert first["dov"].problem and not first["ada"].public
    # The word in a file's name is no word of the grader's.
    assert [note for note in first["ada"].notes if "lost.rar" in note] == [*first["ada"].notes]
    assert first["ben"].public[0].message == "twice three is six (got 9, expected: 6)"

    assert _grade(course, handed_in, out) == first
    assert _grade.done == []  # type: ignore[attr-defined]

    hand_in(handed_in, "ben", answered(course, RIGHT))
    (next((out / "json").glob("ada*.json"))).write_text("{ half a file")
    second = _grade(course, handed_in, out)
    assert _grade.done == ["ada", "ben"]  # type: ignore[attr-defined]
    assert second["ben"].earned == 3 and second["ada"] == first["ada"]

    monkeypatch.setattr(digest, "of_sources", lambda: "of another grader")
    assert len(_grade(course, handed_in, out)) == 4
    assert _grade.done == ["ada", "ben", "cem"]  # type: ignore[attr-defined]


def test_pictures_of_any_size_cost_nothing(course: Path, tmp_path: Path) -> None:
    shows = (
        "from IPython.display import display\n"
        "for _ in range(3): display({'image/png': 'A' * 4_000_000}, raw=True)\n"
    )
    hand_in(
        tmp_path / "class",
        "ada",
        answered(course, RIGHT | {"twice": RIGHT["twice"] + "\n" + shows}),
    )
    [ada] = _grade(course, tmp_path / "class", tmp_path / "grades").values()
    assert ada.earned == 3 and ada.notes == ()


def test_a_run_that_was_killed_goes_on(course: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "class", tmp_path / "grades"
    slow = RIGHT["twice"] + "\nimport time; time.sleep(0.5)"
    for number in range(8):
        answer = RIGHT | {"twice": f"{slow}  # {number}"}
        hand_in(folder, f"student-{number}", answered(course, answer))
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    command = [sys.executable, "-m", "coursekit", "grade", folder, "--out", out, "--workers", "1"]
    command += ["--notebooks", course, "--secret", secret]
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while len(list((out / "json").glob("[!.]*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    before = {p.name: p.stat().st_mtime_ns for p in (out / "json").glob("[!.]*.json")}
    assert 2 <= len(before) < 8

    subprocess.run(command, check=True, capture_output=True)
    after = {p.name: p.stat().st_mtime_ns for p in (out / "json").glob("[!.]*.json")}
    assert len(after) == 8
    assert {name: after[name] for name in before} == before
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == [f"student-{n}" for n in range(8)]


def test_the_command_line_says_what_it_wrote(course: Path, handed_in: Path, tmp_path: Path) -> None:
    out = tmp_path / "grades"
    command = [sys.executable, "-m", "coursekit", "grade", handed_in, "--out", out]
    run = subprocess.run(
        [*command, "--notebooks", course], check=True, capture_output=True, text=True
    )
    assert f"wrote {out / 'index.html'}" in run.stdout
    assert "3 graded, 1 could not be" in run.stdout
    assert (course / ".secret").stat().st_mode & 0o777 == 0o600
    refused = subprocess.run(
        [*command, "--notebooks", course, "--sandbox", "prayer"], capture_output=True, text=True
    )
    assert refused.returncode == 2 and "--sandbox prayer" in refused.stderr


def test_several_lessons_and_a_stranger(course: Path, handed_in: Path, tmp_path: Path) -> None:
    text = (course / "source" / "10_light.py").read_text()
    for old, new in (("twice", "thrice"), ("middle", "centre"), ("2 * x", "3 * x")):
        text = text.replace(old, new)
    (course / "source" / "11_other.py").write_text(text)
    (handed_in / "eve").mkdir()
    (handed_in / "eve" / "shopping.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    command = [sys.executable, "-m", "coursekit", "grade", handed_in, "--out", tmp_path / "g"]
    run = subprocess.run(
        [*command, "--notebooks", course], check=True, capture_output=True, text=True
    )
    assert "3 graded" in run.stdout
    page = (tmp_path / "g" / "index.html").read_text()
    assert "eve" in page and "shopping.ipynb" in page
    feedback = next((tmp_path / "g" / "feedback").glob("eve*.html")).read_text()
    assert "none of the assignments" in feedback


@pytest.fixture(scope="module")
def scheduler() -> Iterator[tuple[Any, str]]:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        silence_logs=50,
    )  # fmt: skip
    yield cluster, cluster.scheduler_address
    cluster.close()


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_grades_and_a_lost_worker_costs_nothing(
    course: Path, tmp_path: Path, scheduler: tuple[Any, str]
) -> None:
    folder = tmp_path / "class"
    slow = RIGHT["twice"] + "\nimport time; time.sleep(0.3)"
    for number in range(6):
        answer = RIGHT | ({"twice": f"{slow}  # {number}"} if number else {"middle": "middle = 1"})
        hand_in(folder, f"student-{number}", answered(course, answer))
    here = _grade(course, folder, tmp_path / "here")
    cluster, address = scheduler
    killed: list[int] = []

    def lose_one(_done: int, _total: int, grade: Grade | None) -> None:
        if grade is not None and not killed:
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.process.pid)
            os.kill(worker.process.pid, signal.SIGKILL)

    there = grade_class(
        folder, tmp_path / "there", assignments(course), SECRET, Options(scheduler=address),
        lose_one,
    )  # fmt: skip
    assert killed
    assert [_verdicts(g) for g in there] == [_verdicts(here[g.student]) for g in there]
    assert len(there) == 6


def _verdicts(grade: Grade) -> tuple[str, str, list[tuple[str, str]]]:
    return grade.student, grade.digest, [(c.check, c.status) for c in grade.checks]


def test_no_scheduler_is_an_error_that_says_so(
    course: Path, handed_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coursekit.grading.cluster.PATIENCE", "1s")
    with pytest.raises(CourseError, match="no scheduler answers"):
        _grade(course, handed_in, tmp_path / "g", scheduler="tcp://127.0.0.1:9")


def _made(student: str, name: str, points: int, assignment: str = "hw") -> Grade:
    check = CheckResult("check-a", "a", 3, "passed" if points else "wrong")
    return Grade(student, name, assignment, "", "", checks=(check,) if assignment else ())


def test_of_two_notebooks_the_better_one_counts_and_nothing_is_left_out() -> None:
    strays = [_made("ada", name, 0, "") for name in ("notes", "more notes")]
    grades = best_of_each([_made("ada", "first", 0), *strays, _made("ada", "second", 3)])
    assert [(g.submission, g.earned) for g in grades] == [
        ("more notes", 0), ("notes", 0), ("second", 3),
    ]  # fmt: skip
    assert "first" in grades[2].notes[-1]
    assert best_of_each([replace(grades[2], notes=())])[0].notes == ()


def test_a_secret_is_made_once_and_a_poor_one_is_refused(tmp_path: Path) -> None:
    secret = read_secret(tmp_path / "secret")
    assert len(secret) == 64 and read_secret(tmp_path / "secret") == secret
    (tmp_path / "poor").write_text("abc")
    with pytest.raises(CourseError, match="can be guessed"):
        read_secret(tmp_path / "poor")
    shutil.rmtree(tmp_path)
