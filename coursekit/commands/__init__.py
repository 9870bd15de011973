"""The commands of the command line, one module each; none imports torch before it runs."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from coursekit.commands.parser import Formatter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def command(
    subparsers: Any,
    name: str,
    summary: str,
    example: str,
    handler: Callable[[argparse.Namespace], int] | None = None,
    text: str = "",
) -> argparse.ArgumentParser:
    """Add a command whose `--help` ends with an example.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.
        name: of the command.
        summary: one line for the list of commands.
        example: a call that works.
        handler: takes the parsed arguments and returns the exit code; None for a group of commands,
            which shows its help.
        text: what `--help` says first; the summary by default. Lines that begin with a space stay
            as they are.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=summary,
        description=text or summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=Formatter,
    )
    parser.set_defaults(handler=handler or shows_help(parser), prog=parser.prog)
    add_quiet(parser, argparse.SUPPRESS)
    return parser


def tell_left_out(sentences: Iterable[str]) -> None:
    """Name on stderr what looked like an input and was not read."""
    for sentence in sentences:
        print(f"left out: {sentence}", file=sys.stderr)


def add_quiet(parser: argparse.ArgumentParser, default: Any) -> None:
    """Add `--quiet`, which every command has, before its name and after it."""
    parser.add_argument("-q", "--quiet", action="store_true", default=default,
                        help="no progress: results, warnings and errors alone")  # fmt: skip


def shows_help(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """What a name does that is no command by itself."""

    def handler(arguments: argparse.Namespace) -> int:
        print(parser.format_help(), end="")
        return 0

    return handler


class _SetPalette(argparse.Action):
    """Says it to all that draws, by the variable that says it to lessons and widgets."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        os.environ["COURSEKIT_PALETTE"] = values


def add_palette(parser: argparse.ArgumentParser) -> None:
    """Add `--palette` to a command that draws label maps."""
    parser.add_argument(
        "--palette",
        action=_SetPalette,
        choices=("official", "safe"),  # labels.PALETTES; --help is quick without NumPy
        help="of drawn label maps: CelebAMask-HQ's own, or one that colour-blind people can read, "
        "too; default: what COURSEKIT_PALETTE says, else official",
    )
