"""Some of the corpus; `python -m tests.grading.corpus` grades all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.grading.grader import Grader
from coursekit.grading.records import STATUSES
from coursekit.grading.run.assemble import hidden_notebook
from coursekit.grading.run.executor import Timeouts
from tests.grading.corpus.around import AROUND
from tests.grading.corpus.kinds import ALL, EXERCISES, RIGHT, WRONG, Entry, assignment
from tests.grading.corpus.play import ATTACKS, CANARY, ENTRIES, HONEST, Outcome, grader, play
from tests.grading.corpus.theft import HOOK

#: Generous: on a busy machine an honest cell takes several times as long.
TIMEOUTS = Timeouts(cell=8.0, notebook=40.0, submission=120.0)
SOME = (
    "ast-transformer", "lying-subclass", "patched-emit", "fake-module", "read-other-kernels",
    "tcp", "leak-files", "exit-in-check", "loop-deaf", "forged-ok-exit", "markers",
    "script-injection", "zip-traversal", "homoglyphs",
    "carry-hook", "carry-thread", "net-table-forged", "spoil-from-given",
    "the-solution", "noise", "trials", "colab", "split", "windows", "half-done",
    "builtin-range", "needless-between", "own-alias", "way-two-faces",
    "borrow-within", "borrow-globals", "borrow-compared", "borrow-removed",
)  # fmt: skip


@pytest.fixture(scope="module")
def place() -> Iterator[Grader]:
    with grader("auto", TIMEOUTS) as made:
        try:
            made.prepare(assignment().name)
        except CourseError as error:
            pytest.skip(f"this machine has no sandbox: {str(error).splitlines()[-2]}")
        yield made


@pytest.fixture(scope="module")
def outcomes(place: Grader) -> dict[str, Outcome]:
    """The entries of `SOME`, graded in one sandbox, two at a time."""
    entries = [entry for entry in ENTRIES if entry.name in SOME]
    with ThreadPoolExecutor(2) as pool:
        return {o.name: o for o in pool.map(lambda entry: play(place, entry, TIMEOUTS), entries)}


@pytest.mark.parametrize("name", SOME)
def test_the_verdict_is_as_expected(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes[name].wrong == (), outcomes[name].got


def test_the_corpus_is_in_order() -> None:
    assert [n for n, often in Counter(e.name for e in ENTRIES).items() if often > 1] == []
    assert len(ATTACKS) >= 75 and len(HONEST) >= 30 and len(AROUND) >= 24
    assert all(entry.loses and entry.loses.isdisjoint(entry.free) for entry in ATTACKS)
    assert all(entry.loses | entry.free <= ALL for entry in ENTRIES)
    assert all(entry.statuses <= STATUSES.keys() for entry in ENTRIES)
    assert set(SOME) <= {entry.name for entry in ENTRIES}
    assert not any(entry.slow for entry in ENTRIES if entry.name in SOME)


def test_a_grader_that_is_wrong_is_found_out(place: Grader) -> None:
    honest = next(e for e in HONEST if e.name == "the-solution")
    claims = Entry("claims", "", honest.make, frozenset({"paint"}), earned=3)
    assert play(place, claims, TIMEOUTS).wrong == ("paint passed", "12 points, not 3")


def test_leaks_have_something_to_leak(place: Grader, tmp_path: Path) -> None:
    """Their hook does see hidden text, in the run whose outputs nobody keeps."""
    shows = f"{HOOK}\n{RIGHT['paint'].replace('return', 'print(_secret()); return')}"
    executor, reference = place._executor(), place.prepare(assignment().name)
    run = executor.run(
        hidden_notebook(assignment(), {"paint": shows}), tmp_path / "p",
        given=(reference.folder / "given", "hidden-check-paint"), keep_outputs=True,
    )  # fmt: skip
    assert run.cells["hidden-check-paint"] == "passed"
    assert CANARY in str(run.outputs["hidden-check-paint"])
    assert sum(CANARY in str(cell.source) for cell in assignment().lesson.cells) == 7


def test_wrong_answers_are_for_all_exercises() -> None:
    assert RIGHT.keys() == WRONG.keys() == set(EXERCISES)
