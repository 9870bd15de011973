"""The command line: `coursekit COMMAND`. Each command's module is light; heavy ones load late."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import TYPE_CHECKING

from coursekit import __version__, files, terminal
from coursekit.commands import add_quiet, shows_help
from coursekit.commands.parser import Parser
from coursekit.errors import CourseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

#: Modules with an `add_parser(subparsers)`, as `--help` shows them.
_COMMANDS = {
    "students": ("lab", "check", "demo", "doctor", "completion"),
    "data": ("data", "annotate"),
    "training": ("train", "evaluate", "predict"),
    "competition": ("submission",),
    "instructors": ("build", "run_lessons", "site", "release", "grade"),
}

_EXITS = """exit codes:
  0 done, 1 a check found problems, 2 something that you can mend,
  70 a fault of coursekit, 130 Ctrl-C, 141 nobody reads the output any more"""


def make_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="coursekit",
        description="A course in face parsing: lessons, data, training, submission, grading.",
        epilog=f"example:\n  coursekit demo --out out/demo\n\n{_EXITS}",
    )
    parser.add_argument("--version", action="version", version=f"coursekit {__version__}",
                        help="say which this is")  # fmt: skip
    add_quiet(parser, False)
    parser.set_defaults(handler=shows_help(parser), prog="coursekit", parser=parser)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    sections: dict[str, list[argparse.Action]] = {}
    for title, names in _COMMANDS.items():
        before = len(subparsers._choices_actions)
        for name in names:
            importlib.import_module(f"coursekit.commands.{name}").add_parser(subparsers)
        sections[title] = subparsers._choices_actions[before:]
    subparsers.sections = sections  # type: ignore[attr-defined]
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 on success; 1 when a check found problems; 2 for something that the user can mend; 70 for
        what should not happen; 130 after Ctrl-C; 141 when the reader of the output went away.
    """
    terminal.prepare()
    try:
        try:
            return _call(sys.argv[1:] if argv is None else argv)
        finally:
            terminal.flush()
    except BrokenPipeError:
        terminal.mute()
        return 141
    except OSError as error:  # what was flushed: the output's disk is full
        terminal.mute()
        print(f"coursekit: the output could not be written ({error.strerror})", file=sys.stderr)
        return 2


def _call(argv: Sequence[str]) -> int:
    words = [*argv[1:], "--help"] if argv[:1] == ["help"] else list(argv)
    arguments, rest = make_parser().parse_known_args(words)
    arguments.rest = rest or getattr(arguments, "rest", [])
    terminal.prepare(quiet=arguments.quiet)
    try:
        files.check_temporary()
        code: int = arguments.handler(arguments)
    except (CourseError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        print(f"{arguments.prog}: {_told(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{arguments.prog}: stopped by Ctrl-C", file=sys.stderr)
        return 130
    except Exception:
        traceback.print_exc()
        print(f"{arguments.prog}: a fault of coursekit; please tell us, with the lines above",
              file=sys.stderr)  # fmt: skip
        return 70
    return code


def _told(error: CourseError | OSError) -> str:
    """What the system refused, with the mend; a `CourseError` says it itself."""
    if isinstance(error, CourseError):
        return str(error)
    place = "" if error.filename is None else f"{error.filename}: "
    return f"{place}{error.strerror or error}; free some space, or name what can be read or written"
