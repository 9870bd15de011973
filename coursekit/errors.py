"""One error for what a user can mend: it says what is wrong, where, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class CourseError(ValueError):
    """Something outside the program is wrong: a folder, a file, an argument.

    The command line prints its message without a traceback and exits with 2; so the message must
    name the file or the argument, what is wrong with it, and the mend, in at most three lines.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"✗ {self}"]


def few(problems: Sequence[object]) -> str:
    """The first of several problems, for a message, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0]}{more}"
