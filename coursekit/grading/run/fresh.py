"""What a hidden test finds in a student's kernel: the names that the lesson and Python gave.

Students use names anew: `list = [3, 4]` and `F = 16` in a trial below a right answer harm nobody
who has run the public check. So a hidden test is no cell like others. It runs with the lesson's
names as the lesson's own cells bound them (`keep`), Python's own built-ins, and of the rest what
there is. The answer finds what it found when it was written: it is given back only what another
answer's cell has hidden.

Like all that is in that kernel, this decides nothing.
"""

from __future__ import annotations

import builtins
import os
import sys
import warnings
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.checks.borrowing import remember, taken_away
from coursekit.probe import FOLDER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PYTHONS = {name: value for name, value in vars(builtins).items() if not name.startswith("_")}
_kept: dict[str, Any] = {}


def keep(*names: str) -> None:
    """Remember what the caller's names stand for: the lesson's own, before any answer's trial."""
    remember()
    there = sys._getframe(1).f_globals
    _kept.update((name, there[name]) for name in names if name in there)


def hidden(
    text: str,
    *,
    exercise: str,
    answers: Collection[str],
    own: Collection[str] | None,
    defaults: bool,
) -> None:
    """Run a hidden test beside the caller's names.

    Args:
        text: the test.
        exercise: whose answer is tried.
        answers: the names that answers define.
        own: those that this check's answer binds in its cell; None when they cannot be known.
        defaults: whether with settings as nobody has changed them, or with those of the student.
    """
    there = sys._getframe(1).f_globals
    hiding = _PYTHONS.keys() & there.keys()
    names = {n: value for n, value in there.items() if n in answers or n not in hiding}
    names |= {n: value for n, value in _kept.items() if n not in answers}
    names["__builtins__"] = vars(builtins) | _PYTHONS
    others = {n for n in (*hiding, *_kept) if own is not None and n not in own and n not in answers}
    aside = {n: there.pop(n) for n in others if n in there}
    lent = {n: _kept[n] for n in others if n in _kept}
    there |= lent
    try:
        with ExitStack() as stack:
            stack.enter_context(taken_away(exercise, lambda: _say_borrowed(exercise)))
            if defaults:
                stack.enter_context(_defaults())
            exec(compile(text, "<hidden test>", "exec", dont_inherit=True), names)  # noqa: S102
    finally:
        for name in lent:
            there.pop(name, None)
        there.update(aside)


def says_borrowed(probe: Path, exercise: str) -> bool:
    """Whether a kernel has said that the course's own part stands in place of an answer.

    Args:
        probe: its folder, where who grades finds it.
        exercise: which.
    """
    return (probe / "emitted" / "borrowed" / f"{exercise}.json").is_file()


def _say_borrowed(exercise: str) -> None:
    path = Path(os.environ[FOLDER], "emitted", "borrowed", f"{exercise}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@contextmanager
def _defaults() -> Iterator[None]:
    """Settings as they are before anybody changes them."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("default")
        if numpy:
            stack.enter_context(
                numpy.errstate(divide="warn", over="warn", under="ignore", invalid="warn")
            )
        if torch:
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float32)
            stack.enter_context(torch.device("cpu"))
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
        yield
