"""What a notebook shows of an exception that its reader can do something about: one line."""

from __future__ import annotations

import linecache
import sys
from typing import TYPE_CHECKING, Any

from coursekit.checks.crashes import is_students, plain
from coursekit.checks.failed import ANSWER_MARKER, CheckFailed, is_stub, marked

if TYPE_CHECKING:
    from types import TracebackType


def soften() -> None:
    """In a notebook, show a stub, Ctrl-C and what follows from a wrong answer as one line."""
    if "IPython" not in sys.modules:
        return
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None and not shell.custom_exceptions:
        shell.set_custom_exc((Exception, KeyboardInterrupt), _show)


def _show(shell: Any, kind: Any, error: Any, traceback: Any, tb_offset: Any = None) -> None:
    """Show an exception: in a line where there is one to say, as usual otherwise."""
    if isinstance(error, CheckFailed) and not error.named:
        from coursekit.checks.nearest import say_where

        say_where(error)
    line = line_of(error)
    if line and not hasattr(error, "_render_traceback_"):
        error.__dict__["_render_traceback_"] = lambda: [line]
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)


def line_of(error: BaseException) -> str:
    """What to show in place of a traceback; "" for an exception that is nobody's exercise."""
    if is_stub(error):
        return marked(
            "…", str(error), "write it where its cell says YOUR CODE HERE, run that cell, then "
            "this one; or borrow it, below its last hint."
        )  # fmt: skip
    if isinstance(error, KeyboardInterrupt):
        return marked("…", "stopped", "what ran before is kept; run the cell again to go on.")
    outer, *inner = _cells(error.__traceback__) or [""]
    if outer.startswith(ANSWER_MARKER):
        return ""  # of the very cell that is being written
    exercise = next((cell for cell in inner if cell.startswith(ANSWER_MARKER)), "")
    if exercise:
        name = exercise.partition("\n")[0].removeprefix(ANSWER_MARKER).strip()
        from coursekit.checks.nearest import in_its_check

        elsewhere = f"this cell needs it, and it stops with {plain(error)}; run its check."
        return marked("✗", name, in_its_check(error, name) or elsewhere)
    if isinstance(error, NameError) and outer and not inner and error.name:
        return marked(
            "…", error.name, "is made by a cell above that has not run or did not end: "
            "run that one first. (Or is it misspelt?)"
        )  # fmt: skip
    return ""


def _cells(traceback: TracebackType | None) -> list[str]:
    """The texts of the notebook's cells that an exception came through, the outermost first."""
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_students(code) and (text := "".join(linecache.getlines(code.co_filename))):
            found.append(text)
        traceback = traceback.tb_next
    return found
