"""What a page can ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from coursekit.annotation.regions import HAIR, SKIN
from coursekit.commands.annotate import summary
from coursekit.data import open_dataset
from coursekit.data.landmark_files import read_landmarks, write_landmarks
from coursekit.errors import CourseError
from coursekit.labelling.learn import faces
from coursekit.labelling.photos import find_photos
from coursekit.labelling.proposals import Network, Proposal
from coursekit.labelling.records import Conflict
from coursekit.labelling.sessions import Session
from coursekit.labels import LAPA
from tests.labelling.folders import face, folder, moved, sent, session
from tests.labelling.test_proposals import network


class Sure(Network):
    """A network that knows the truth of the first face, and is not sure of its chin."""

    def __init__(self) -> None:
        super().__init__(Path("runs/sure/model.safetensors"))

    def propose(self, image: np.ndarray) -> Proposal:
        sure = np.ones(106, np.float32)
        sure[16] = 0.1
        return Proposal(face(0).landmarks.astype(np.float64), sure, "network sure")


def test_from_the_first_look_to_the_saved_file(tmp_path: Path) -> None:
    tool = session(tmp_path)
    about = tool.call("open", {})
    assert about["at"] == "0"
    assert about["pictures"] == [["0", "new", 0, 0, 0], ["1", "new", 0, 0, 0]]
    assert about["names"][16] == "chin"
    picture = tool.call("picture", {"name": "0"})
    assert (picture["width"], picture["height"], picture["state"]) == (96, 96, "new")
    assert picture["source"] == "the mean face"
    kept = tool.call("keep", sent(picture, **moved(picture, 54, 3)))
    assert (kept["state"], kept["moved"]) == ("draft", 1)
    again = Session(find_photos(tool.photos.root))  # the tool was ended and started
    resumed = again.call("picture", {"name": "0"})
    assert resumed["points"] == moved(picture, 54, 3)["points"]
    assert resumed["touched"] == [54]
    edit = sent(resumed, "two", hidden=[0, 1], **moved(resumed, 55, 1))
    saved = again.call("save", {**edit, "touched": [54, 55]})
    assert (saved["state"], saved["moved"], saved["message"]) == ("saved", 2, "")
    assert again.call("rows", {})["pictures"][0] == ["0", "saved", 2, 1, 2]
    there = read_landmarks(tool.photos.landmarks("0"))
    np.testing.assert_allclose(there, edit["points"], atol=0.006)
    assert "1 of 2 photographs are saved; a saved one took 2.0 points" in summary(again)


def test_what_is_saved_is_a_data_set(tmp_path: Path) -> None:
    tool = session(tmp_path)
    for name in ("0", "1"):
        tool.call("save", sent(tool.call("picture", {"name": name})))
    found = open_dataset(tmp_path, "train")
    assert (found.layout, len(found), found.labelled, found.landmarked) == ("lapa", 2, True, True)
    assert found[0].label_map is not None
    assert set(np.unique(found[0].label_map)) >= {LAPA.index(n) for n in ("skin", "nose", "u_lip")}


def test_it_goes_on_where_the_hand_stopped(tmp_path: Path) -> None:
    tool = session(tmp_path)
    tool.call("at", {"name": "1"})
    assert Session(tool.photos).call("open", {})["at"] == "1"
    (tool.photos.root / "annotation/.at").write_text('{"at": "gone"}')
    assert Session(tool.photos).call("open", {})["at"] == "0"


def test_two_windows(tmp_path: Path) -> None:
    tool = session(tmp_path)
    picture = tool.call("picture", {"name": "0"})
    tool.call("keep", sent(picture, "one", **moved(picture, 54, 3)))
    for method in ("keep", "save"):
        with pytest.raises(Conflict):
            tool.call(method, sent(picture, "two", **moved(picture, 54, -3)))
    assert tool.call("picture", {"name": "0"})["points"][54][0] == picture["points"][54][0] + 3


def test_a_network_proposes_and_says_where_it_is_not_sure(tmp_path: Path) -> None:
    tool = Session(find_photos(folder(tmp_path)), Sure())
    picture = tool.call("picture", {"name": "0"})
    assert picture["source"] == "network sure"
    assert int(np.argmin(picture["sure"])) == 16
    np.testing.assert_allclose(picture["points"], face(0).landmarks, atol=1e-3)
    mean = tool.call("propose", {"name": "0", "of": "mean"})
    assert mean["source"] == "the mean face"
    tool.call("save", sent(picture))
    before = tool.call("propose", {"name": "1", "of": "0"})
    np.testing.assert_allclose(before["points"], picture["points"], atol=1e-3)
    with pytest.raises(CourseError, match="1 has no points yet"):
        tool.call("propose", {"name": "0", "of": "1"})


def test_a_network_that_cannot_be_read_leaves_the_mean_face(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "annotation/model").mkdir(parents=True)
    (root / "annotation/model/model.safetensors").write_bytes(b"cut off")
    tool = Session(find_photos(root))
    picture = tool.call("picture", {"name": "0"})
    assert picture["source"] == "the mean face"
    assert "not a whole safetensors file" in picture["message"]


def test_landmark_files_that_are_there_are_shown(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "landmarks").mkdir()
    write_landmarks(root / "landmarks/0.txt", face(0).landmarks)
    tool = Session(find_photos(root))
    assert [row[1] for row in tool.call("open", {})["pictures"]] == ["file", "new"]
    picture = tool.call("picture", {"name": "0"})
    assert picture["source"] == "the landmark file"
    np.testing.assert_allclose(picture["points"], face(0).landmarks, atol=0.01)
    assert not picture["message"]


@pytest.mark.parametrize(
    ("scale", "shift", "told"),
    [
        (9, 0, "points lie outside the picture"), (0, 0, "all points lie within 8 pixels"),
        (1 / 96, 0, "all points lie within 8 pixels"), (1e8, 0, "has no place in a picture"),
        (1, 42, "outside its 96×96 photo"),
    ],
)  # fmt: skip
def test_landmark_files_of_other_pictures(
    scale: float, shift: float, told: str, tmp_path: Path
) -> None:
    root = folder(tmp_path, 1)
    (root / "landmarks").mkdir()
    write_landmarks(root / "landmarks/0.txt", face(0).landmarks * scale + (shift, 0))
    theirs = (root / "landmarks/0.txt").read_bytes()
    tool = Session(find_photos(root))
    with pytest.raises(CourseError, match="none of the saved pictures can be read"):
        faces(tool.photos, ["0"], 32)
    picture = tool.call("picture", {"name": "0"})
    assert (picture["state"], picture["source"]) == ("new", "the mean face")
    assert f"{root / 'landmarks/0.txt'}: " in picture["message"]
    assert told in picture["message"]
    assert tool.call("open", {})["pictures"][0][1] == "new"
    assert tool.call("save", sent(picture))["state"] == "saved"
    assert (root / "annotation/replaced/landmarks/0.txt").read_bytes() == theirs


def test_one_file_that_cannot_be_read_does_not_stop_the_training(tmp_path: Path) -> None:
    tool = session(tmp_path)
    for name in ("0", "1"):
        tool.call("save", sent(tool.call("picture", {"name": name})))
    tool.photos.record("0").unlink()
    tool.photos.record("0").mkdir()
    assert [sample.name for sample in faces(tool.photos, ["0", "1"], 32)] == ["1"]


def test_points_of_a_picture_with_any_name(tmp_path: Path) -> None:
    """Who proposed them is kept in a record, whose lines are printable and short."""
    root = folder(tmp_path)
    (root / "images/0.png").rename(root / f"images/{'a' * 60} #\u200bé.png")
    tool = Session(find_photos(root))
    other = next(name for name in tool.photos.photos if name != "1")
    tool.call("save", sent(tool.call("picture", {"name": other})))
    found = tool.call("propose", {"name": "1", "of": other})
    picture = tool.call("picture", {"name": "1"})
    kept = tool.call("keep", sent(picture, source=found["source"], **moved(picture, 54, 3)))
    assert kept["state"] == "draft"
    assert Session(tool.photos).rows["1"].state == "draft"


def test_a_picture_that_is_opened_again_says_who_has_written_it(tmp_path: Path) -> None:
    tool = session(tmp_path)
    picture = tool.call("picture", {"name": "0"})
    assert picture["window"] == ""
    tool.call("keep", sent(picture, "one", **moved(picture, 54, 3)))
    assert tool.call("picture", {"name": "0"})["window"] == "one"


def test_without_a_network_it_is_said_that_there_is_none(tmp_path: Path) -> None:
    found = session(tmp_path).call("propose", {"name": "0", "of": "network"})
    assert found["source"] == "the mean face"
    assert "There is no network yet" in found["message"]


def test_points_that_cut_a_face_may_lie_outside(tmp_path: Path) -> None:
    tool = session(tmp_path)
    picture = tool.call("picture", {"name": "0"})
    assert tool.call("save", sent(picture, **moved(picture, 0, -35)))["state"] == "saved"


def test_the_others_follow(tmp_path: Path) -> None:
    tool = session(tmp_path)
    picture = tool.call("picture", {"name": "0"})
    now = moved(picture, 54, 4)["points"]
    found = tool.call("follow", {"base": picture["points"], "points": now, "moved": [54]})
    np.testing.assert_allclose(found["points"], np.add(picture["points"], (4, 0)), atol=0.01)
    assert found["paths"]["nose"].startswith("M")


def test_hair_over_the_parts(tmp_path: Path) -> None:
    def parser(image: np.ndarray) -> np.ndarray:
        found = np.full(image.shape[:2], SKIN, np.uint8)
        found[: len(found) // 2] = HAIR
        return found

    tool = Session(find_photos(folder(tmp_path)), parser=parser)
    assert tool.call("open", {})["parsing"]
    picture = tool.call("picture", {"name": "0"})
    layers = tool.call("regions", {"name": "0", "points": picture["points"]})
    assert set(layers) == {"skin", "hair", "mask"}
    assert all(layer.startswith("data:image/png;base64,") for layer in layers.values())
    tool.call("save", sent(picture))
    drawn = np.array(Image.open(tool.photos.label_map("0")))
    assert (drawn[:40] == LAPA.index("hair")).all()


def test_hair_is_looked_for_where_the_face_is(tmp_path: Path) -> None:
    looks: list[tuple[int, ...]] = []

    def parser(image: np.ndarray) -> np.ndarray:
        looks.append(image.shape)
        return np.full(image.shape[:2], SKIN, np.uint8)

    tool = Session(find_photos(folder(tmp_path)), parser=parser)
    points = np.array(tool.call("picture", {"name": "0"})["points"])
    for shift, seen in ((0, 2), (3, 2), (40, 4), (41, 4)):  # coarsely and finely
        said = {"name": "0", "points": (0.5 * points + (shift, 20)).tolist()}
        tool.call("regions", said)
        assert len(looks) == seen


def test_networks_that_see_no_face_there(tmp_path: Path) -> None:
    nothing = Session(
        find_photos(folder(tmp_path)), parser=lambda image: np.zeros(image.shape[:2], np.uint8)
    )
    picture = nothing.call("picture", {"name": "0"})
    with pytest.raises(CourseError, match="points lie on a face or hair"):
        nothing.call("regions", {"name": "0", "points": picture["points"]})
    saved = nothing.call("save", sent(picture))
    assert saved["state"] == "saved"
    assert "Saved without hair" in saved["message"]


def test_a_photograph_that_cannot_be_read(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "images/0.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    tool = Session(find_photos(root))
    for method in ("picture", "image"):
        with pytest.raises(CourseError, match=r"0\.png"):
            tool.call(method, {"name": "0"})
    assert tool.call("picture", {"name": "1"})["width"] == 96


def test_a_photograph_that_is_replaced_while_it_is_open(tmp_path: Path) -> None:
    """Points of another size are not drawn on it as if they were its own, and none is lost."""
    tool = session(tmp_path, 1)
    picture = tool.call("picture", {"name": "0"})
    before = tool.call("save", sent(picture, **moved(picture, 54, 3)))
    drawn = tool.photos.label_map("0").read_bytes()
    Image.fromarray(face(0).image).resize((48, 24)).save(tool.photos.photos["0"])
    edit = sent(picture, sequence=2, **moved(picture, 54, 5)) | {"tag": before["tag"]}
    with pytest.raises(CourseError, match=r"0\.png: is 48×24 now, and was 96×96 .* are kept"):
        tool.call("save", edit)
    assert tool.photos.label_map("0").read_bytes() == drawn
    assert tool.call("keep", edit)["state"] == "draft"
    with pytest.raises(CourseError, match="none of the saved pictures can be read"):
        faces(tool.photos, ["0"], 32)
    for again in (tool, Session(tool.photos)):  # the page, and the tool started anew
        found = again.call("picture", {"name": "0"})
        assert (found["width"], found["height"], found["state"]) == (48, 24, "draft")
        assert "They are scaled with it: look at them" in found["message"]
        scaled = (np.array(edit["points"]) + 0.5) * (0.5, 0.25) - 0.5
        np.testing.assert_allclose(found["points"], scaled, atol=1e-3)
    assert found["photo"] != picture["photo"]
    assert tool.call("save", sent(found, sequence=3))["state"] == "saved"
    with Image.open(tool.photos.label_map("0")) as drawn_anew:
        assert drawn_anew.size == (48, 24)
    assert not tool.call("picture", {"name": "0"})["message"]


def test_a_record_of_an_older_version_says_no_size(tmp_path: Path) -> None:
    tool = session(tmp_path, 1)
    picture = tool.call("picture", {"name": "0"})
    tool.call("save", sent(picture))
    record = json.loads(tool.photos.record("0").read_text())
    assert record.pop("size") == [96, 96]
    tool.photos.record("0").write_text(json.dumps(record))
    found = tool.call("picture", {"name": "0"})
    assert (found["state"], found["message"]) == ("saved", "")
    assert tool.call("save", sent(found, sequence=2))["state"] == "saved"


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    root = folder(tmp_path, 1)
    turned = Image.fromarray(face(0).image[:, :60])
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(root / "images/0.png", exif=exif)
    tool = Session(find_photos(root))
    picture = tool.call("picture", {"name": "0"})
    shown = cv2.imdecode(np.frombuffer(tool.call("image", {"name": "0"}), np.uint8), 1)
    assert shown is not None
    assert (picture["height"], picture["width"]) == shown.shape[:2] == (60, 96)


NAN, FAR = [[float("nan"), 1.0]] * 106, [[1e9, 1.0]] * 106


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("delete", {}),
        ("picture", {"name": "../../etc/passwd"}),
        ("picture", {"name": "images/0"}),
        ("picture", {"name": ["0"]}),
        ("image", {}),
        ("draw", {"points": NAN}),
        ("draw", {"points": FAR}),
        ("draw", {"points": [[1, 2]] * 105}),
        ("draw", {"points": "106"}),
        ("draw", {"points": [[1, 2]] * 105 + [[1]]}),
        ("follow", {"base": [[1, 2]] * 106, "points": [[1, 2]] * 106, "moved": [106]}),
        ("keep", {"name": "0"}),
    ],
)
def test_what_is_refused(method: str, said: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CourseError):
        session(tmp_path, 1).call(method, said)


@pytest.mark.parametrize(
    "odd",
    [
        {"points": NAN}, {"hidden": [True]}, {"hidden": [-1]}, {"hidden": "7"}, {"drags": -1},
        {"seconds": float("inf")}, {"seconds": "1"}, {"window": "a\nb"}, {"window": "x" * 99},
        {"proposed": None}, {"tag": None}, {"sequence": True}, {"name": "2"}, {"source": 1},
        {"size": [96]}, {"size": [96, -1]}, {"size": [96, 9.5]}, {"size": "96"},
    ],
)  # fmt: skip
def test_an_odd_edit_changes_nothing(odd: dict[str, Any], tmp_path: Path) -> None:
    tool = session(tmp_path, 1)
    picture = tool.call("picture", {"name": "0"})
    for method in ("keep", "save"):
        with pytest.raises(CourseError):
            tool.call(method, sent(picture, **odd))
    assert not tool.photos.record("0").exists()


def test_checkpoints_are_tried_before_the_page_opens(tmp_path: Path) -> None:
    root = folder(tmp_path)
    points, maps = network(tmp_path / "p.safetensors"), network(tmp_path / "m.safetensors", "lapa")
    assert Session.of(root, points, maps).parser is not None
    with pytest.raises(CourseError, match="draws label maps"):
        Session.of(root, maps)
    with pytest.raises(CourseError, match=r"p\.safetensors: .* finds landmarks and draws no"):
        Session.of(root, None, points)
    with pytest.raises(CourseError, match="no such checkpoint"):
        Session.of(root, tmp_path / "none.safetensors")
