"""Known mistakes in lesson 12's claims about tables: what they give, and what to say of them."""

from __future__ import annotations

from itertools import takewhile
from operator import not_
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from coursekit.checks.mistakes.questions import Way

    Rows = dict[str, tuple[float, ...]]
    Case = tuple[str, list[str], float]  # a row, its rivals, by

#: Whether a figure is above a rival's.
_ABOVE: list[Way] = [
    (lambda mine, other, by: mine > other + by, ""),
    (lambda mine, other, by: mine >= other + by, "an equal figure is not above: `>`, not `>=`"),
    (lambda mine, other, by: mine > other, "`by` has no effect"),
    (lambda mine, other, by: mine >= other, "`by` has no effect, and an equal figure is not above"),
    (
        lambda mine, other, by: mine > other - by,
        "more than `by` *above* a rival: by is added to the rival's figure",
    ),
    (
        lambda mine, other, by: mine > other * (1 + by),
        "`by` is in points: it is added, not a factor",
    ),
    (lambda mine, other, by: mine > other * by, "`by` is in points: it is added, not a factor"),
    (lambda mine, other, by: mine > other + by / 100, "`by` is in points, not in per cent"),
    (lambda mine, other, by: mine > other + 1, "`by` has no effect: 1 is written in"),
    (lambda mine, other, by: mine > other + 0.5, "`by` has no effect: 0.5 is written in"),
    (lambda mine, other, by: mine < other + by, "the sign is turned: *above* is `>`"),
    (
        lambda mine, other, by: abs(mine - other) > by,
        "a figure that lies *below* by more is not above: leave `abs` out",
    ),
    (lambda mine, other, by: mine - by > other + by, "`by` counts twice"),
    (lambda mine, other, by: mine != other, "another figure need not be a higher one"),
    (
        lambda mine, other, by: not other > mine + by,
        "where both are equal, or nearly, it is not above either",
    ),
    (
        lambda mine, other, by: other > mine + by,
        "mine and the rival's figure have changed places: the *row* should be above",
    ),
    (
        lambda mine, other, by: int(mine) > int(other) + by,
        "figures are rounded: compare them as they are",
    ),
    (
        lambda mine, other, by: round(mine) > round(other) + by,
        "figures are rounded: compare them as they are",
    ),
    (lambda mine, other, by: mine > by, "the rivals' figures have no effect"),
]


def _figures(rows: Rows, names: Sequence[str]) -> list[tuple[float, ...]]:
    return [rows[name] for name in names]


def _mean(rows: Rows, names: Sequence[str], of: Callable[..., Any] = np.mean) -> Any:
    return [tuple(of(_figures(rows, names), axis=0).tolist())] if names else []


#: The rows that a row is compared with.
_RIVALS: list[Way] = [
    (lambda rows, name, rivals: _figures(rows, rivals), ""),
    (lambda rows, name, rivals: _figures(rows, rivals[:1]), "only the first rival is looked at"),
    (lambda rows, name, rivals: _figures(rows, rivals[-1:]), "only the last rival is looked at"),
    (lambda rows, name, rivals: _figures(rows, rivals[1:]), "the first rival is left out"),
    (
        lambda rows, name, rivals: _figures(rows, [n for n in rows if n != name]),
        "all other rows are looked at: only the rivals",
    ),
    (
        lambda rows, name, rivals: _figures(rows, [*rivals, name]),
        "it is compared with itself, and is never above that",
    ),
    (lambda rows, name, rivals: _mean(rows, rivals), "the rivals' mean is compared: each of them"),
    (
        lambda rows, name, rivals: _mean(rows, rivals, np.median),
        "the rivals' median is compared: each of them",
    ),
    (
        lambda rows, name, rivals: _mean(rows, rivals, np.sum),
        "the rivals' sum is compared: each of them",
    ),
    (
        lambda rows, name, rivals: [(max(row),) * len(row) for row in _figures(rows, rivals)],
        "each figure is compared with a rival's best: with that of the same column",
    ),
    (
        lambda rows, name, rivals: [
            (sum(row) / len(row),) * len(row) for row in _figures(rows, rivals)
        ],
        "each figure is compared with a rival's mean: with that of the same column",
    ),
    (
        lambda rows, name, rivals: [(row[0],) * len(row) for row in _figures(rows, rivals)],
        "each figure is compared with a rival's first: with that of the same column",
    ),
]


def _fails(won: list[list[bool]]) -> list[int]:
    return [i for i, each in enumerate(won) if not all(each)]


def _sticky(won: list[list[bool]]) -> list[int]:
    fails = _fails(won)
    return [*range(fails[0], len(won))] if fails else []


#: The answer, from whether each column (of a row) is above each rival.
_LISTED: list[Way] = [
    (lambda won, row: _fails(won), ""),
    (
        lambda won, row: [i for i in _fails(won) if not i],
        "only column 0 is looked at: does a `return` stand inside the loop?",
    ),
    (
        lambda won, row: [len(each) - sum(each) for each in won],
        "these are numbers of rivals: the columns that fail",
    ),
    (
        lambda won, row: [
            [i for i in range(len(won)) if not won[i][r]] for r in range(len(won[0]))
        ],
        "a list for each rival: one list, of columns that fail against any",
    ),
    (
        lambda won, row: [i for i, each in enumerate(won) if all(each)],
        "these are the columns in which it *is* above all",
    ),
    (
        lambda won, row: [i for i, each in enumerate(won) if each and not any(each)],
        "a column fails here if it is above *no* rival: one is enough (`not all`)",
    ),
    (
        lambda won, row: [i for i, each in enumerate(won) if not any(each)],
        "a column fails here if it is above *no* rival: one that it is not above is enough",
    ),
    (
        lambda won, row: [i for i, each in enumerate(won) if any(each)],
        "these are the columns in which it *is* above a rival",
    ),
    (
        lambda won, row: [*range(len(won))] if not won[0] else _fails(won),
        "where there is no rival no column fails: the list is empty",
    ),
    (lambda won, row: [i + 1 for i in _fails(won)], "columns count from 0"),
    (lambda won, row: [i - 1 for i in _fails(won)], "columns count from 0: these are one too low"),
    (
        lambda won, row: [not all(each) for each in won],
        "yes or no for each column: the places of those that fail, as a list",
    ),
    (
        lambda won, row: [all(each) for each in won],
        "yes or no for each column: the places of those that fail, as a list",
    ),
    (lambda won, row: [row[i] for i in _fails(won)], "these are the figures: their places"),
    (
        lambda won, row: [(i, row[i]) for i in _fails(won)],
        "pairs of place and figure: the places alone",
    ),
    (lambda won, row: [str(i) for i in _fails(won)], "the places are texts: whole numbers"),
    (lambda won, row: _fails(won)[:1], "only the first such column: go on"),
    (lambda won, row: _fails(won)[-1:], "only the last such column: all of them"),
    (lambda won, row: _fails(won)[::-1], "the columns in order, smallest first"),
    (
        lambda won, row: sorted(_fails(won), key=lambda i: row[i]),
        "these are sorted by their figures: the columns in order",
    ),
    (lambda won, row: [i for i in _fails(won) if i], "column 0 is left out: count from 0"),
    (lambda won, row: [i for i in _fails(won) if i < len(won) - 1], "the last column is left out"),
    (
        lambda won, row: [*range(len(_fails(won)))],
        "the columns that fail are counted anew: their places in the row",
    ),
    (
        lambda won, row: [row.index(row[i]) for i in _fails(won)],
        "a column comes twice: `.index` finds the first of equal figures",
    ),
    (
        lambda won, row: _sticky(won),
        "once a column fails all later ones do here: begin each column anew",
    ),
    (
        lambda won, row: [i for i, each in enumerate(won) for w in each if not w],
        "a column is listed once, not once for each rival",
    ),
    (
        lambda won, row: [
            i for r in range(len(won[0])) for i, each in enumerate(won) if not each[r]
        ],
        "a column is listed once, not once for each rival",
    ),
    (
        lambda won, row: [i for i, each in enumerate(won) for _ in takewhile(not_, each)],
        "it stops at the first rival that the row is above: look at all, and list a column once",
    ),
    (
        lambda won, row: [r for each in won for r, w in enumerate(each) if not w],
        "these are places of rivals: those of columns",
    ),
    (
        lambda won, row: [i for i, each in enumerate(won) if each[i : i + 1] == [False]],
        "column and rival are counted together (`zip`): each column meets every rival",
    ),
]


def misclaimed(rows: Rows, cases: Sequence[Case]) -> Iterator[tuple[list[Any], str]]:
    """Columns of each case, with one known mistake and with two."""

    def act(above: Any, others: Any, listed: Any, own: str) -> list[Any]:
        found = []
        for name, rivals, by in cases:
            row = rows[own or name]
            several = others(rows, name, rivals)
            won = [[above(row[i], r[i], by) for r in several] for i in range(len(row))]
            found.append(listed(won, row))
        return found

    whose = [("", ""), *((own, f"the row {own} is taken each time: `rows[name]`") for own in rows)]
    yield from mistaken(act, _ABOVE, _RIVALS, _LISTED, whose)
    whole = "whole rows are compared: figure by figure, rows[name][i]"
    for words, mean in ((whole, False), ("the rows' means are compared: figure by figure", True)):
        by_row = []
        for name, rivals, by in cases:
            won = all(
                np.mean(rows[name]) > np.mean(rows[rival]) + by
                if mean
                else rows[name] > rows[rival]
                for rival in rivals
            )
            by_row.append([] if won else [*range(len(rows[name]))])
        yield by_row, words
