"""Items for torch that depend on seed, epoch and index alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from coursekit.data import Augmentation, TrainingView, open_dataset, whitening
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
    loader = DataLoader(
        shown, batch_size=2, num_workers=workers, persistent_workers=workers > 0,
        multiprocessing_context="spawn" if workers else None,
    )  # fmt: skip
    for epoch in range(2):
        shown.set_epoch(epoch)
        batches = list(loader)
        assert [n for b in batches for n in b["name"]] == list(dataset.names)
        expected = view(dataset, seed=1)
        expected.set_epoch(epoch)
        images = torch.stack([expected[i]["image"] for i in range(6)])
        torch.testing.assert_close(torch.cat([b["image"] for b in batches]), images, atol=0, rtol=0)


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
