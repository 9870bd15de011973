"""Procedural faces behind the interface of photos: drawn once, and nobody else's to change."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from torch import nn

from coursekit import synthfaces
from coursekit.data import SynthDataset, class_counts, synthetic
from coursekit.training import FitConfig, fit

SIZE = 24


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The indices of the faces that are drawn, in turn."""
    render, indices = synthfaces.render, []

    def counting(seed: int, index: int, *args: int, **style: float) -> synthfaces.SynthFace:
        indices.append(index)
        return render(seed, index, *args, **style)

    monkeypatch.setattr(synthfaces, "render", counting)
    return indices


def test_whoever_counts_trains_and_looks_draws_each_face_once(drawn: list[int]) -> None:
    train, val = SynthDataset(0, 4, SIZE), SynthDataset(0, 2, SIZE, first=4)
    class_counts(train)
    fit(nn.Conv2d(3, 19, 1), train, val, FitConfig(size=SIZE, epochs=1, batch_size=2))
    for sample in (*train, *train[1:3], *val):
        assert sample.image.shape == (SIZE, SIZE, 3)
    assert sorted(drawn) == [0, 1, 2, 3, 4, 5]


def test_what_was_given_out_can_be_changed() -> None:
    dataset = SynthDataset(0, 1, SIZE)
    first, expected = dataset[0], SynthDataset(0, 1, SIZE)[0]
    for array in (first.image, first.label_map, first.landmarks):
        assert array is not None
        array += 1
    for again in (dataset[0], dataset[:1][0]):
        np.testing.assert_array_equal(again.image, expected.image)
        np.testing.assert_array_equal(again.label_map, expected.label_map)
        np.testing.assert_array_equal(again.landmarks, expected.landmarks)


def test_no_more_is_kept_than_there_is_room_for(
    drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    face = SynthDataset(0, 1, SIZE)[0]
    arrays = [array for array in vars(face).values() if isinstance(array, np.ndarray)]
    monkeypatch.setattr(synthetic, "_KEPT", 3 * sum(array.nbytes for array in arrays) - 1)
    drawn.clear()
    dataset = SynthDataset(0, 4, SIZE)
    for _ in range(2):
        assert len([dataset.label_map(index) for index in range(4)]) == 4
    assert drawn == [0, 1, 2, 3, 2, 3]


def test_another_look_is_drawn_anew(drawn: list[int]) -> None:
    dataset = SynthDataset(0, 1, SIZE)
    usual, part = dataset.image(0), dataset[:1]
    part.shift = 1.0
    assert (part.image(0) != usual).any()
    np.testing.assert_array_equal(dataset.image(0), usual)
    assert drawn == [0, 0]


def test_a_worker_is_sent_no_faces() -> None:
    dataset = SynthDataset(0, 4, SIZE)
    bare = len(pickle.dumps(dataset))
    samples = list(dataset)
    assert len(pickle.dumps(dataset)) == bare
    sent = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(sent[2].image, samples[2].image)
