"""The process in which answers are tried: it runs cells of a lesson, and forks to try answers.

It begins with what lessons import loaded, and forks for each lesson, so that nobody waits for torch
again. At each exercise the lesson's fork forks for some answers together. Each of them runs the
public half of the checks and then, in another folder, with the names, the environment and the
random numbers that it began with, the hidden half, up to the first emission that is not as it
should be: the answer is caught, and the rest would only cost.
What answers in one fork share all the same is what they change in objects that were there before:
attributes of a class, patches of a library, threads. So the last of them is one that is right: if
it does not pass both halves, in which it emits what the solution does, or if numbers that the
lesson holds are not what they were, all of them are tried again, each in a fork of its own. So is
every answer that does not end as its author says, and there, where the halves disagree, or the
first ended the process, the hidden half has a fork of its own.
This is for authors and trusts the answers; grading runs strangers' code elsewhere.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import linecache
import os
import sys
import tempfile
import traceback
import types
import warnings
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.checks.borrowing import BORROWED, borrows
from coursekit.checks.failed import CheckFailed
from coursekit.checks.nearest import in_its_check, say_where
from coursekit.checks.rules import Rule, broken
from coursekit.checks.state import State, contents
from coursekit.errors import CourseError
from coursekit.grading.verdict.compare import compare_records, records
from coursekit.grading.verdict.proof import proves
from coursekit.mutation.forked import Ending, run_forked
from coursekit.mutation.quicker import quicken
from coursekit.probe import FOLDER, SECRET, Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

_SECRETS = "one", "another"
# What most lessons import, the compiler that the first optimiser imports among it.
_LOADED = (
    "IPython.display", "matplotlib.pyplot", "torch._dynamo", "coursekit.training",
    "segmentation_models_pytorch",
)  # fmt: skip

# Answers that share a fork, at most: with more, it is soon they who cost, and no longer the fork.
_TOGETHER = 16


class _CaughtError(BaseException):
    """An answer is caught; no check's own `except Exception` takes it for the answer's."""


@dataclass(frozen=True)
class _Answer:
    """What to try: its number among the job's trials, its code, whether it is right (if known).

    And the words that the message of a wrong one must have.
    """

    number: int | None
    code: str
    right: bool | None
    words: str = ""


@dataclass(frozen=True)
class Plan:
    """What is run after an answer; (name, source) of each cell.

    Attributes:
        public: up to the last check, with the public halves.
        hidden: the same cells but checks, then the hidden halves.
        checks: their names.
        rules: what they forbid, (name, because).
        solution: the lesson's own answer.
    """

    public: list[tuple[str, str]]
    hidden: list[tuple[str, str]]
    checks: list[str]
    rules: list[tuple[str, str]]
    solution: str


def main() -> None:
    """Do the jobs whose folders stdin names, a line of JSON for each (see `trial`).

    Tells on stdout of each trial, and when a job has ended, in lines of JSON.
    """
    told = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # what else is printed
    _import([*_LOADED])
    quicken()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        if not (process := os.fork()):
            os.environ.update(asked["environment"])
            os.chdir(asked["folder"])
            tempfile.tempdir = asked["folder"]
            _do_job(told)
        _, status = os.waitpid(process, 0)
        told.write(json.dumps({"ended": os.waitstatus_to_exitcode(status)}) + "\n")
    os._exit(0)  # libraries have more to say at the end than anybody wants to hear


def _do_job(told: TextIO) -> None:
    try:
        job = json.loads(Path("job.json").read_text(encoding="utf-8"))
        for line in _run_lesson(job):
            told.write(json.dumps(line) + "\n")
    except CourseError as error:
        told.write(json.dumps({"problem": str(error)}) + "\n")
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    told.flush()
    os._exit(0)


def _run_lesson(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    module = types.ModuleType("lesson")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    _import([job["parts"]])  # or all answers that borrow would wait for it
    for name, source in job["cells"]:
        if name in job["exercises"]:
            stage = _Stage(name, Plan(**job["exercises"][name]), vars(module), job)
            stage.prepare()
            yield from stage.try_all(
                [
                    _Answer(number, code, right, words)
                    for number, (exercise, code, right, words) in enumerate(job["trials"])
                    if exercise == name
                ]
            )
        _run_solved(name, source, vars(module))


class _Stage:
    """The lesson's process, about to run an answer cell."""

    def __init__(self, name: str, plan: Plan, names: dict[str, Any], job: dict[str, Any]) -> None:
        self.name, self.plan, self.names, self.job = name, plan, names, job
        self.start = State(names)
        self.records: dict[str, dict[str, Any]] = {}  # of each check, of the first reference
        self.references = [Path(tempfile.mkdtemp(dir=Path.cwd())) for _ in _SECRETS]

    def prepare(self) -> None:
        """Run the hidden half on the solution, under two secrets."""
        solution, first, second = self.plan.solution, *self.references
        for folder, secret in zip(self.references, _SECRETS, strict=True):
            noted = folder / "modules.json"
            task = [self._hidden(solution, folder, secret)]
            # What both halves import, such as an optimiser's two seconds, nobody waits for again.
            task += [self._public(solution), partial(_note, noted)] if folder is first else []
            for _, (ending, *_) in self._forked([task]):
                if ending.kind != "passed":
                    raise CourseError(f"{self.name}: the hidden half ends with {ending.kind} on "
                                      f"the solution: {ending.message}")  # fmt: skip
            if noted.is_file():
                _import(json.loads(noted.read_text()))
        for check in self.plan.checks:
            if not proves(first, second, check):
                raise CourseError(f"{check}: all that its hidden half emits can be made up; let "
                                  "results depend on what is drawn")  # fmt: skip
        self.records = {check: records(first, check) for check in self.plan.checks}

    def try_all(self, answers: list[_Answer]) -> Iterator[dict[str, Any]]:
        """Try answers on both halves."""
        for name, source in (*self.plan.public, *self.plan.hidden):
            _compiled(name, source)  # once, before the forks
        for answer in answers:
            borrows(answer.code, self.name)  # checks ask, too
        self.contents = contents(self.names)
        alone = [answer for answer in answers if answer.right is None]
        groups = self._groups(answers)
        folders = [[self._folder() for _ in group] for group in groups]
        tasks = [
            [act for pair in zip(*both, strict=True) for act in self._both(*pair)] + [self._intact]
            for both in zip(groups, folders, strict=True)
        ]
        for place, endings in self._forked(tasks):
            group = groups[place]
            ended = [*endings, *[Ending("dead")] * (2 * len(group) + 1 - len(endings))]
            intact = ended.pop()
            halves = zip(group, folders[place], ended[::2], ended[1::2], strict=True)
            told = [self._told(*each) for each in halves]
            # What came before the last left nothing behind, in what checks use or the lesson has.
            sound = _as_expected(group[-1], told[-1]) and intact.kind == "passed"
            for answer, line in zip(group, told, strict=True):
                if answer.number is None:
                    continue
                if sound and _as_expected(answer, line):
                    yield line
                else:
                    alone.append(answer)
        yield from self._try_alone(alone)

    def _intact(self) -> None:
        self.start.restore(self.names)
        if contents(self.names) != self.contents:
            raise CourseError("an answer has changed numbers that the lesson holds")

    def _groups(self, answers: list[_Answer]) -> list[list[_Answer]]:
        """Answers that share a fork; the last of each group is right."""
        right, wrong = ([a for a in answers if a.right is kind] for kind in (True, False))
        known = len(right) + len(wrong)
        number = min(known, max(self.job["workers"], -(-known // _TOGETHER)))
        solution = [_Answer(None, self.plan.solution, right=True)]
        return [wrong[i::number] + (right[i::number] or solution) for i in range(number)]

    def _try_alone(self, answers: list[_Answer]) -> Iterator[dict[str, Any]]:
        """Try each in a fork of its own; the hidden half in another, where the halves disagree."""
        folders = [self._folder() for _ in answers]
        both = [self._both(*pair) for pair in zip(answers, folders, strict=True)]
        doubtful: list[tuple[int, Ending]] = []
        for place, (public, *rest) in self._forked(both):
            hidden = rest[0] if rest else Ending("dead")
            told = self._told(answers[place], folders[place], public, hidden)
            if rest and _passed(told) == (public.kind == "passed"):
                yield told
            else:
                doubtful.append((place, public))
        again = [self._folder() for _ in doubtful]
        hidden_halves = [
            [self._hidden(answers[place].code, folder)]
            for (place, _), folder in zip(doubtful, again, strict=True)
        ]
        for number, (hidden,) in self._forked(hidden_halves):
            place, public = doubtful[number]
            yield self._told(answers[place], again[number], public, hidden)

    def _both(self, answer: _Answer, folder: Path) -> list[Callable[[], None]]:
        return [self._public(answer.code), self._hidden(answer.code, folder)]

    def _told(
        self, answer: _Answer, folder: Path, public: Ending, hidden: Ending
    ) -> dict[str, Any]:
        reasons = self._reasons(answer.code, folder)
        return {
            "number": answer.number, "reasons": reasons,
            "public": vars(public), "hidden": vars(hidden),
        }  # fmt: skip

    def _reasons(self, answer: str, folder: Path) -> list[str]:
        for check in self.plan.checks:
            wanted = self.records[check]
            status, reasons = compare_records(wanted, self.references[0], folder, check)
            if status != "passed":
                return list(reasons or [status])
        rule = broken(answer, [Rule(*r) for r in self.plan.rules], self.plan.solution)
        found = [] if rule is None else [str(rule)]
        return found + ([BORROWED] if borrows(answer, self.name) else [])

    def _folder(self) -> Path:
        """For what the hidden half of a student's kernel is given and emits."""
        folder = Path(tempfile.mkdtemp(dir=Path.cwd()))
        (folder / "given").symlink_to(self.references[0] / "given")
        return folder

    def _public(self, answer: str) -> Callable[[], None]:
        return lambda: self._run(answer, self.plan.public, places=self.job["places"])

    def _hidden(self, answer: str, folder: Path, secret: str | None = None) -> Callable[[], None]:
        probe = {FOLDER: str(folder)} | ({SECRET: secret} if secret else {})
        if secret:
            return lambda: self._run(answer, self.plan.hidden, probe)
        return lambda: self._run_watched(answer, folder, probe)

    def _run_watched(self, answer: str, folder: Path, probe: dict[str, str]) -> None:
        """Run the hidden half up to the first emission that is not as it should be."""
        emit = Probe.emit

        def watched(self_: Probe, name: str, *args: Any, **kwargs: Any) -> None:
            emit(self_, name, *args, **kwargs)
            check, wanted = self_.check, self.records[self_.check].get(name)
            one = {name: wanted} if wanted else {}
            if one and compare_records(one, self.references[0], folder, check)[0] != "passed":
                raise _CaughtError

        Probe.emit = watched  # type: ignore[method-assign, assignment]
        try:
            self._run(answer, self.plan.hidden, probe)
        except _CaughtError:
            pass
        finally:
            Probe.emit = emit  # type: ignore[method-assign]

    def _run(
        self,
        answer: str,
        cells: list[tuple[str, str]],
        probe: dict[str, str] | None = None,
        *,
        places: bool = False,
    ) -> None:
        self.start.restore(self.names)
        os.environ.update(probe or {})
        execute(self.name, answer, self.names)
        for name, source in cells:
            try:
                execute(name, source, self.names)
            except CheckFailed as error:
                if places:
                    say_where(error)
                raise
            except Exception as error:
                words = in_its_check(error, self.name) if places else ""
                if words:
                    raise CheckFailed(self.name, words) from error
                raise

    def _forked(
        self, tasks: list[list[Callable[[], None]]]
    ) -> Iterator[tuple[int, tuple[Ending, ...]]]:
        gc.collect()
        gc.freeze()  # or every fork copies the memory that it looks through
        return run_forked(tasks, self.job["workers"], self.job["seconds"])


def _passed(told: dict[str, Any]) -> bool:
    """Whether an answer passes the hidden half, for full points."""
    return told["hidden"]["kind"] == "passed" and not told["reasons"]


def _as_expected(answer: _Answer, told: dict[str, Any]) -> bool:
    """Whether an answer passes both halves, if it is right; if not, neither, and is told why."""
    public = told["public"]["kind"] == "passed"
    if not answer.right:
        said = told["public"]["message"].lower()
        return not public and not _passed(told) and answer.words.lower() in said
    hidden = told["hidden"]["kind"] == "passed" and not set(told["reasons"]) - {BORROWED}
    return public and hidden  # what only calls the package's own is as right


def _note(file: Path) -> None:
    """Write down what this process has imported."""
    file.write_text(json.dumps([*sys.modules]))


def _import(names: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            if name not in sys.modules:
                with contextlib.suppress(Exception):  # some are no modules that one can import
                    importlib.import_module(name)


def execute(name: str, source: str, names: dict[str, Any]) -> None:
    """Execute a cell; tracebacks show its lines."""
    filename = f"<cell {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(_compiled(name, source), names)  # noqa: S102


@cache
def _compiled(name: str, source: str) -> types.CodeType:
    return compile(source, f"<cell {name}>", "exec", dont_inherit=True)


def _run_solved(name: str, source: str, names: dict[str, Any]) -> None:
    try:
        with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere:
            warnings.simplefilter("error")
            with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
                execute(name, source, names)
    except Exception as error:  # whatever a cell may raise
        raise CourseError(f"cell {name} fails ({type(error).__name__}: {error})") from error


if __name__ == "__main__":
    main()
