"""The commands of the command line, one module each; none imports torch before it runs."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


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
        handler: takes the parsed arguments and returns the exit code; None for a group of commands.
        text: what `--help` says first; the summary by default.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=summary,
        description=text or summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if handler:
        parser.set_defaults(handler=handler)
    return parser


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
