"""Synthetic sets: the same interface, and folders that other readers read."""

from __future__ import annotations

import argparse
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from coursekit import synthfaces
from coursekit.commands.data import add_parser
from coursekit.data import Recipe, SynthDataset, audit, make, making, open_dataset
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, LAPA, merge_table

SMALL = Recipe(train=3, val=2, test=2, size=32, seed=5)


def run(*arguments: str) -> int:
    """What the command line does after parsing."""
    parser = argparse.ArgumentParser(prog="coursekit")
    add_parser(parser.add_subparsers(dest="command", required=True))
    parsed = parser.parse_args(["data", *arguments])
    code: int = parsed.handler(parsed)
    return code


def tree(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_synthetic_data_set_is_what_synthfaces_renders():
    dataset = SynthDataset(3, 4, 32, crowd=0.5, shift=0.5, first=10)
    assert dataset.names == ("00010", "00011", "00012", "00013")
    face = synthfaces.render(3, 12, 32, crowd=0.5, shift=0.5)
    sample = dataset[2]
    np.testing.assert_array_equal(sample.image, face.image)
    np.testing.assert_array_equal(sample.label_map, face.label_map)
    np.testing.assert_array_equal(sample.landmarks, face.landmarks)
    assert sample.image_path is None
    np.testing.assert_array_equal(dataset[2:][0].image, face.image)
    assert dataset.labelled
    assert dataset.arrays(24).images.shape == (4, 24, 24, 3)
    assert dataset[1:].arrays(24).images.shape == (3, 24, 24, 3)
    assert pickle.loads(pickle.dumps(dataset)).names == dataset.names
    assert dataset.identity() == SynthDataset(3, 4, 32, 0, 0.5, 0.5, 10).identity()


def test_settings_out_of_range():
    with pytest.raises(CourseError, match="at least 1"):
        SynthDataset(0, 0, 32)
    with pytest.raises(CourseError, match="synthetic faces"):
        SynthDataset(0, 1, 8)[0]


@pytest.mark.parametrize("layout", making.MAKEABLE)
def test_what_is_made_is_read_back(tmp_path, layout):
    paths = make(tmp_path / "faces", replace(SMALL, layout=layout))
    assert all(path.exists() for path in paths)
    faces = SynthDataset(5, 7, 32)
    table = merge_table(CELEBAMASK_HQ, LAPA) if layout == "lapa" else np.arange(256)
    seen = 0
    for split, count in (("train", 3), ("val", 2), ("test", 2)):
        dataset = open_dataset(tmp_path / "faces", split)
        assert (dataset.layout, len(dataset)) == (layout, count)
        assert dataset.labelled == (split != "test" or layout == "lapa")
        for sample in dataset:
            truth = faces[seen]
            assert np.abs(sample.image.astype(int) - truth.image).mean() < 8
            label_map = sample.label_map
            if label_map is None:
                truths = tmp_path / "faces" / making.TRUTH / f"{sample.name}.png"
                label_map = np.array(Image.open(truths))
            np.testing.assert_array_equal(label_map, table[truth.label_map])
            if layout == "lapa":
                np.testing.assert_allclose(sample.landmarks, truth.landmarks, atol=0.006)
            seen += 1
    assert audit(tmp_path / "faces").ok


def test_masks_have_the_course_palette(tmp_path):
    make(tmp_path / "faces", SMALL)
    with Image.open(tmp_path / "faces/train/masks/0.png") as mask:
        assert mask.mode == "P"
        colours = np.array(mask.getpalette()).reshape(-1, 3)
    np.testing.assert_array_equal(colours[:19], CELEBAMASK_HQ.palette_array())
    assert len(colours) == 256


def test_equal_recipes_make_equal_bytes(tmp_path):
    make(tmp_path / "a", SMALL)
    make(tmp_path / "b", SMALL, workers=2)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_noise_is_in_the_training_masks_alone(tmp_path):
    make(tmp_path / "clean", SMALL)
    make(tmp_path / "noisy", replace(SMALL, label_noise=1.0))
    clean, noisy = tree(tmp_path / "clean"), tree(tmp_path / "noisy")
    changed = {name.rsplit("/", 1)[0] for name in clean if clean[name] != noisy[name]}
    assert "train/masks" in changed
    assert not changed & {"train/images", "test/images", "test_truth/masks"}


def test_only_what_was_made_here_is_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("x", "utf-8")
    with pytest.raises(CourseError, match="not made here"):
        make(tmp_path / "mine", SMALL, force=True)
    make(tmp_path / "faces", SMALL)
    with pytest.raises(CourseError, match="--force"):
        make(tmp_path / "faces", SMALL)
    make(tmp_path / "faces", replace(SMALL, train=1, val=0), force=True)
    assert len(open_dataset(tmp_path / "faces", "train")) == 1
    assert not (tmp_path / "faces/val").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["faces", "mine"]


def test_nothing_is_left_of_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "save_mask", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(CourseError, match=r"full.*nothing was changed"):
        make(tmp_path / "faces", SMALL)
    assert list(tmp_path.iterdir()) == []


def test_recipes_that_cannot_be():
    for wrong, words in (
        ({"train": -1}, "below 0"), ({"train": 0, "val": 0, "test": 0}, "above"),
        ({"size": 8}, "at least 16"), ({"layout": "coco"}, "there are: course2025"),
    ):  # fmt: skip
        with pytest.raises(CourseError, match=words):
            replace(SMALL, **wrong)


def test_the_commands(tmp_path, capsys):
    out = str(tmp_path / "faces")
    numbers = ["--train", "3", "--val", "1", "--test", "1", "--size", "32"]
    assert run("make", out, *numbers) == 0
    printed = capsys.readouterr().out.splitlines()
    assert f"{out}/train/images" in [line.replace("\\", "/") for line in printed]
    assert run("check", out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert run("stats", out, "--size", "16", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(found["splits"]["train"]["class_counts"].values()) == 3 * 16 * 16
    assert run("stats", out) == 0
    assert "train mean (RGB" in capsys.readouterr().out
    (tmp_path / "faces/train/masks/0.png").unlink()
    assert run("check", out) == 1
    assert "unpaired-image [train] × 1" in capsys.readouterr().out


@pytest.mark.parametrize("command", [[], ["make"], ["check"], ["stats"]])
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(*command, "--help")
    assert stopped.value.code == 0
    assert "example:\n  coursekit data " in capsys.readouterr().out
