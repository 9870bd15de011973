"""A whole class: what was handed in goes through workers, and each grade is on disk at once."""

from __future__ import annotations

import contextlib
import os
import secrets
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.files import write_text
from coursekit.grading.cluster import grade_on_cluster
from coursekit.grading.grader import Grader, grade_task
from coursekit.grading.records import Grade
from coursekit.grading.store import Store
from coursekit.grading.submissions.collect import collect
from coursekit.grading.task import Conditions, Task, make_task

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from coursekit.lessons.course import Assignment


@dataclass(frozen=True)
class Options:
    """How a class is graded.

    Attributes:
        conditions: under which each answer is run.
        workers: submissions that are graded at a time; None for one a core.
        again: grade also what has not changed.
        scheduler: address of a dask scheduler; None to grade on this machine.
    """

    conditions: Conditions = field(default_factory=Conditions)
    workers: int | None = None
    again: bool = False
    scheduler: str | None = None


def grade_class(
    submissions: Path | Sequence[Path],
    out: Path,
    assignments: Sequence[Assignment],
    secret: str,
    options: Options,
    progress: Callable[[int, int, Grade | None], None] = lambda done, total, grade: None,
) -> list[Grade]:
    """Grade everything that was handed in.

    Args:
        submissions: a folder, a zip or a notebook, or several of them.
        out: grades go to `out/json`, each as soon as it is there.
        assignments: those that may be among them.
        secret: the instructor's.
        options: how.
        progress: called with how many are done, of how many, and the last one.

    Returns:
        One grade for each student and assignment, sorted, and one for each file that could be
        graded for none.

    Raises:
        CourseError: when nothing can be graded: no submissions, no sandbox, checks that are not
            in order, a disk that is full. What has been graded stays.
    """
    store = Store(out / "json")
    todo, grades = [], []
    paths = [submissions] if isinstance(submissions, Path) else submissions
    for submission in collect(*paths):
        task = make_task(submission, assignments, secret, options.conditions)
        if isinstance(task, Grade):
            grades.append(task)
            store.keep(task)
            continue
        known = None if options.again else store.find(task.digest)
        if known is not None and options.conditions.isolation in ("auto", known.isolation):
            grades.append(known)
        else:
            todo.append(task)
    total = len(grades) + len(todo)
    progress(len(grades), total, None)
    if todo:
        with contextlib.closing(_graded(todo, secret, options)) as results:
            for grade in results:
                store.keep(grade)
                grades.append(grade)
                progress(len(grades), total, grade)
    return best_of_each(grades)


def _graded(todo: list[Task], secret: str, options: Options) -> Generator[Grade, None, None]:
    """Each grade as soon as it is there."""
    if options.scheduler is not None:
        yield from grade_on_cluster(options.scheduler, todo, secret, options.conditions)
        return
    workers = options.workers or os.cpu_count() or 1
    assignments = {t.assignment.name: t.assignment for t in todo}
    grader = Grader(assignments.values(), secret, options.conditions)
    with grader, ThreadPoolExecutor(min(workers, len(todo))) as pool:
        for name in assignments:
            grader.prepare(name)  # before anything else: its errors are the instructor's
        waiting: set[Future[Grade]] = set()
        left = iter(todo)
        try:
            while True:
                # Few are handed out at a time, so that Ctrl-C waits for few.
                for task in left:
                    waiting.add(pool.submit(grade_task, grader, task))
                    if len(waiting) > workers:
                        break
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    waiting.remove(future)
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def best_of_each(grades: Sequence[Grade]) -> list[Grade]:
    """One grade for each student and assignment: of several notebooks, the one with most points.

    What belongs to no assignment stays as it is: nothing is left out without a word.
    """
    groups: dict[tuple[str, ...], list[Grade]] = {}
    for grade in sorted(grades, key=lambda g: (g.student, g.assignment, g.submission)):
        alone = () if grade.assignment else (grade.submission,)
        groups.setdefault((grade.student, grade.assignment, *alone), []).append(grade)
    chosen = []
    for group in groups.values():
        best = max(group, key=lambda g: (g.earned, not g.problem))
        if len(group) > 1:
            names = ", ".join(g.submission for g in group)
            note = f"{len(group)} notebooks were handed in ({names}); {best.submission} counts"
            best = replace(best, notes=(*best.notes, note))
        chosen.append(best)
    return chosen


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
