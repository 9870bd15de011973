"""From a wrong answer to the mistake behind it; a right one costs nothing but a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from coursekit.checks.comparing import difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class _Check(Protocol):
    """What is needed of a `Check`; its module imports this package."""

    def catches(self, wrong: object, got: object, message: str) -> None: ...
    def that(self, condition: object, message: str) -> None: ...


def tell(
    check: _Check,
    got: object,
    right: object,
    mistakes: Iterable[tuple[Any, str]],
    fault: Callable[[], str] = lambda: "",
    atol: float = 1e-5,
) -> None:
    """Name the mistake that gives `got`, if it is not `right`.

    Args:
        check: of the exercise.
        got: what the student's code gave.
        right: what it should give.
        mistakes: what each known one gives, and what to say of it; a generator is not begun where
            `got` is right. Those that give what is right here are passed over.
        fault: finds in words what is wrong when it is none of them; "" when it cannot tell.
        atol: how far from `right` a right answer may be, beside a hundred-thousandth of it.

    Raises:
        CheckFailed: with what was found. When nothing was, the check goes on.
    """
    if difference(got, right, atol, 1e-5) is None:
        return
    for wrong, message in mistakes:
        check.catches(wrong, got, message)
    words = fault()
    check.that(not words, words)


def value_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a student's function gives; None when it stops with an exception."""
    try:
        return function(*args, **kwargs)
    except Exception:  # whatever it may raise: this only looks for words
        return None


def is_same(one: object, two: object) -> bool:
    """Whether two results are nearly equal, in shape and values."""
    return difference(one, two, 1e-4, 1e-4) is None
