"""`coursekit build`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit import terminal
from coursekit.commands import command

if TYPE_CHECKING:
    import argparse

    from coursekit.lessons.outline import Cost


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "build",
        "make the notebooks from notebooks/source",
        "coursekit build --check",
        run,
    )
    parser.add_argument("--notebooks", default="notebooks", metavar="DIR",
                        help="the folder with source/")  # fmt: skip
    parser.add_argument("--check", action="store_true",
                        help="change nothing; exit 1 when a notebook is stale")  # fmt: skip
    parser.add_argument("--only", action="append", metavar="NAME", help="such as 02_unet")
    parser.add_argument("--text-only", action="store_true",
                        help="execute nothing: solved notebooks whose code is as it was keep their "
                        "outputs")  # fmt: skip
    parser.add_argument("--mutate", action="store_true",
                        help="write nothing; plant bugs in the solutions and see whether the "
                        "checks notice; exit 1 when a half misses many, or when one passes the "
                        "public half and fails the hidden one")  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="what --mutate found, as data")


def run(arguments: argparse.Namespace) -> int:
    """Build, compare, or try the checks."""
    from coursekit.lessons.build import build, stale

    if arguments.mutate:
        return _mutate(arguments)
    if arguments.check:
        old = stale(arguments.notebooks, arguments.only)
        for path, reason in old:
            print(f"{path}: {reason}; run `make build`")
        return 1 if old else 0
    executes = not arguments.text_only
    for path in build(arguments.notebooks, arguments.only, execute=executes, measured=_measured):
        print(f"wrote {path}")
    if arguments.text_only:
        for path, reason in stale(arguments.notebooks, arguments.only):
            print(f"left {path}, which {reason}: build it without --text-only")
    return 0


def _measured(name: str, cost: Cost) -> None:
    from coursekit.lessons.execution import MOST_SECONDS

    print(f"{name}: its replay took {cost.seconds:.0f} s of processor time, at most "
          f"{MOST_SECONDS}; {cost.megabytes:,.0f} MB of memory")  # fmt: skip


def _mutate(arguments: argparse.Namespace) -> int:
    import json
    from pathlib import Path

    from coursekit.files import write_text
    from coursekit.lessons.build import find_sources
    from coursekit.lessons.source import read_lesson
    from coursekit.mutation.answers import read_answers
    from coursekit.mutation.report import LEAST_SCORE, as_data, as_text, examine, score

    found = {}
    for path in find_sources(Path(arguments.notebooks), arguments.only):
        lesson = read_lesson(path)
        with terminal.bar(what=lesson.name, unit="answer") as bar:

            def step(total: int, bar: Any = bar) -> None:
                bar.total = total
                bar.update()

            found[lesson.name] = examine(lesson, read_answers(lesson), step=step)
        print(as_text(lesson.name, found[lesson.name]))
    everything = [tally for tallies in found.values() for tally in tallies]
    problems = sum(len(tally.problems) for tally in everything)
    between = sum(len(tally.between) for tally in everything)
    scores = {half: score(everything, half) for half in ("hidden", "public")}
    print(f"{sum(t.mutants for t in everything):,} bugs; noticed by the hidden halves: "
          f"{scores['hidden']:.1%}, by the public ones: {scores['public']:.1%}; "
          f"{between} between the halves; {problems} problems")  # fmt: skip
    if arguments.json:
        lessons = {name: as_data(tallies) for name, tallies in found.items()}
        found_data = {**scores, "between": between, "lessons": lessons}
        write_text(arguments.json, json.dumps(found_data, indent=1) + "\n")
        print(f"wrote {arguments.json}")
    return 1 if problems or between or min(scores.values()) < LEAST_SCORE else 0
