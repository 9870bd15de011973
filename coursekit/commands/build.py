"""`coursekit build`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.commands import command

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "build",
        "make the notebooks from notebooks/source",
        "coursekit build --check",
        run,
    )
    parser.add_argument("--notebooks", default="notebooks", metavar="DIR")
    parser.add_argument("--check", action="store_true",
                        help="change nothing; exit 1 when a notebook is stale")  # fmt: skip
    parser.add_argument("--only", action="append", metavar="NAME", help="such as 02_unet")
    parser.add_argument("--student-only", action="store_true", help="do not execute anything")


def run(arguments: argparse.Namespace) -> int:
    """Build or compare."""
    from coursekit.lessons.build import build, stale

    if arguments.check:
        old = stale(arguments.notebooks, arguments.only)
        for path, reason in old:
            print(f"{path}: {reason}; run `make build`")
        return 1 if old else 0
    for path in build(arguments.notebooks, arguments.only, execute=not arguments.student_only):
        print(f"wrote {path}")
    return 0
