"""Items for torch that depend on seed, epoch and index alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from coursekit.data import Augmentation, SynthDataset, TrainingView, open_dataset, whitening
from tests.data import trees


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = trees.write_course2025(tmp_path_factory.mktemp("faces"), train=6)
    return open_dataset(root, "train")


def view(dataset, **arguments):
    return TrainingView(dataset, 32, whitening(dataset, 32), Augmentation(), **arguments)


def test_an_item(dataset):
    plain = TrainingView(dataset, 32, whitening(dataset, 32))
    item = plain[1]
    assert (item["image"].shape, item["image"].dtype) == ((3, 32, 32), torch.float32)
    assert (item["target"].shape, item["target"].dtype) == ((32, 32), torch.int64)
    assert item["name"] == "1"
    assert "landmarks" not in item
    arrays = dataset.arrays(32)
    np.testing.assert_array_equal(item["target"], arrays.label_maps[1])
    np.testing.assert_array_equal(plain.whitening.undo(item["image"].numpy()), arrays.images[1])
    stacked = torch.stack([plain[i]["image"] for i in range(len(plain))])
    torch.testing.assert_close(stacked.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(stacked.std((0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)


def test_an_item_follows_from_seed_epoch_and_index(dataset):
    one, two = view(dataset, seed=3), view(dataset, seed=3)
    for epoch in (0, 4):
        one.set_epoch(epoch)
        two.set_epoch(epoch)
        expected = [one[i]["image"] for i in range(6)]
        for index in (5, 0, 3):  # another order, as after resuming
            torch.testing.assert_close(two[index]["image"], expected[index], atol=0, rtol=0)
    assert not torch.equal(view(dataset, seed=3)[0]["image"], view(dataset, seed=4)[0]["image"])
    one.set_epoch(1)
    assert not torch.equal(one[0]["image"], expected[0])
    assert one.epoch == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_change_no_byte_and_see_the_epoch(dataset, workers):
    shown = view(dataset, seed=1)
    for epoch in range(2):
        shown.set_epoch(epoch)
        batches = list(DataLoader(shown, batch_size=2, num_workers=workers))
        assert [n for b in batches for n in b["name"]] == list(dataset.names)
        expected = view(dataset, seed=1)
        expected.set_epoch(epoch)
        images = torch.stack([expected[i]["image"] for i in range(6)])
        torch.testing.assert_close(torch.cat([b["image"] for b in batches]), images, atol=0, rtol=0)


def test_a_view_can_be_sent_to_another_process(dataset):
    shown = view(dataset, seed=1)
    shown.set_epoch(3)
    sent = pickle.loads(pickle.dumps(shown))  # as workers that are not forked get it
    torch.testing.assert_close(sent[4]["image"], shown[4]["image"], atol=0, rtol=0)


def test_landmarks_stand_beside_the_target():
    faces = SynthDataset(0, 3, 48)
    white = whitening(faces, 32)
    plain = TrainingView(faces, 32, white)
    for index, face in enumerate(faces):
        found = plain[index]["landmarks"]
        assert (found.shape, found.dtype) == ((106, 2), torch.float32)
        expected = (face.landmarks + 0.5) * 32 / 48 - 0.5
        np.testing.assert_allclose(found, expected, atol=1e-4)
    moving = Augmentation(scale=(1.2, 1.2), mirror_probability=1.0, rotation=20.0)
    moved = TrainingView(faces, 32, white, moving, seed=4)
    rng = np.random.default_rng(np.random.SeedSequence([4, 0, 1]))
    arrays = faces.arrays(32)
    _, label_map, landmarks = moving(
        arrays.images[1], arrays.label_maps[1], arrays.landmarks[1], rng, faces.labels
    )
    np.testing.assert_array_equal(moved[1]["target"], label_map)
    np.testing.assert_array_equal(moved[1]["landmarks"], landmarks)
    batch = next(iter(DataLoader(moved, batch_size=3)))
    assert batch["landmarks"].shape == (3, 106, 2)


def test_unlabelled_items_have_no_target(tmp_path):
    trees.write_course2025(tmp_path)
    test = open_dataset(tmp_path, "test")
    item = TrainingView(test, 16, whitening(test, 16))[0]
    assert set(item) == {"image", "name"}


def test_bounds_and_arrays(dataset):
    shown = view(dataset.arrays(32))
    torch.testing.assert_close(shown[-1]["image"], shown[5]["image"], atol=0, rtol=0)
    with pytest.raises(IndexError):
        shown[6]
    assert len(pickle.loads(pickle.dumps(dataset))) == 6
