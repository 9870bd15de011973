"""`coursekit completion`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.commands import command

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "completion",
        "print what completes commands and options with the Tab key",
        "coursekit completion fish > ~/.config/fish/completions/coursekit.fish\n"
        '  eval "$(coursekit completion bash)"         # a line for ~/.bashrc; zsh alike',
        run,
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh"), help="your shell")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    _complete_files(arguments.parser, shtab.FILE)
    print(shtab.complete(arguments.parser, shell=arguments.shell))
    return 0


def _complete_files(parser: argparse.ArgumentParser, files: Any) -> None:
    """Complete words that are no numbers and no choice as files and folders."""
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for inner in action.choices.values():
                _complete_files(inner, files)
        elif action.nargs != 0 and action.choices is None and action.type not in (int, float):
            action.complete = files  # type: ignore[attr-defined]
