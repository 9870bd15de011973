"""Mended and broken labels, against one pixel after the other."""

from __future__ import annotations

import math

import pytest
import torch

from coursekit import synthfaces
from coursekit.metrics import Repairs, repairs
from coursekit.synthfaces import NOISE_KINDS, kinds_of_noise


def maps(seed: int, shape: tuple[int, ...] = (3, 7, 5), classes: int = 4) -> list[torch.Tensor]:
    """Prediction, label map, truth, kinds; some pixels unknown."""
    draw = torch.Generator().manual_seed(seed)
    prediction, label_map, truth = torch.randint(0, classes, (3, *shape), generator=draw)
    label_map[torch.rand(shape, generator=draw) < 0.2] = 255
    truth[torch.rand(shape, generator=draw) < 0.1] = 255
    return [prediction, label_map, truth, torch.randint(0, 2, shape, generator=draw)]


def by_loops(prediction, label_map, truth, kinds, classes: int = 4, num_kinds: int = 2) -> Repairs:
    wrong, mended, repeated = torch.zeros(3, num_kinds, classes, dtype=torch.int64)
    right, broken = torch.zeros(2, classes, dtype=torch.int64)
    flat = zip(*(m.flatten().tolist() for m in (prediction, label_map, truth, kinds)), strict=True)
    for said, label, true, kind in flat:
        if 255 in (label, true):
            continue
        if label == true:
            right[true] += 1
            broken[true] += said != true
        else:
            wrong[kind, true] += 1
            mended[kind, true] += said == true
            repeated[kind, true] += said == label
    return Repairs(wrong, mended, repeated, right, broken)


def same(one: Repairs, two: Repairs) -> bool:
    return all(torch.equal(getattr(one, n), getattr(two, n)) for n in Repairs.__dataclass_fields__)


def test_counts_are_those_of_loops_and_add_up() -> None:
    first, second = maps(0), maps(1)
    one, two = (repairs(*m[:3], 4, m[3], 2) for m in (first, second))
    assert same(one, by_loops(*first)) and same(two, by_loops(*second))
    both = [torch.cat(pair) for pair in zip(first, second, strict=True)]
    assert same(one + two, repairs(*both[:3], 4, both[3], 2))
    assert one.mended_share == int(one.mended.sum()) / int(one.wrong.sum())
    assert one.broken_share == int(one.broken.sum()) / int(one.right.sum())


def test_bytes_and_a_single_kind_are_counted_alike() -> None:
    prediction, label_map, truth, kinds = maps(2)
    small = [m.to(torch.uint8) for m in (prediction, label_map, truth)]
    assert same(repairs(*small, 4), repairs(prediction, label_map, truth, 4, 0 * kinds))
    unknown = torch.full_like(truth, 255)
    kinds[label_map == truth] = 255  # of a pixel that is right, the kind says nothing
    assert same(repairs(prediction, label_map, truth, 4, kinds, 2), by_loops(*maps(2)))
    nothing = repairs(prediction, unknown, truth, 4)
    assert not nothing.wrong.any() and not nothing.right.any()
    assert math.isnan(nothing.mended_share) and math.isnan(nothing.broken_share)


def test_what_cannot_be_counted_is_refused() -> None:
    prediction, label_map, truth, kinds = maps(3)
    with pytest.raises(ValueError, match=r"maps of shapes \(3, 7, 5\), \(2, 7, 5\)"):
        repairs(prediction, label_map[:2], truth, 4)
    with pytest.raises(ValueError, match="a wrong pixel is of kind 255; kinds are 0 to 1"):
        repairs(prediction, label_map, truth, 4, torch.full_like(kinds, 255), 2)
    with pytest.raises(ValueError, match="with 3 classes they must lie in"):
        repairs(prediction, label_map, truth, 3, kinds, 2)


def test_each_wrong_pixel_of_a_rendered_face_has_its_kind() -> None:
    """A face that one kind has struck has that kind alone; one with several has all its pixels."""
    seen = set()
    for index in range(60):
        face = synthfaces.render(0, index, 32, label_noise=0.5)
        found = face.attributes.label_noise
        kinds = kinds_of_noise(face.label_map, face.clean_label_map, found)
        wrong = face.label_map != face.clean_label_map
        assert ((kinds != 255) == wrong).all()
        struck = {NOISE_KINDS[k] for k in set(kinds[wrong].tolist())}
        assert struck <= set(found) and (len(found) != 1 or struck in (set(found), set()))
        eyes = kinds == NOISE_KINDS.index("eyes_as_glasses")
        assert (face.label_map[eyes] == 3).all() and set(face.clean_label_map[eyes]) <= {4, 5}
        seen |= struck
    assert seen >= {"eyes_as_glasses", "neck_as_cloth", "shifted_boundary"}
