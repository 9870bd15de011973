"""`coursekit run-lessons`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit import terminal
from coursekit.commands import command

if TYPE_CHECKING:
    import argparse

    from coursekit.lessons.outline import Cost
    from coursekit.lessons.rehearsal import Rehearsed


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "run-lessons",
        "run whole lessons on this machine",
        "coursekit run-lessons 00 02_unet --keep out/lessons",
        run,
        "Runs the solved lessons, each in a fresh kernel and without a window, and says how long "
        "each took and how much memory, beside what its card promises. Before a term: does the "
        "course run on the machines of the class? Exits with 1 when a cell fails, and with "
        "--strict also when a lesson took over 10 s or 100 MB more than its card says.",
    )
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="such as 02; all by default")
    parser.add_argument("--student", action="store_true",
                        help="the students' notebooks, as they are now: cells after an exercise "
                        "that is not answered may fail")  # fmt: skip
    parser.add_argument("--tier", choices=("quick", "full"), default="quick",
                        help="full: with COURSEKIT_DATA and COURSEKIT_SIZES, as long as it "
                        "takes")  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="hold the lessons to their cards")
    parser.add_argument("--keep", metavar="DIR", help="where the executed notebooks go")
    parser.add_argument("--timeout", type=float, metavar="S",
                        help="seconds for each cell; 300 on the quick tier")  # fmt: skip
    parser.add_argument("--notebooks", default="notebooks", metavar="DIR",
                        help="the folder with the lessons")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run the lessons, a line each, and say how they went."""
    from coursekit.lessons.outline import read_record
    from coursekit.lessons.rehearsal import find_lessons, rehearse

    folder = Path(arguments.notebooks)
    paths = find_lessons(folder if arguments.student else folder / "solved", arguments.lessons)
    # Cards promise something for the solved lesson on the quick tier.
    measured = read_record(folder) if arguments.tier == "quick" and not arguments.student else {}
    wrong, over, seconds = [], [], 0.0
    for path in paths:
        keep = Path(arguments.keep, path.name) if arguments.keep else None

        def step(done: int, cells: int, name: str = path.stem) -> None:
            terminal.status(f"{name}: cell {done + 1} of {cells} …")

        try:
            ran = rehearse(path, arguments.tier, timeout=arguments.timeout, keep=keep, step=step)
        finally:
            terminal.status()
        promised = measured.get(ran.name)
        fails = bool(ran.failed) and not (arguments.student and ran.ended and ran.unwritten)
        wrong += [ran.name] if fails else []
        over += [f"{ran.name} ({' and '.join(b)})"] if (b := ran.broken(promised)) else []
        seconds += ran.seconds
        print(_line(ran, promised, fails=fails), flush=True)
    failed = f", {len(wrong)} failed: {', '.join(wrong)}" if wrong else ""
    count = f"{len(paths)} lesson{'s' * (len(paths) != 1)}"
    print(f"{count} in {seconds:.0f} s: {len(paths) - len(wrong)} ran{failed}")
    if over:
        print(f"more than their cards say: {', '.join(over)}")
    return int(bool(wrong) or (arguments.strict and bool(over)))


def _line(ran: Rehearsed, promised: Cost | None, *, fails: bool) -> str:
    """One lesson; what it took stands beside what its card says."""
    said = f"{'✗' if fails else '✓'} {ran.name:<20} {ran.seconds:4.0f} s"
    if ran.cost:
        said += f", {ran.cost.seconds:3.0f} s of processor time"
        said += f" (card: {promised.seconds:.0f})" if promised else ""
        said += f", {ran.cost.megabytes:5,.0f} MB"
        said += f" (card: {promised.megabytes:,.0f})" if promised else ""
    if ran.failed:
        what = "not answered yet" if ran.unwritten else ran.why
        said += (f"\n    {len(ran.failed)} of {ran.cells} code cells end with an error; the first "
                 f"is {ran.failed[0]}: {what}")  # fmt: skip
    return said
