"""`coursekit grade`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit import terminal
from coursekit.commands import command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from coursekit.grading.records import Grade
    from coursekit.lessons.course import Assignment

_TEXT = """Grade what a class handed in: folders, zips or single notebooks.

Only the answer cells of a notebook count. They are run in a sandbox, inside your own notebook, \
and what they give is compared outside of it. GRADES/index.html is the page to look at, grades.csv \
the gradebook, feedback/ a page for each student. A second run grades only what has changed."""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "grade",
        "grade a class",
        "coursekit grade submissions --out grades",
        run,
        _TEXT,
    )
    for flags, options in _ARGUMENTS:
        parser.add_argument(*flags, **options)


_ARGUMENTS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("submissions",), {"type": Path, "nargs": "+", "metavar": "SUBMISSIONS",
      "help": "a folder or zip with a folder, zip or notebook for each student, as it was "
      "downloaded; or several"}),
    (("--out",), {"type": Path, "required": True, "metavar": "GRADES",
      "help": "folder for the pages and tables"}),
    (("--assignment",), {"action": "append", "metavar": "NAME",
      "help": "only this one, such as 02_unet; default: all of the course"}),
    (("--notebooks",), {"type": Path, "default": Path("notebooks"), "metavar": "DIR",
      "help": "the folder with source/"}),
    (("--course",), {"type": Path, "metavar": "FILE",
      "help": "the course file; default: course.toml in the notebooks' folder, if it is there"}),
    (("--secret",), {"type": Path, "metavar": "FILE",
      "help": "hidden inputs are drawn from it; made if missing; default: notebooks/.secret"}),
    (("--workers",), {"type": int, "metavar": "N", "help": "at a time; default: one a core"}),
    (("--sandbox",), {"default": "auto", "metavar": "ISOLATION",
      "help": "auto, bubblewrap, unshare, or none: no protection at all"}),
    (("--cell-seconds",), {"type": float, "default": 30.0, "metavar": "S",
      "help": "seconds for one cell"}),
    (("--run-seconds",), {"type": float, "default": 90.0, "metavar": "S",
      "help": "seconds for a student's whole notebook"}),
    (("--memory",), {"type": int, "default": 2048, "metavar": "MB",
      "help": "megabytes for a student's kernel"}),
    (("--scheduler",), {"metavar": "ADDRESS",
      "help": "of dask.distributed, such as tcp://10.0.0.1:8786"}),
    (("--again",), {"action": "store_true", "help": "grade also what has not changed"}),
    (("--cold",), {"action": "store_true",
      "help": "start every kernel from nothing: slow, with the same verdicts"}),
)  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Grade, and write the pages."""
    from coursekit.grading.batch import Options, grade_class, read_secret
    from coursekit.grading.report import write_all
    from coursekit.grading.run.executor import Timeouts
    from coursekit.grading.sandbox.limits import MEBI, KernelLimits
    from coursekit.grading.task import Conditions
    from coursekit.grading.withdrawn import FOLDER, set_aside
    from coursekit.lessons.course import read_assignments

    assignments = read_assignments(
        arguments.notebooks, arguments.assignment, course=arguments.course
    )
    secret = read_secret(arguments.secret or arguments.notebooks / ".secret")
    timeouts = Timeouts(
        cell=arguments.cell_seconds,
        notebook=arguments.run_seconds,
        submission=2 * arguments.run_seconds,
    )
    conditions = Conditions(
        isolation=arguments.sandbox,
        timeouts=timeouts,
        limits=KernelLimits(memory=arguments.memory * MEBI),
        cold=arguments.cold,
    )
    options = Options(
        conditions=conditions,
        workers=arguments.workers,
        again=arguments.again,
        scheduler=arguments.scheduler,
    )
    with _Bar() as bar:
        grades = grade_class(
            arguments.submissions, arguments.out, assignments, secret, options, bar
        )
    written = write_all(grades, assignments, arguments.out)
    for path in (written.index, *written.tables):
        print(f"wrote {path}")
    print(f"wrote {len(written.feedback)} pages in {arguments.out / 'feedback'}")
    moved = set_aside(arguments.out, written.feedback.keys(), written.feedback.values())
    if moved:
        print(
            f"moved to {arguments.out / FOLDER}, of students who are not among the submissions "
            f"now: {', '.join(path.name for path in moved)}"
        )
    print(_summary(grades))
    print(_counted(written.assignments, len(assignments)))
    return 0


def _counted(counted: Sequence[Assignment], known: int) -> str:
    """What the points are out of."""
    names = ", ".join(f"{a.name} ({a.total})" for a in counted) or "nothing yet"
    left = known - len(counted)
    text = f"points are out of {names}"
    return f"{text}; nobody handed in the other {left}, and they are not due" if left else text


class _Bar:
    """Progress with the time that is left."""

    def __enter__(self) -> Callable[[int, int, Grade | None], None]:
        self._bar: Any = None
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _show(self, done: int, total: int, grade: Grade | None) -> None:
        if self._bar is None:
            if done == total:
                return
            self._bar = terminal.bar(total=total, initial=done, unit="submission")
        elif grade is not None:
            self._bar.update(1)


def _summary(grades: list[Grade]) -> str:
    graded = [g for g in grades if not g.problem]
    isolations = sorted({g.isolation for g in graded if g.isolation})
    text = f"{len(graded)} graded"
    if len(graded) < len(grades):
        text += f", {len(grades) - len(graded)} could not be (see index.html)"
    if graded:
        full = sum(g.earned == g.points for g in graded)
        text += f"; {full} with full marks; sandbox: {', '.join(isolations) or 'nothing was run'}"
    if "none" in isolations:
        text += " (students' code ran with all your rights)"
    return text
