"""Edges of label maps against loops over pixels."""

from __future__ import annotations

import inspect
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from coursekit.losses import binary_edges, category_edges

SIDES = ["both", "inner"]


def draw(seed: int, shape: tuple[int, ...] = (2, 6, 7), classes: int = 4) -> torch.Tensor:
    """A target with regions, in which about one pixel in eight is ignored."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, classes, shape, generator=generator)
    alike = torch.rand(shape, generator=generator) < 0.6
    target = torch.where(alike, target[..., :1], target)
    target[torch.rand(shape, generator=generator) < 0.12] = 255
    return target


def around(target: torch.Tensor, b: int, y: int, x: int, width: int) -> set[int]:
    """Known labels within `width` steps of a pixel."""
    height, across = target.shape[1:]
    found = set()
    for v in range(height):
        for u in range(across):
            if abs(v - y) + abs(u - x) <= width:
                found.add(int(target[b, v, u]))
    return found - {255}


def category_spec(target: torch.Tensor, classes: int, sides: str, width: int) -> torch.Tensor:
    batch, height, across = target.shape
    edges = torch.zeros(batch, classes, height, across, dtype=torch.uint8)
    for b in range(batch):
        for y in range(height):
            for x in range(across):
                own, near = int(target[b, y, x]), around(target, b, y, x, width)
                for c in range(classes):
                    here = c in near if sides == "both" else c == own
                    is_edge = here and bool(near - {c})
                    edges[b, c, y, x] = 255 if own == 255 else is_edge
    return edges


def binary_spec(target: torch.Tensor, sides: str, width: int) -> torch.Tensor:
    edges = torch.zeros(target.shape, dtype=torch.uint8)
    for b, y, x in torch.ones(target.shape).nonzero().tolist():
        own, near = int(target[b, y, x]), around(target, b, y, x, width)
        is_edge = bool(near - {own}) and (sides == "both" or own != 0)
        edges[b, y, x] = 255 if own == 255 else is_edge
    return edges


@given(st.integers(0, 10**6), st.sampled_from(SIDES), st.integers(1, 3), st.booleans())
def test_edges_are_what_loops_find(seed: int, sides: str, width: int, as_bytes: bool) -> None:
    target = draw(seed, (1, 6, 7))
    given_ = target.byte() if as_bytes else target
    before = given_.clone()
    got = category_edges(given_, 5, sides=sides, width=width)
    assert torch.equal(got, category_spec(target, 5, sides, width))
    got = binary_edges(given_, sides=sides, width=width)
    assert torch.equal(got, binary_spec(target, sides, width))
    assert torch.equal(given_, before)


@given(st.integers(0, 10**6), st.integers(1, 2))
def test_binary_edges_are_the_union_of_the_categories(seed: int, width: int) -> None:
    target = draw(seed)
    both = category_edges(target, 4, width=width)
    assert torch.equal(binary_edges(target, width=width), both.amax(1))
    inner = category_edges(target, 4, sides="inner", width=width)
    assert torch.equal(binary_edges(target, sides="inner", width=width), inner[:, 1:].amax(1))
    # Of both sides, a class's own is the inner one; and each edge has two classes at least.
    own = target[:, None] == torch.arange(4)[:, None, None]
    assert torch.equal((both == 1) & own, inner == 1)
    assert ((both == 1).sum(1)[binary_edges(target, width=width) == 1] >= 2).all()


def test_by_hand() -> None:
    target = torch.tensor([[[0, 0, 0, 0, 0], [0, 0, 2, 2, 0], [1, 1, 2, 255, 255]]])
    both = [[0, 0, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 1, 255, 255]]
    inner = [[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [1, 1, 1, 255, 255]]
    of_1 = [[0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 255, 255]]
    of_2 = [[0, 0, 1, 1, 0], [0, 1, 1, 1, 1], [0, 1, 1, 255, 255]]
    assert binary_edges(target)[0].tolist() == both
    assert binary_edges(target, sides="inner")[0].tolist() == inner
    assert category_edges(target, 3)[0, 1:].tolist() == [of_1, of_2]


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("shape", [(0, 3, 3), (1, 1, 1), (2, 1, 9), (2, 9, 1), (1, 0, 4)])
def test_odd_sizes(shape: tuple[int, ...], sides: str) -> None:
    target = draw(0, shape) if shape[-1] and shape[0] else torch.zeros(shape, dtype=torch.long)
    got = category_edges(target, 4, sides=sides, width=2)
    assert torch.equal(got, category_spec(target, 4, sides, 2))
    assert torch.equal(binary_edges(target, sides=sides, width=2), binary_spec(target, sides, 2))


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("value", [0, 3, 255])
def test_one_label_has_no_edge_and_the_frame_is_none(value: int, sides: str) -> None:
    target = torch.full((2, 5, 4), value, dtype=torch.uint8)
    expected = 255 if value == 255 else 0
    assert (binary_edges(target, sides=sides, width=9) == expected).all()
    assert (category_edges(target, 4, sides=sides, width=9) == expected).all()


@pytest.mark.parametrize("other", [-1, -100, 300])
def test_another_value_may_be_the_ignored_one(other: int) -> None:
    target = draw(1)
    moved = target.where(target != 255, other)
    assert torch.equal(binary_edges(moved, ignore_index=other), binary_edges(target))
    assert torch.equal(category_edges(moved, 4, ignore_index=other), category_edges(target, 4))
    # 156 is −100 as a byte, 44 is 300: neither is ignored.
    bytes_ = torch.tensor([[[156, 156, 44]]], dtype=torch.uint8)
    assert binary_edges(bytes_, ignore_index=other).tolist() == [[[0, 1, 1]]]


def test_maps_of_all_classes_are_bytes() -> None:
    """At 28 images of 473² a map of floats for each class is half a gigabyte."""
    target = draw(0, (2, 40, 40))
    made: list[torch.Tensor] = []

    class Watch(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            result = function(*args, **(kwargs or {}))
            made.extend([result] if isinstance(result, torch.Tensor) else [])
            return result

    with Watch():
        category_edges(target, 30)
    maps = [tensor for tensor in made if tensor.numel() == 2 * 30 * 40 * 40]
    assert maps
    assert all(tensor.element_size() == 1 for tensor in maps)


@pytest.mark.parametrize("wrong", [-1, 4, 254])
def test_ids_outside_the_classes_are_refused(wrong: int) -> None:
    target = draw(0)
    target[0, 0, 0] = wrong
    with pytest.raises(ValueError, match=r"ids in \[0, 3\] or 255"):
        category_edges(target, 4)


def test_what_is_no_label_map_is_refused() -> None:
    target = draw(0)
    for make in (binary_edges, lambda t, **more: category_edges(t, 4, **more)):
        with pytest.raises(ValueError, match="sides is 'left'; it must be 'both' or 'inner'"):
            make(target, sides="left")
        for width in (0, -1):
            with pytest.raises(ValueError, match=f"width is {width}; it must be a whole number of"):
                make(target, width=width)
    with pytest.raises(ValueError, match="num_classes is 0; it must be at least 1"):
        category_edges(target, 0)
    with pytest.raises(ValueError, match="ids from 0 up or 255"):
        binary_edges(target - 1)
    # In the tests the annotations refuse these first.
    maps = partial(inspect.unwrap(category_edges), num_classes=4)
    for plain in (inspect.unwrap(binary_edges), maps):
        for wrong in (target[0], target[:, None], target.float(), target > 0):
            with pytest.raises(ValueError, match="integers"):
                plain(wrong)
        for width in (1.5, True):
            with pytest.raises(ValueError, match="it must be a whole number of at least 1"):
                plain(target, width=width)


def test_a_class_may_be_the_ignored_one() -> None:
    target = draw(2)
    moved = target.where(target != 255, 1)  # class 1 and what is unknown
    unknown = target.where(target != 1, 255)
    got = category_edges(moved, 4, ignore_index=1)
    assert torch.equal(got, category_edges(unknown, 4))
