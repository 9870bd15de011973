"""Trying answers on both halves of a lesson's checks, thousands of them.

One process (`stage`) runs the lesson's cells and tries the answers; here it is started and asked.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import IO, TYPE_CHECKING

from coursekit import names, parts
from coursekit.checks.rules import declared
from coursekit.errors import CourseError
from coursekit.lessons.execution import ONE_THREAD, quick_environment
from coursekit.lessons.regions import hidden_text
from coursekit.lessons.source import SLOW
from coursekit.mutation.forked import Ending
from coursekit.mutation.stage import Plan
from coursekit.temporary import in_memory, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from coursekit.lessons.source import Exercise, Lesson

#: Seconds of processor time for one half of the checks of one answer.
SECONDS = 20.0
# Bytes for what answers and checks write, many small files; a lesson needs a tenth of it.
_ROOM = 2 * 2**30
# A fork copies the table of all pages; where Linux makes huge ones of 512, it takes half the time.
# Elsewhere this changes nothing.
_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "PYTHONMALLOC": "malloc"}


@dataclass(frozen=True)
class Trial:
    """An answer to an exercise.

    Attributes:
        exercise: its name.
        code: what takes the place of its answer cell.
        right: whether its author says that both halves let it pass, or neither does. Such answers
            are tried together; what ends otherwise is tried again on its own, as is what nothing is
            said of.
        words: of the message that must name a wrong one's mistake; without them it is tried again.
    """

    exercise: str
    code: str
    right: bool | None = None
    words: str = ""


@dataclass(frozen=True)
class Tried:
    """How a trial went.

    Attributes:
        public: how the public half of the checks ended.
        hidden: how running the hidden half ended.
        reasons: what the comparison found wrong, of the checks up to the first that found anything.
    """

    public: Ending
    hidden: Ending
    reasons: tuple[str, ...] = ()

    @property
    def passed_public(self) -> bool:
        """Whether the public half let it pass."""
        return self.public.kind == "passed"

    @property
    def passed_hidden(self) -> bool:
        """Whether the hidden half did."""
        return self.hidden.kind == "passed" and not self.reasons


def try_answers(
    lesson: Lesson,
    trials: Sequence[Trial],
    workers: int | None = None,
    seconds: float = SECONDS,
    *,
    places: bool = False,
) -> Iterator[tuple[int, Tried]]:
    """Try answers in a process that runs those other cells of the lesson that they build on.

    Args:
        lesson: whose checks to try them on.
        trials: the answers.
        workers: how many to try at a time; as many as there are processors by default.
        seconds: of processor time for each half.
        places: whether the public half says where to look, too (`coursekit.checks.nearest`), which
            takes seconds.

    Yields:
        The number of a trial and how it went, in the order in which they end.

    Raises:
        CourseError: when a cell of the lesson fails, or a hidden half is not in order.
    """
    plans = {e.name: _plan(lesson, e) for e in lesson.exercises}
    job = {
        "cells": _needed(lesson, plans, [trial.code for trial in trials]),
        "exercises": {name: vars(plan) for name, plan in plans.items()},
        "trials": [(t.exercise, t.code, t.right, t.words) for t in trials],
        "parts": f"{parts.__name__}.{lesson.name[3:]}",
        "workers": workers or os.cpu_count() or 1,
        "seconds": seconds,
        "places": places,
    }
    with temporary_folder(in_memory(_ROOM)) as scratch:
        (scratch / "job.json").write_text(json.dumps(job), encoding="utf-8")
        try:
            yield from _listen(_ask(scratch), lesson)
        except CourseError:
            raise
        except BaseException:  # it may still be at it
            _forget()
            raise


def _needed(
    lesson: Lesson, plans: Mapping[str, Plan], answers: Iterable[str]
) -> list[tuple[str, str]]:
    """The cells up to the last exercise that an answer or a check takes names from."""
    code = [c for c in lesson.solved() if c.kind == "code" and SLOW not in c.tags]
    taken = set().union(*map(names.taken, answers))
    needed: list[tuple[str, str]] = []
    for cell in reversed(code):
        if plan := plans.get(cell.id):
            texts = [plan.solution, *(source for _, source in (*plan.public, *plan.hidden))]
        elif needed and names.defined(cell.source) & taken:
            texts = [cell.source]
        else:
            continue
        taken |= set().union(*map(names.taken, texts))
        needed.append((cell.id, cell.source))
    return needed[::-1]


@cache
def _process() -> subprocess.Popen[str]:
    """The process that tries answers, with what lessons import loaded; one for all lessons."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COURSEKIT_")}
    # Forks of a process whose libraries have started threads would wait for them for ever.
    environment = {**kept, "MPLBACKEND": "agg", **ONE_THREAD, **_HUGE_PAGES}
    environment["PYTHONHASHSEED"] = "0"  # as in the lessons' kernels
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    atexit.register(_forget)
    return subprocess.Popen(
        [sys.executable, "-m", "coursekit.mutation.stage"], env=environment, text=True,
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def _ask(folder: Path) -> IO[str]:
    """Let it do the job in a folder; what it tells."""
    process = _process()
    assert process.stdin is not None and process.stdout is not None
    asked = {"folder": str(folder), "environment": quick_environment(str(folder))}
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    return process.stdout


def _forget() -> None:
    """End it, whatever it does; the next lesson has another."""
    if _process.cache_info().currsize:
        with _process() as process, contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its forks, too
        _process.cache_clear()


def _listen(told: IO[str], lesson: Lesson) -> Iterator[tuple[int, Tried]]:
    problem = ended = None
    for line in told:
        said = json.loads(line)
        if (ended := said.get("ended")) is not None:
            break
        if "problem" in said:
            problem = said["problem"]
            continue
        public, hidden = (Ending(**said[half]) for half in ("public", "hidden"))
        yield said["number"], Tried(public, hidden, tuple(said["reasons"]))
    if ended is None:
        _forget()
    if problem or ended != 0:
        why = problem or "its cells ended the process that ran them"
        raise CourseError(f"{lesson.path}: {why}")


def _plan(lesson: Lesson, exercise: Exercise) -> Plan:
    regions = [(check.id, hidden_text(check)) for check in exercise.checks]
    for name, region in regions:
        if not region:
            raise CourseError(f"{lesson.path}: {name} has no hidden half; let it emit what cannot "
                              "be guessed")  # fmt: skip
    checks = [name for name, _ in regions]
    code = [c for c in lesson.solved() if c.kind == "code"]
    places = {cell.id: i for i, cell in enumerate(code)}
    last = max(places.get(name, 0) for name in checks)
    between = code[places[exercise.name] + 1 : last + 1]
    public = [(c.id, c.source) for c in between if SLOW not in c.tags]
    rules = [(r.name, r.because) for check in exercise.checks for r in declared(check.source)]
    hidden = [c for c in public if c[0] not in checks] + regions
    return Plan(public, hidden, checks, rules, code[places[exercise.name]].source)
