"""A whole class: what was handed in goes through workers, and each grade is on disk at once.

A grade's file holds the digest of all that it depends on. So a second run grades only what has
changed, and a run that was killed goes on where it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.files import write_text
from coursekit.grading.answers.match import match
from coursekit.grading.grader import Workplace, ungraded
from coursekit.grading.records import Grade, Submission, from_json, to_json
from coursekit.grading.report.text import slug
from coursekit.grading.run.executor import Pace
from coursekit.grading.sandbox.limits import Limits
from coursekit.grading.submissions.collect import collect
from coursekit.grading.submissions.read import read_notebook
from coursekit.grading.verdict.judge import digest_of, digest_of_assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from coursekit.lessons.course import Assignment


@dataclass(frozen=True)
class Options:
    """How a class is graded.

    Attributes:
        workers: submissions that are graded at a time; None for one a core.
        tier: of the sandbox, or "auto".
        pace: how long things may take.
        limits: of each kernel.
        cold: see `Engine`.
        again: grade also what has not changed.
        scheduler: address of a dask scheduler; None to grade on this machine.
    """

    workers: int | None = None
    tier: str = "auto"
    pace: Pace = field(default_factory=Pace)
    limits: Limits = field(default_factory=Limits)
    cold: bool = False
    again: bool = False
    scheduler: str | None = None


@dataclass(frozen=True)
class Task:
    """A submission that is to be graded for an assignment."""

    submission: Submission
    assignment: Assignment
    digest: str


def grade_class(
    submissions: Path,
    out: Path,
    assignments: Sequence[Assignment],
    secret: str,
    options: Options,
    progress: Callable[[int, int, Grade | None], None] = lambda done, total, grade: None,
) -> list[Grade]:
    """Grade everything that was handed in.

    Args:
        submissions: a folder, a zip or a notebook.
        out: grades go to `out/json`, each as soon as it is there.
        assignments: those that may be among them.
        secret: the instructor's.
        options: how.
        progress: called with how many are done, of how many, and the last one.

    Returns:
        One grade for each student and assignment, sorted.

    Raises:
        CourseError: when nothing can be graded: no submissions, no sandbox, checks that are not
            in order, a disk that is full. What has been graded stays.
    """
    store = Store(out / "json")
    todo, grades = [], []
    for submission in collect(submissions):
        task = _task(submission, assignments, secret, options)
        if isinstance(task, Grade):
            grades.append(task)
            store.keep(task)
            continue
        known = None if options.again else store.find(task)
        if known is not None and options.tier in ("auto", known.tier):
            grades.append(known)
        else:
            todo.append(task)
    total = len(grades) + len(todo)
    progress(len(grades), total, None)
    if todo:
        with contextlib.closing(_graded(todo, assignments, secret, options)) as results:
            for grade in results:
                store.keep(grade)
                grades.append(grade)
                progress(len(grades), total, grade)
    return best_of_each(grades)


def _task(
    submission: Submission, assignments: Sequence[Assignment], secret: str, options: Options
) -> Task | Grade:
    """What is to be done; the grade, when nothing can be."""
    only = assignments[0] if len(assignments) == 1 else None
    if submission.content is None:
        return ungraded(submission, only, submission.problem)
    try:
        notebook = read_notebook(submission.content)
    except ValueError as error:
        return ungraded(submission, only, str(error))
    assignment = match(notebook, submission.name, assignments)
    if assignment is None:
        return ungraded(submission, only, "this notebook is none of the assignments")
    context = f"{digest_of_assignment(assignment, secret)}|{options.pace}|{options.limits}"
    return Task(submission, assignment, digest_of(context, submission))


def _graded(
    todo: list[Task], assignments: Sequence[Assignment], secret: str, options: Options
) -> Generator[Grade, None, None]:
    """Each grade as soon as it is there."""
    if options.scheduler is not None:
        from coursekit.grading.cluster import grade_on_cluster

        yield from grade_on_cluster(options.scheduler, todo, secret, options)
        return
    workers = options.workers or os.cpu_count() or 1
    place = Workplace(
        {t.assignment.name: t.assignment for t in todo}.values(), secret,
        tier=options.tier, pace=options.pace, limits=options.limits, cold=options.cold,
    )  # fmt: skip
    with place, ThreadPoolExecutor(min(workers, len(todo))) as pool:
        for name in dict.fromkeys(t.assignment.name for t in todo):
            place.prepare(name)  # before anything else: its errors are the instructor's
        waiting: dict[Future[Grade], Task] = {}
        left = iter(todo)
        try:
            while True:
                # Few are handed out at a time, so that Ctrl-C waits for few.
                for task in left:
                    waiting[pool.submit(grade_task, place, task)] = task
                    if len(waiting) > workers:
                        break
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    del waiting[future]
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def grade_task(place: Workplace, task: Task) -> Grade:
    """Grade one; whatever goes wrong in the grader itself is this submission's note, no more."""
    try:
        grade = place.grade(task.submission, task.assignment.name)
    except CourseError:
        raise
    except Exception as error:
        problem = f"the grader itself failed: {type(error).__name__}: {error}"[:300]
        return ungraded(task.submission, task.assignment, problem)
    return replace(grade, digest=task.digest)


def best_of_each(grades: Sequence[Grade]) -> list[Grade]:
    """One grade for each student and assignment: of several notebooks, the one with most points."""
    groups: dict[tuple[str, str], list[Grade]] = {}
    for grade in sorted(grades, key=lambda g: (g.student, g.assignment, g.submission)):
        groups.setdefault((grade.student, grade.assignment), []).append(grade)
    chosen = []
    for (student, assignment), group in groups.items():
        # What belongs to no assignment counts only where the student handed in nothing else.
        if not assignment and any(s == student and a for s, a in groups):
            continue
        best = max(group, key=lambda g: g.earned)
        if len(group) > 1:
            names = ", ".join(g.submission for g in group)
            note = f"{len(group)} notebooks were handed in ({names}); {best.submission} counts"
            best = replace(best, notes=(*best.notes, note))
        chosen.append(best)
    return chosen


class Store:
    """Grades on disk, a file each, written whole or not at all.

    Args:
        folder: it is made when the first grade comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Grade] = {}
        for path in sorted(folder.glob("*.json")):
            # A file that cannot be read is as good as none: what it held is graded again.
            with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
                grade = from_json(json.loads(path.read_text(encoding="utf-8")))
                if grade.digest:
                    self._known[grade.digest] = grade

    def find(self, task: Task) -> Grade | None:
        """The grade of an equal task."""
        return self._known.get(task.digest)

    def keep(self, grade: Grade) -> None:
        """Write a grade."""
        name = slug(f"{grade.student} {grade.assignment} {grade.submission}")
        text = json.dumps(to_json(grade), indent=1, ensure_ascii=False)
        write_text(self._folder / f"{name}.json", text + "\n")


def read_secret(path: Path) -> str:
    """The instructor's secret; made when there is none.

    Raises:
        CourseError: when it can neither be read nor written, or is too short to be one.
    """
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        secret = secrets.token_hex(32)
        write_text(path, secret + "\n")
        path.chmod(0o600)
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path}: the secret cannot be read ({error})") from error
    if len(secret) < 16:
        raise CourseError(
            f"{path}: a secret of {len(secret)} characters can be guessed; delete the file and a "
            "good one is made (grades then change where inputs are drawn from it)"
        )
    return secret
