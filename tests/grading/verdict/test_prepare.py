"""Checks that anybody could forge are refused, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coursekit.errors import CourseError
from coursekit.grading.verdict import prepare, proof
from tests.grading.small_course import SECRET, assignments, make_course


def required(
    folder: Path, monkeypatch: pytest.MonkeyPatch, same: list[set[str]], emitted: int = 1
) -> list[str]:
    """The secrets that are tried, when these checks emit the same with each of the others."""
    tried: list[str] = []
    [given] = assignments(make_course(folder))

    def run(*arguments: Any) -> None:
        tried.append(arguments[3])
        arguments[4].mkdir()

    def unproved(first: Path, second: Path, check: str) -> tuple[str, ...]:
        return ("0",) if check in same[len(tried) - 1] else ()

    monkeypatch.setattr(prepare, "_reference_run", run)
    for place in (prepare, proof):
        monkeypatch.setattr(place, "unproved", unproved)
    for check in given.points if emitted else ():
        (folder / "probe" / "emitted" / check).mkdir(parents=True)
        (folder / "probe" / "emitted" / check / "0.json").write_text('{"about": "its value"}')
    executor: Any = None
    prepare._require_proof(executor, given, {}, SECRET, folder / "probe")
    return tried


BOTH = {"check-twice", "check-middle"}


def test_one_other_secret_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert required(tmp_path, monkeypatch, [set()]) == [SECRET + "'"]


def test_two_secrets_may_draw_the_same_by_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = required(tmp_path, monkeypatch, [BOTH, {"check-twice"}, {"check-middle"}])
    assert tried == [SECRET + "'" * n for n in (1, 2, 3)]


def test_what_is_always_the_same_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CourseError, match="all that check-middle emits can be made up"):
        required(tmp_path, monkeypatch, [BOTH, BOTH, {"check-middle"}])


def test_what_emits_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CourseError, match="check-twice emit nothing"):
        required(tmp_path, monkeypatch, [], emitted=0)
