"""What a check that fails raises, and how a notebook shows it."""

from __future__ import annotations

from contextvars import ContextVar

#: How the exception of an exercise's stub begins; `coursekit build` writes the stubs with it.
NOT_WRITTEN = "not written yet: "
#: How a student's answer cell begins; the exercise's name follows. By it an answer is found when an
#: editor has lost the cell's id.
ANSWER_MARKER = "# exercise: "

#: Whether only that a check fails is asked, and not what it says: then no list of known slips is
#: made, which may take longer than the answer.
BRIEF = ContextVar("BRIEF", default=False)

# No fixed colour reaches 4.5:1 on white and on JupyterLab's dark #111 alike, and JupyterLab's
# terminal colours are the same in both themes: bold text has the theme's own colour.
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class CheckFailed(AssertionError):
    """An answer is wrong, and the message says which misconception it shows.

    Attributes:
        exercise: the name of the exercise.
        message: what is wrong and where to look.
        named: whether it names a misconception that the check knows, and not only a difference.
    """

    def __init__(self, exercise: str, message: str, *, named: bool = False) -> None:
        super().__init__(f"{exercise}: {message}")
        self.exercise = exercise
        self.message = message
        self.named = named

    def add(self, sentence: str) -> None:
        """Say something more."""
        self.message = f"{self.message}\n{sentence}"
        self.args = (f"{self.exercise}: {self.message}",)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [marked("✗", self.exercise, self.message)]


def marked(sign: str, subject: str, message: str) -> str:
    """A line that begins with a sign and what it is about, in bold."""
    return f"{_BOLD}{sign} {subject}{_PLAIN}: {message}"


def is_stub(error: BaseException) -> bool:
    """Whether it says that an exercise is not written yet."""
    return isinstance(error, NotImplementedError) and str(error).startswith(NOT_WRITTEN)
