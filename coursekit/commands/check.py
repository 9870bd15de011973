"""`coursekit check`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from coursekit import terminal
from coursekit.commands import command

if TYPE_CHECKING:
    import argparse

    from coursekit.grading.selfcheck import ExerciseResult

_SAID = {
    "passed": "passes its public check",
    "borrowed": "is borrowed from the course, and brings no points",
    "failed": "fails its public check",
    "not-written": "not written yet",
    "missing": "no answer found",
    "unreadable": "is not Python",
    "error": "ends with an exception",
    "timeout": "takes too long",
    "dead": "ends the kernel",
}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "check",
        "run the public checks on the answers in your notebook",
        "coursekit check notebooks/02_unet.ipynb",
        run,
        "Finds your answers as grading does, puts them into the notebook as it was handed out, "
        "runs that in a fresh kernel, and says what each public check found and covers. Exits "
        "with 0 when all exercises that bring points pass, 1 when one does not.",
    )
    parser.add_argument("notebook", metavar="NOTEBOOK", help="your notebook")
    parser.add_argument("--assignment", metavar="NAME", help="when the notebook does not tell")
    parser.add_argument("--timeout", type=float, default=120, metavar="S",
                        help="seconds for each cell")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Check, and say what was and was not covered."""
    from coursekit.grading.selfcheck import selfcheck
    from coursekit.release.handout import when

    try:
        checked = selfcheck(
            arguments.notebook, arguments.assignment, arguments.timeout,
            lambda cell: terminal.status(f"running {cell} …"),
        )  # fmt: skip
    finally:
        terminal.status()
    print(f"{checked.assignment}: {when(checked.due)}\n")
    for finding in checked.findings:
        _print(finding)
    for note in checked.notes:
        print(f"note: {note}")
    passed = sum(finding.status == "passed" for finding in checked.findings)
    print(f"{passed} of {len(checked.findings)} exercises pass their public checks.")
    print(textwrap.fill(
        "Not covered: the hidden checks, which try other inputs and bring the points; the time and "
        "memory that grading allows. Cells that train for long and your own cells were left out, "
        "as in grading.", terminal.WIDTH))  # fmt: skip
    return 0 if checked.passed else 1


def _print(finding: ExerciseResult) -> None:
    sign = {"passed": "✓", "borrowed": "→", "not-written": "…"}.get(finding.status, "✗")
    worth = f"{finding.points} points" if finding.points != 1 else "1 point"
    worth = worth if finding.points else "practice"
    print(f"{sign} {finding.exercise} ({worth}): {_SAID[finding.status]}")
    if finding.message:
        _tell("it says", finding.message)
    for note in finding.notes:
        _tell("note", note)
    if finding.covers:
        _tell("it covers", f"{finding.covers} ({finding.comparisons} comparisons, on the inputs "
              "in its cell)")  # fmt: skip
    if finding.points:
        _tell("beyond it, grading tries", "; ".join(finding.also_tried) or "other inputs")
    print()


def _tell(what: str, text: str) -> None:
    text = f"{what}: {text}"
    print(textwrap.fill(text, terminal.WIDTH, initial_indent="    ", subsequent_indent="      "))
