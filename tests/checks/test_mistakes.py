"""Known mistakes: none gives what another gives, so that no message is another mistake's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.checks.comparing import alike
from coursekit.checks.mistakes import annotation_apart as apart
from coursekit.checks.mistakes import annotation_hands as hands
from coursekit.checks.mistakes import annotation_points as points
from coursekit.checks.mistakes import bspnet, capstone, claims, gains, named, shares, worst
from coursekit.checks.mistakes import optimiser_twice as steps
from coursekit.checks.mistakes.boundaries import bounded, misbounded
from coursekit.checks.mistakes.questions import mistaken
from coursekit.losses import binary_edges
from coursekit.models.layers import conv_abn

if TYPE_CHECKING:
    from collections.abc import Iterable

torch.manual_seed(0)
MAPS = torch.randint(0, 5, (2, 4, 5)).repeat_interleave(3, 1).repeat_interleave(3, 2)[:, :, :-1]
MAPS[0, 7:9, :9], MAPS[0, 4:7, 2:7], MAPS[1, :2], MAPS[1, 7], MAPS[0, 1, 10:13] = 0, 255, 255, 4, 1
MAPS[1, 8:, :3] = torch.tensor([1, 2, 3])
MAPS[1, -1, 5:9], MAPS[1, 3:6, -1], MAPS[0, 0, 3:5], MAPS[0, :2, 0] = 3, 1, 2, 4
MAPS[0, 8:, 11:] = 0
TARGET = torch.randint(0, 4, (3, 6, 7))
TARGET[0, :2], TARGET[2, 1:, 3:] = 255, 255
EDGES = torch.where(TARGET == 255, 255, (torch.rand(3, 6, 7) < 0.2).to(torch.uint8))
CHAINS = [
    [(3, 1, 1)], [(5, 1, 1)], [(3, 2, 1)], [(3, 1, 4)], [(2, 2, 1)], [(1, 2, 1), (3, 1, 1)],
    [(3, 3, 2), (5, 1, 3), (4, 2, 1), (3, 1, 2)], [(7, 4, 1), (1, 2, 3), (4, 3, 2), (3, 1, 3)],
]  # fmt: skip


class Part(nn.Module):
    """A fusion branch's layers."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.classify = conv_abn(19, 6), nn.Conv2d(6, 5, 1)


STEP = torch.tensor([[2.0, -3.0], [0.7, 1.5], [-2.0, 4.0]]).double()
FEATURES = [torch.randn(2, 4, *size) for size in ((12, 9), (6, 5), (3, 3))] + [
    torch.randn(2, 7, 3, 3)
]


@pytest.mark.parametrize(
    "known",
    [
        misbounded(MAPS),
        bspnet.misweighted(2 * torch.randn(3, 4, 6, 7), TARGET, EDGES, (200, 0.0, 3.5, 400)),
        bspnet.misfused(Part().eval(), FEATURES),
        shares.misshared(((0.03, 200.0), (0.2, 20.0), (0.5, 3.0), (0.13, 0.0), (0.6, -0.7))),
        shares.misinverted(((0.03, 0.86), (0.13, 0.5), (0.2, 0.1), (0.05, 0.97))),
        capstone.misseen(CHAINS),
        worst.misordered(worst.images()[0]),
        gains.mispaired(gains.PAIRS),
        gains.misjudged(gains.PAIRS),
        steps.misstepped_twice(*STEP),
        steps.misadapted_twice(*STEP),
    ],
    ids=[
        "boundary",
        "loss",
        "fusion",
        "share",
        "alpha",
        "field",
        "worst",
        "gain",
        "clear",
        "sgd",
        "adam",
    ],
)
def test_no_mistake_gives_what_another_gives(known: Iterable[tuple[Any, str]]) -> None:
    seen: list[tuple[Any, str]] = []
    for result, words in known:
        if ". And " in words:
            continue
        for other, others in seen:
            same = alike(result, other)
            assert not same or words == others, f"{words!r} and {others!r} give the same"
        seen.append((result, words))
    assert len(seen) > 10


def test_boundaries_are_those_of_the_course() -> None:
    assert bounded(MAPS).equal(binary_edges(MAPS).long())


def test_wrong_ways_come_alone_and_then_in_pairs() -> None:
    ways = [(1, ""), (2, "two")], [(10, ""), (20, "twenty"), (30, "thirty")]
    found = {words: result for result, words in mistaken(lambda a, b: a + b, *ways)}
    alone = {"two": 12, "twenty": 21, "thirty": 31}
    assert found == alone | {"two. And twenty": 22, "two. And thirty": 32}


def test_a_claim_about_a_table_is_judged_as_it_should_be() -> None:
    rows = {"a": (1.0, 5.0, 3.0), "b": (2.0, 4.0, 3.0)}
    told = {words: result for result, words in claims.misclaimed(rows, [("a", ["b"], 0.0)])}
    assert told["columns count from 0"] == [[1, 3]]
    assert told["an equal figure is not above: `>`, not `>=`"] == [[0]]


def test_numbers_of_points_may_be_floats() -> None:
    guesses = np.random.default_rng(0).normal(0, 1, (3, 6, 2))
    got = points.asked(guesses, 3)[::-1].astype(float)

    def right(guesses: Any, count: int) -> Any:
        return points.asked(guesses, count)

    assert "the right points" in apart.off_order(right, got, guesses, 3)
    got[0] = points.asked(guesses, 6)[-1]
    assert f"at place 0 stands point {got[0]:.0f}, whose" in apart.off_order(right, got, guesses, 3)


def test_an_answer_that_gives_no_numbers_gives_nothing() -> None:
    assert named.tried(lambda: 1 / 0) is None
    assert named.tried(str, 5) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda one, two: (one - two).mean(0)[:, :1].T.repeat(2, 0), "your habit is"),
        (lambda one, two: np.stack(hands.split(one + 1, two)), "your habit is"),
        (lambda one, two: np.stack([hands.split(one, two)[0] * 3] * 2), "3.000 times the habit"),
    ],
)
def test_two_hands_are_asked_what_can_be_told_by_heart(answer: Any, words: str) -> None:
    one, two = np.random.default_rng(0).uniform(0, 1, (2, 5, 3, 2))
    assert words in apart.off_split(answer, answer(one, two)[0], hands.split(one, two)[0], 0, 5)


def test_nan_is_told_as_an_unknown_point_where_there_is_one() -> None:
    found, truth = np.random.default_rng(0).uniform(0, 9, (2, 106, 2))
    for lost in (False, True):
        truth[3] = np.nan if lost else truth[3]
        told = [m for wrong, m in points.mismeasured(found, truth, "box") if np.isnan(wrong or 0)]
        assert told == ["a point without truth (NaN) spoils all: leave it out"] * lost
