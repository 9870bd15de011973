"""An exercise as a few questions, and what comes out where one or two of them are answered wrongly.

Which neighbours count? What becomes of unknown pixels? A student who makes two mistakes gives what
no list of single ones has. So each question has its ways, the right one first, and every way is
tried alone and then with each wrong way of another question.
"""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Way = tuple[Any, str]


def mistaken(
    act: Callable[..., Any], *questions: Sequence[Way], most: int = 2
) -> Iterator[tuple[Any, str]]:
    """What wrong ways give, and what to say of them.

    Args:
        act: is called with a way for each question, and gives what an answer would.
        questions: the ways of each, with words for a student; the first is right.
        most: so many wrong ways at a time.

    Yields:
        A result and words; first those of one wrong way.
    """
    wrong = [(place, way) for place, ways in enumerate(questions) for way in ways[1:]]
    several = (combinations(wrong, number) for number in range(1, most + 1))
    for slips in chain.from_iterable(several):
        taken = {place: way for place, (way, _) in slips}
        if len(taken) == len(slips):
            chosen = [taken.get(place, ways[0][0]) for place, ways in enumerate(questions)]
            yield act(*chosen), ". And ".join(words for _, (_, words) in slips)
