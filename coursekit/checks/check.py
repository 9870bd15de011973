"""The check of one exercise; how to write one stands in `coursekit.checks`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

from coursekit.checks.borrowing import BORROWED, is_borrowed
from coursekit.checks.cells import cell_of, codes
from coursekit.checks.common import Cause, Kinds
from coursekit.checks.crashes import Listed, told
from coursekit.checks.failed import BRIEF, CheckFailed, is_stub, marked
from coursekit.checks.notebook import soften

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FrameType

    from coursekit.checks.copies import Handed
    from coursekit.checks.rules import Rule

_NO_RETURN = "your answer gives None: does every way through it end in a `return`?"


class Check:
    """The check of one exercise.

    Each method looks at one thing and raises `CheckFailed` with `message` when it is not so.

    Args:
        exercise: the name of the answer cell.
    """

    def __init__(self, exercise: str) -> None:
        self.exercise = exercise
        self._listed: list[Listed] = []
        self._free: set[str] = set()
        self._rules: list[Rule] = []
        self._borrowed = is_borrowed(exercise, sys._getframe(1).f_globals)
        soften()

    # What is known beforehand

    def crashes(self, kind: Kinds, cause: Cause, message: str) -> None:
        """Name the misconception behind an exception, for the calls that follow.

        Args:
            kind: the exception's class, or several.
            cause: a regular expression that is found in its message, or a function that is given
                the exception and says whether this is it. One class has many causes: this says
                which one.
            message: what the student is told; the exception and its line are added.
        """
        if cause == "":
            raise ValueError("crashes: which cause? Name what the exception says")
        self._listed.append(Listed(kind, cause, message))

    def may_change(self, *names: str) -> None:
        """Hand over these arguments as they are, not as copies, in the calls that follow."""
        self._free |= set(names)

    def forbids(self, *names: str, because: str) -> None:
        """Refuse answers that use something, in the calls that follow, and in grading.

        Args:
            names: as this cell would write them, such as "F.cross_entropy", or "for" and "while".
                Write them out: grading reads them from the cell's text.
            because: what to do in its place.
        """
        from coursekit.checks.rules import Rule

        if not self._borrowed:  # the course's own may use anything
            self._rules += [Rule(name, because) for name in names]

    # Running the student's code

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What the student's function or module gives, called with copies of its arguments.

        Raises:
            CheckFailed: when it changes an argument, ends with an exception, gives None, or uses
                what is forbidden.
        """
        result = self._called(sys._getframe(1), function, args, kwargs)
        if result is None:
            self._fail(_NO_RETURN, named=True)
        return result

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The same as `call` for what acts and may give None."""
        return self._called(sys._getframe(1), function, args, kwargs)

    def build(self, kind: Callable[..., Any], *arguments: tuple[Any, ...] | dict[str, Any]) -> Any:
        """What the student's class (or a function that makes something) gives, several times.

        Args:
            kind: the class.
            arguments: at least two sets that differ, each a tuple (by place) or a dict (by name),
                so that numbers which are written into the class show.

        Returns:
            A list of what was made, in order.
        """
        if len(arguments) < 2 or any(one is two or one == two for one, two in _pairs(arguments)):
            raise ValueError("build: give at least two sets of arguments that differ")
        made = []
        for one in arguments:
            args, kwargs = ((), one) if isinstance(one, dict) else (tuple(one), {})
            made.append(self._called(sys._getframe(1), kind, args, kwargs))
            self._refuse_none(made[-1])
        return made

    def _called(
        self,
        caller: FrameType,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        from coursekit.checks.copies import Handed
        from coursekit.checks.rules import watched

        handed = Handed(function, args, kwargs, self._free)
        self._read(function)
        with watched(self._rules, caller.f_globals) as broken:
            result = self._result(function, handed)
        for rule in broken:
            self._fail(str(rule), named=True)
        changed = handed.changed()
        if changed:
            named = " and ".join(f"`{name}`" for name in changed)
            what = "argument" if len(changed) == 1 else "arguments"
            self._fail(f"your function changes its {what} {named}: work on a copy", named=True)
        return result

    def _result(self, function: Callable[..., Any], handed: Handed) -> Any:
        try:
            return function(*handed.args, **handed.kwargs)
        except (CheckFailed, KeyboardInterrupt):
            raise
        except BaseException as error:
            if is_stub(error):
                raise
            raise CheckFailed(self.exercise, told(error, self._listed)) from error

    def _read(self, function: Any) -> None:
        """Look for what is forbidden in the text of the cell, where that can be had."""
        from coursekit.checks.rules import broken

        if not self._rules:
            return
        for code in codes(function):
            text = cell_of(code)
            name = code.co_qualname.split(".")[0]
            rule = broken(text, self._rules, f"{name} = 0") if name.isidentifier() else None
            if rule:
                self._fail(str(rule), named=True)

    # Looking at what came out

    def that(self, condition: object, message: str) -> None:
        """`condition` is true; an array is true when all of it is."""
        everywhere = getattr(condition, "all", None)
        if not bool(everywhere() if callable(everywhere) else condition):
            self._fail(message)

    def kind(
        self,
        got: object,
        kind: type | Sequence[type],
        dtype: object = None,
        what: str = "your answer",
    ) -> None:
        """`got` is of this class (a whole number is a float, too), and of this `dtype`.

        Args:
            got: what the student's code gave.
            kind: such as float, np.ndarray or torch.Tensor; a list when several will do.
            dtype: such as np.uint8, np.integer (any whole numbers) or torch.int64.
            what: how messages call it.
        """
        from coursekit.checks.comparing import kind_difference

        wrong = kind_difference(got, kind, dtype, what)
        if wrong:
            self._fail(wrong)

    def unpack(self, got: Any, *names: str) -> tuple[Any, ...]:
        """`got` is a tuple or list of so many things, which are given back.

        Args:
            got: what the student's code gave.
            names: of the things, for the message.
        """
        from coursekit.checks.comparing import kind_of

        if not isinstance(got, (tuple, list)) or len(got) != len(names):
            listed = ", ".join(names)
            self._fail(f"your answer gives {kind_of(got)}, expected: {len(names)} things, {listed}")
        return tuple(got)

    def equal(self, got: object, expected: object, message: str) -> None:
        """`got` has the shape and exactly the values of `expected`.

        Types are not compared (ask for `kind`): 2, 2.0 and a tensor of 2 are equal.
        """
        self._same(got, expected, message, 0.0, 0.0)

    def close(
        self, got: object, expected: object, message: str, atol: float = 1e-5, rtol: float = 1e-5
    ) -> None:
        """`got` has the shape of `expected` and its values up to `atol + rtol·|expected|`."""
        self._same(got, expected, message, atol, rtol)

    def shape(self, got: object, expected: Sequence[int | None], message: str) -> None:
        """`got` is an array or tensor of this shape; None in `expected` stands for any number."""
        self._refuse_none(got)
        found = getattr(got, "shape", None)
        if found is None:
            self._fail(f"{message} (it is a {type(got).__name__}, which has no shape)")
        found, wanted = tuple(int(n) for n in found), tuple(expected)
        if len(found) != len(wanted) or any(
            w not in (None, f) for f, w in zip(found, wanted, strict=True)
        ):
            shown = str(wanted).replace("None", "any")
            self._fail(f"{message} (its shape is {found}, expected: {shown})")

    def catches(self, wrong: object, got: object, message: str) -> None:
        """`got` is **not** `wrong`, the result of a known misconception, which `message` names.

        Ask this before `equal` or `close`, and choose inputs for which `wrong` differs from the
        right result.
        """
        from coursekit.checks.comparing import alike

        if got is not None and alike(got, wrong):
            self._fail(message, named=True)

    def slips(
        self,
        got: object,
        right: object,
        known: Callable[..., Iterable[tuple[Any, str]]],
        *args: Any,
        where: Callable[[], str] | None = None,
        close: float = 1e-5,
    ) -> None:
        """As `catches`, for a list of misconceptions, each with its message.

        The list is only made for an answer that is not right: it may be long. What comes to the
        right result by another road is no misconception.

        Args:
            got: what the student's code gave.
            right: what it should have given.
            known: makes the list, or yields it, dearest last; the first that fits is told.
            args: what `known` is called with.
            where: says in words where an answer leaves the right way that is none of the known
                ones; "" if it cannot tell.
            close: as of `alike`. Of hundreds of mistakes some give nearly the same number, which
                then needs more digits.
        """
        from coursekit.checks.comparing import alike, as_array

        if got is None or alike(got, right):
            return
        if BRIEF.get():
            self._fail("another value")
        array = as_array(got)  # once, not for each of hundreds
        got = got if array is None else array
        for wrong, message in known(*args):
            if alike(got, wrong, close) and not alike(right, wrong, 10 * close):
                self._fail(message, named=True)
        words = where() if where else ""
        if words:
            self._fail(words)

    def passed(self, message: str) -> None:
        """Print the line that ends the check; `message` says what it showed."""
        if self._borrowed:
            print(marked("→", self.exercise, BORROWED))
        else:
            print(marked("✓", self.exercise, message))

    def _same(self, got: object, expected: object, message: str, atol: float, rtol: float) -> None:
        from coursekit.checks.comparing import difference

        if expected is not None:
            self._refuse_none(got)
        found = difference(got, expected, atol, rtol)
        if found is not None:
            self._fail(f"{message} ({found})")

    def _refuse_none(self, got: object) -> None:
        if got is None:
            self._fail(_NO_RETURN, named=True)

    def _fail(self, message: str, *, named: bool = False) -> NoReturn:
        raise CheckFailed(self.exercise, message, named=named)


def _pairs(items: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [(one, two) for place, one in enumerate(items) for two in items[place + 1 :]]
