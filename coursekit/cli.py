"""The command line: `coursekit COMMAND`. Each command's module is light; heavy ones load late."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING

from coursekit import __version__
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Modules with an `add_parser(subparsers)`, in the order in which `--help` shows them.
_COMMANDS = (
    "coursekit.commands.doctor",
    "coursekit.commands.demo",
    "coursekit.commands.lab",
    "coursekit.commands.data",
    "coursekit.commands.train",
    "coursekit.commands.evaluate",
    "coursekit.commands.predict",
    "coursekit.commands.submission",
    "coursekit.commands.build",
    "coursekit.commands.release",
    "coursekit.commands.check",
    "coursekit.commands.grade",
)


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="coursekit",
        description="A course in face parsing: data, training, submission.",
        epilog="example:\n  coursekit demo --out out/demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"coursekit {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in _COMMANDS:
        importlib.import_module(name).add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 on success; 1 when a check found problems; 2 for something that the user can mend;
        130 after Ctrl-C.
    """
    arguments = make_parser().parse_args(argv)
    try:
        code: int = arguments.handler(arguments)
    except CourseError as error:
        print(f"coursekit {arguments.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\ncoursekit {arguments.command}: stopped by Ctrl-C", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) went away; give Python nothing to complain about at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code
