"""`coursekit predict` on photographs of any shape, beside files that are none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit import checkpoint, create_model
from coursekit.cli import main
from coursekit.data.images import read_image
from coursekit.data.masks import read_label_map
from coursekit.errors import CourseError
from coursekit.inference import predict_label_map
from coursekit.labels import CELEBAMASK_HQ, PALETTES
from coursekit.prediction import blend, predict_folder
from coursekit.synthfaces import render


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    info = checkpoint.ModelInfo(
        "fastscnn", {"num_classes": 19}, CELEBAMASK_HQ.key, 64, (0.5,) * 3, (0.25,) * 3
    )
    checkpoint.save(tmp_path / "model.safetensors", create_model("fastscnn"), info)
    return tmp_path / "model.safetensors"


def image_size(path: Path) -> tuple[int, ...]:
    return read_image(path).shape[:2]


def photograph(path: Path, height: int, width: int, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    face = Image.fromarray(render(0, 0, 96).image)
    face.resize((width, height)).save(path, **options)


def test_every_photograph_gets_a_label_map_of_its_size(tmp_path: Path, weights: Path) -> None:
    photos = tmp_path / "photos"
    for name, height, width in (("a.jpg", 60, 90), ("a.png", 90, 60), ("in/b.png", 1, 7)):
        photograph(photos / name, height, width)
    Image.fromarray(np.zeros((40, 30), np.uint8)).save(photos / "grey.bmp")
    made = predict_folder(weights, photos, tmp_path / "out")
    assert made.images == 4 and made.problems == ()
    for name, shape in (
        ("a.jpg.png", (60, 90)), ("a.png.png", (90, 60)), ("in/b.png", (1, 7)),
        ("grey.png", (40, 30)),
    ):  # fmt: skip
        label_map = read_label_map(tmp_path / "out" / "label_maps" / name, CELEBAMASK_HQ)
        assert label_map.shape == shape
        assert image_size(tmp_path / "out" / "overlays" / name) == shape
    assert (tmp_path / "out" / "contact.png").is_file()


def test_a_square_photograph_is_predicted_as_evaluation_does(tmp_path: Path, weights: Path) -> None:
    photograph(tmp_path / "face.png", 80, 80)
    predict_folder(weights, tmp_path / "face.png", tmp_path / "out")
    loaded = checkpoint.load(weights)
    image = read_image(tmp_path / "face.png")
    expected = predict_label_map(loaded.model.eval(), image, loaded.info)
    got = read_label_map(tmp_path / "out" / "label_maps" / "face.png", CELEBAMASK_HQ)
    np.testing.assert_array_equal(got, expected)


def test_edge_heads_change_no_pixel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    config = {"num_classes": 19, "repeats": 1, "edge_heads": "both"}
    info = checkpoint.ModelInfo("fastscnn", config, CELEBAMASK_HQ.key, 64, (0.5,) * 3, (0.25,) * 3)
    model = create_model("fastscnn", **config).eval()
    checkpoint.save(tmp_path / "model.safetensors", model, info)
    photograph(tmp_path / "face.png", 80, 80)
    used: list[torch.nn.Module] = []
    original = predict_label_map
    monkeypatch.setattr(
        "coursekit.prediction.predict_label_map",
        lambda network, *rest: (used.append(network), original(network, *rest))[1],
    )
    predict_folder(tmp_path / "model.safetensors", tmp_path / "face.png", tmp_path / "out")
    assert used[0].config.edge_heads == "none"
    got = read_label_map(tmp_path / "out" / "label_maps" / "face.png", CELEBAMASK_HQ)
    expected = predict_label_map(model, read_image(tmp_path / "face.png"), info)
    np.testing.assert_array_equal(got, expected)


def test_a_photograph_is_turned_upright(tmp_path: Path, weights: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photograph(tmp_path / "photos" / "phone.jpg", 40, 60, exif=exif)
    predict_folder(weights, tmp_path / "photos", tmp_path / "out")
    assert image_size(tmp_path / "out" / "overlays" / "phone.png") == (60, 40)


def test_large_photographs_need_no_large_logits(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coursekit.prediction.MOST_PIXELS", 50 * 50)
    photograph(tmp_path / "large.png", 120, 100)
    predict_folder(weights, tmp_path / "large.png", tmp_path / "out")
    assert image_size(tmp_path / "out" / "label_maps" / "large.png") == (120, 100)


def test_files_that_are_no_photographs_do_not_stop_the_others(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photograph(photos / "good.png", 40, 40)
    photograph(photos / ".hidden.png", 40, 40)
    (photos / "notes.txt").write_text("no picture")
    (photos / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0torn")
    call = ["predict", str(photos), "--checkpoint", str(weights), "--cpu"]
    # A second run must not predict the overlays of the first.
    for _ in range(2):
        assert main([*call, "--out", str(photos / "out")]) == 1
        said = capsys.readouterr()
        assert "torn.jpg" in said.err and "1 photographs predicted, 1 left out" in said.out
    (photos / "good.png").unlink()
    shutil.rmtree(photos / "out")
    assert main([*call, "--out", str(tmp_path / "other")]) == 2
    assert "none of the photographs" in capsys.readouterr().err


def outputs(folder: Path) -> list[str]:
    maps = folder / "label_maps"
    return sorted(path.relative_to(maps).as_posix() for path in maps.rglob("*.png"))


@pytest.mark.parametrize("where", [".", "..", "photos", "photos/out"])
def test_the_output_may_lie_beside_or_around_the_photographs(
    tmp_path: Path, weights: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photograph(photos / "a.png", 20, 20)
    photograph(photos / "in" / "b.png", 20, 20)
    monkeypatch.chdir(photos if where.startswith(".") else tmp_path)
    source = "." if where.startswith(".") else "photos"
    for _ in range(2):  # what the first run made is no photograph of the second
        assert predict_folder(weights, source, where).images == 2
        assert outputs(Path(where)) == ["a.png", "in/b.png"]


def test_two_photographs_never_share_a_name(tmp_path: Path, weights: Path) -> None:
    for name in ("a.jpg", "a.JPG", "a.jpg.png", "b.jpg", "b.jpg.png"):
        photograph(tmp_path / "photos" / name, 20, 20, format="PNG")
    made = predict_folder(weights, tmp_path / "photos", tmp_path / "out")
    assert made.images == 5 and len(outputs(tmp_path / "out")) == 5


@pytest.mark.parametrize("name", ["contact.png", "overlays/0.png"])
def test_a_photograph_is_never_replaced(tmp_path: Path, weights: Path, name: str) -> None:
    photograph(tmp_path / name, 20, 20)
    before = (tmp_path / name).read_bytes()
    source = tmp_path / name if "/" in name else tmp_path
    with pytest.raises(CourseError, match="is a photograph, and would be replaced"):
        predict_folder(weights, source, tmp_path)
    assert (tmp_path / name).read_bytes() == before


def test_a_panorama_takes_no_square_of_memory(tmp_path: Path, weights: Path) -> None:
    long = np.zeros((8, 60_000, 3), np.uint8)
    long[:, 30_000:] = 255
    Image.fromarray(long).save(tmp_path / "long.png")
    predict_folder(weights, tmp_path / "long.png", tmp_path / "out")
    assert image_size(tmp_path / "out" / "label_maps" / "long.png") == (8, 60_000)


def test_the_contact_sheet_shows_what_can_be_read(tmp_path: Path, weights: Path) -> None:
    photos = tmp_path / "photos"
    photograph(photos / "7 $x_1$ 顔.png", 20, 20)  # no name may upset the captions
    for number in range(60):
        (photos / f"{number}.jpg").write_text("a pointer to a large file")
    made = predict_folder(weights, photos, tmp_path / "out")
    assert made.images == 1 and len(made.problems) == 60
    assert (tmp_path / "out" / "contact.png").is_file()


def test_links_in_a_circle_are_named(tmp_path: Path, weights: Path) -> None:
    photos = tmp_path / "photos"
    photograph(photos / "good.png", 20, 20)
    (photos / "loop.png").symlink_to(photos / "loop.png")
    os.mkfifo(photos / "pipe.png")
    made = predict_folder(weights, photos, tmp_path / "out")
    assert made.images == 1
    assert [problem.split(":")[0] for problem in made.problems] == [
        str(photos / "loop.png"),
        str(photos / "pipe.png"),
    ]


def test_fractions_are_brightness(tmp_path: Path, weights: Path) -> None:
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "half.tif")
    assert (read_image(tmp_path / "half.tif") == 127).all()


@pytest.mark.parametrize("images", ["missing", "empty"])
def test_a_folder_without_photographs_is_named(tmp_path: Path, weights: Path, images: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CourseError, match=images):
        predict_folder(weights, tmp_path / images, tmp_path / "out")
    with pytest.raises(CourseError, match="opacity"):
        predict_folder(weights, tmp_path / "empty", tmp_path / "out", opacity=2)


def test_another_palette_draws_and_stores_nothing_else(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_PALETTE", "official")  # put back in the end
    photograph(tmp_path / "photos" / "a.png", 60, 60)
    call = ["predict", str(tmp_path / "photos"), "--checkpoint", str(weights), "--cpu", "--out"]
    for palette in PALETTES:
        assert main([*call, str(tmp_path / palette), "--palette", palette]) == 0
    official, safe = (tmp_path / palette for palette in PALETTES)
    stored = [(out / "label_maps" / "a.png").read_bytes() for out in (official, safe)]
    assert stored[0] == stored[1]
    for name in ("overlays/a.png", "contact.png"):
        assert (official / name).read_bytes() != (safe / name).read_bytes()


def test_the_background_keeps_its_colours() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    label_map = np.array([[0, 1], [0, 18]], np.uint8)
    mixed = blend(image, label_map, CELEBAMASK_HQ, 0.5)
    assert (mixed[:, 0] == 100).all()
    assert mixed[0, 1].tolist() == [152, 50, 50]  # half grey, half (204, 0, 0)
    assert (blend(image, label_map, CELEBAMASK_HQ, 0) == image).all()
