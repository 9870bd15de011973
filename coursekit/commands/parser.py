"""How the command line is read: help with defaults, errors that say what was meant."""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, NoReturn

from coursekit.terminal import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Formatter(argparse.HelpFormatter):
    """Fills each line of a text but an indented one, and says every default."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size((WIDTH, 24)).columns
        super().__init__(prog, max_help_position=24, width=max(min(columns, WIDTH), 40))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = (x if x.startswith(" ") else textwrap.fill(x, width) for x in text.split("\n"))
        return "\n".join(lines)

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        silent = any(action.default is none for none in (None, False, argparse.SUPPRESS))
        silent = silent or action.default == []
        return text if silent or "default" in text else f"{text}; default: %(default)s"

    def _format_action(self, action: argparse.Action) -> str:
        sections: dict[str, list[argparse.Action]] = getattr(action, "sections", {})
        if not sections:
            return super()._format_action(action)
        across = max(len(command.dest) for commands in sections.values() for command in commands)
        lines = []
        for title, commands in sections.items():
            lines.append(f"  {title}")
            for command in commands:
                text = textwrap.wrap(command.help or "", self._width - across - 6)
                lines.append(f"    {command.dest:<{across}}  " + f"\n{'':{across + 6}}".join(text))
        return "\n".join(lines) + "\n"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one or two lines, with what was probably meant."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": Formatter, **settings})

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """What was given, and the rest, of a command that passes it on; others refuse it."""
        found, rest = super().parse_known_args(args, namespace)
        if rest and not getattr(found, "passes_on", False):
            options = [word.partition("=")[0] for word in rest if word.startswith("-")]
            if not options:
                self.error(f"{rest[0]!r} is one word too many")
            known = [name for name in self._option_string_actions if name.startswith("--")]
            self.error(f"no option is called {options[0]}{did_you_mean(options[0], known)}")
        return found, rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        what = "a choice"
        if isinstance(action, argparse._SubParsersAction):
            what = "a command"
            known = [shown.dest for shown in action._get_subactions()]
            known += _inner_commands(action, known)
        told = did_you_mean(str(value), known) or f"; there are: {', '.join(known)}"
        raise argparse.ArgumentError(
            None if what == "a command" else action, f"{value!r} is not {what}{told}"
        )

    def error(self, message: str) -> NoReturn:
        """Say it in two lines, and exit with 2."""
        print(f"{self.prog}: {message}\n{self.prog} --help shows what there is, with an example",
              file=sys.stderr)  # fmt: skip
        raise SystemExit(2)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing when nothing is near; of several words the last decides."""
    by_last = {name.split()[-1]: name for name in reversed(list(known))}
    near = difflib.get_close_matches(word, by_last, 1)
    return f"; did you mean {by_last[near[0]]}?" if near else ""


def _inner_commands(action: Any, names: list[str]) -> list[str]:
    """Commands of groups, such as `data make`."""
    return [
        f"{name} {inner.dest}"
        for name in names
        for group in action.choices[name]._actions
        if isinstance(group, argparse._SubParsersAction)
        for inner in group._get_subactions()
    ]
