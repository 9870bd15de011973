"""Scores of landmarks against slow, obvious versions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from coursekit.metrics import auc, error_curve, failure_rate, nme, normaliser, point_errors


@pytest.fixture
def faces() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(5, 106, 2, generator=generator) * 200
    return target + torch.randn(5, 106, 2, generator=generator) * 4, target


def slow_nme(prediction: Tensor, target: Tensor, by: str) -> float:
    points = [(float(x), float(y)) for x, y in target]
    if by == "box":
        xs, ys = zip(*points, strict=True)
        d = math.sqrt((max(xs) - min(xs)) * (max(ys) - min(ys)))
    else:
        d = math.dist(points[66], points[79])
    found = [(float(x), float(y)) for x, y in prediction]
    return sum(math.dist(a, b) for a, b in zip(found, points, strict=True)) / 106 / d


@pytest.mark.parametrize("by", ["box", "eyes"])
def test_nme_is_the_formula(faces, by) -> None:
    expected = [slow_nme(a, b, by) for a, b in zip(*faces, strict=True)]
    assert nme(*faces, by).tolist() == pytest.approx(expected, rel=1e-5)
    assert nme(faces[1], faces[1], by).abs().max() == 0
    bigger = nme(faces[0] * 3 + 7, faces[1] * 3 + 7, by)  # neither place nor scale matters
    torch.testing.assert_close(bigger, nme(*faces, by), rtol=1e-4, atol=0)


def test_unknown_and_hidden_points_take_no_part(faces) -> None:
    prediction, target = faces
    some = torch.arange(106) % 3 != 0
    some[[66, 79]] = True
    errors = point_errors(prediction, target, "eyes")
    known = target.clone()
    known[:, ~some] = torch.nan
    torch.testing.assert_close(nme(prediction, known, "eyes"), errors[:, some].mean(1))
    visible = some.expand(5, 106)
    torch.testing.assert_close(nme(prediction, target, "eyes", visible), errors[:, some].mean(1))
    # The box is that of the points that are known, hidden ones among them.
    torch.testing.assert_close(normaliser(known), normaliser(target[:, some]))
    torch.testing.assert_close(
        nme(prediction, target, "box", visible),
        point_errors(prediction, target)[:, some].mean(1),
    )


def test_a_point_that_was_not_found_is_no_better_than_a_wrong_one(faces) -> None:
    prediction, target = faces[0].clone(), faces[1].clone()
    prediction[0, 3] = torch.nan
    prediction[1, 4] = target[1, 4] = torch.nan
    errors = nme(prediction, target)
    assert errors[0] == math.inf
    assert errors[1:].isfinite().all()
    assert failure_rate(errors) >= 0.2
    assert math.isfinite(auc(errors))


@pytest.mark.parametrize("by", ["box", "eyes"])
def test_degenerate_faces_count_neither_way(faces, by) -> None:
    prediction, target = faces[0].clone(), faces[1].clone()
    target[0] = 5.0  # all in one place
    target[1] = torch.nan
    target[2, [66, 79]] = torch.nan
    errors = nme(prediction, target, by)
    assert errors.isnan().tolist() == [True, True, by == "eyes", False, False]
    curve = error_curve(errors, torch.tensor([math.inf]))
    assert curve.tolist() == [1.0]
    assert math.isnan(auc(torch.tensor([math.nan])))
    assert math.isnan(failure_rate(torch.tensor([math.nan])))
    line = torch.stack([torch.arange(106.0), torch.zeros(106)], 1)[None]  # a box without area
    assert nme(line, line).isnan().all()


def test_curve_area_and_failures_by_counting() -> None:
    generator = torch.Generator().manual_seed(1)
    errors = torch.rand(50, generator=generator) * 0.15
    errors[3] = 0.08  # exactly at the limit: no failure
    grid = torch.linspace(0, 0.08, 4001)
    slow = [sum(e <= t for e in errors.tolist()) / 50 for t in grid.tolist()]
    found = error_curve(errors, grid)
    assert found.tolist() == pytest.approx(slow)
    assert auc(errors) == pytest.approx(float(torch.trapezoid(found, grid)) / 0.08, abs=1e-3)
    assert failure_rate(errors) == pytest.approx(sum(e > 0.08 for e in errors.tolist()) / 50)
    assert auc(torch.zeros(3)) == 1
    assert auc(torch.ones(3)) == 0


def test_bad_calls(faces) -> None:
    with pytest.raises(ValueError, match="there are: box, eyes"):
        nme(*faces, by="nose")
    with pytest.raises(ValueError, match="above 0"):
        auc(torch.zeros(1), 0.0)
