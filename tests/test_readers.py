"""Every form of photograph and of mask, through every command that reads them: equal pixels."""

from __future__ import annotations

import io
import os
import struct
import sys
import unicodedata
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms

from coursekit import checkpoint, create_model
from coursekit.cli import main
from coursekit.codabench import formats
from coursekit.codabench.solution import make_solution
from coursekit.codabench.submission import submit
from coursekit.data import audit, open_dataset
from coursekit.data.images import read_image
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ
from coursekit.prediction import predict_folder
from coursekit.training import evaluate
from tests.data import trees

SIDE = 64
PHOTO = trees.photo(5, SIDE, SIDE)
GREY = np.asarray(Image.fromarray(PHOTO).convert("L"))
Pixels = NDArray[np.uint8]

# --- forms of photographs ------------------------------------------------------------------------


def saved(pixels: Pixels, kind: str, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, kind, **options)
    return out.getvalue()


def turned(orientation: int, kind: str) -> bytes:
    """The photograph as a phone stores it: turned, with a note of how."""
    stored = {
        1: PHOTO, 2: PHOTO[:, ::-1], 3: PHOTO[::-1, ::-1], 4: PHOTO[::-1],
        5: PHOTO.transpose(1, 0, 2), 6: np.rot90(PHOTO),
        7: PHOTO.transpose(1, 0, 2)[::-1, ::-1], 8: np.rot90(PHOTO, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 97, "subsampling": 0} if kind == "JPEG" else {}
    return saved(np.ascontiguousarray(stored), kind, exif=exif, **options)


def with_exif(block: bytes) -> bytes:
    """A JPEG with these bytes as its EXIF block."""
    plain = saved(PHOTO, "JPEG", quality=97, subsampling=0)
    return (
        plain[:2]
        + b"\xff\xe1"
        + struct.pack(">H", len(block) + 8)
        + b"Exif\0\0"
        + block
        + plain[2:]
    )


def interlaced() -> bytes:
    """A PNG in the seven passes of Adam7, which Pillow reads and does not write."""
    raw = b""
    for y, x, down, across in (
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):  # fmt: skip
        raw += b"".join(b"\0" + row.tobytes() for row in PHOTO[y::down, x::across])
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 1)),
        (b"IDAT", zlib.compress(raw)), (b"IEND", b""),
    )  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def moving(kind: str) -> bytes:
    out = io.BytesIO()
    frames = [Image.fromarray(255 - PHOTO)] * 2
    options = {"lossless": True} if kind == "WEBP" else {}
    Image.fromarray(PHOTO).save(out, kind, save_all=True, append_images=frames, **options)
    return out.getvalue()


def palette(**options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(PHOTO).quantize(64).save(out, "PNG", **options)
    return out.getvalue()


def sixteen_bits(kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(GREY.astype(np.uint16) * 257).save(out, kind)
    return out.getvalue()


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LONG_TAG = (
    b"MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\x01\x0e\0\x02\0\0\xff\xff\0\0\0\x20"
)

#: File name → content, and the pixels, or None where the form changes them.
PHOTOS: dict[str, tuple[bytes, Pixels | None]] = {
    "plain.png": (saved(PHOTO, "PNG"), PHOTO),
    "plain.jpg": (saved(PHOTO, "JPEG", quality=97, subsampling=0), PHOTO),
    **{f"turned{k}.png": (turned(k, "PNG"), PHOTO) for k in range(1, 9)},
    **{f"turned{k}.jpeg": (turned(k, "JPEG"), PHOTO) for k in range(1, 9)},
    "turned.tif": (turned(6, "TIFF"), PHOTO),
    "turned.webp": (saved(np.rot90(PHOTO), "WEBP", lossless=True,
                          exif=b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
                    PHOTO),
    "orientation9.jpg": (with_exif(LONG_TAG[:18] + b"\0\x09" + LONG_TAG[20:]), PHOTO),
    "longtag.jpg": (with_exif(LONG_TAG), PHOTO),
    "nonsense.jpg": (with_exif(b"\xff" * 40), PHOTO),
    "shortexif.jpg": (with_exif(b"MM\0*"), PHOTO),
    "profile.jpg": (saved(PHOTO, "JPEG", quality=97, subsampling=0, icc_profile=SRGB), PHOTO),
    "badprofile.png": (saved(PHOTO, "PNG", icc_profile=b"no profile"), PHOTO),
    "palette.png": (palette(), None),
    "see-through-index.png": (palette(transparency=3), None),
    "see-through-palette.png": (palette(transparency=bytes(range(64))), None),
    "grey.png": (saved(PHOTO, "PNG", "L"), np.repeat(GREY[..., None], 3, axis=2)),
    "grey.jpg": (saved(PHOTO, "JPEG", "L", quality=99), np.repeat(GREY[..., None], 3, axis=2)),
    "greyalpha.png": (saved(PHOTO, "PNG", "LA"), np.repeat(GREY[..., None], 3, axis=2)),
    "rgba.png": (saved(PHOTO, "PNG", "RGBA"), PHOTO),
    "onebit.png": (saved(PHOTO, "PNG", "1"), None),
    "sixteen.png": (sixteen_bits("PNG"), np.repeat(GREY[..., None], 3, axis=2)),
    "sixteen.tiff": (sixteen_bits("TIFF"), np.repeat(GREY[..., None], 3, axis=2)),
    "cmyk.jpg": (saved(PHOTO, "JPEG", "CMYK", quality=99), PHOTO),
    "progressive.jpg": (saved(PHOTO, "JPEG", quality=97, subsampling=0, progressive=True), PHOTO),
    "interlaced.png": (interlaced(), PHOTO),
    "moving.png": (moving("PNG"), PHOTO),
    "moving.gif": (moving("GIF"), None),
    "moving.webp": (moving("WEBP"), PHOTO),
    "bitmap.bmp": (saved(PHOTO, "BMP"), PHOTO),
    "portable.ppm": (saved(PHOTO, "PPM"), PHOTO),
    "targa.tga": (saved(PHOTO, "TGA"), PHOTO),
    "ENDING.JPG": (saved(PHOTO, "JPEG", quality=97, subsampling=0), PHOTO),
    "ending.jfif": (saved(PHOTO, "JPEG", quality=97, subsampling=0), PHOTO),
    "ending.jpe": (saved(PHOTO, "JPEG", quality=97, subsampling=0), PHOTO),
    unicodedata.normalize("NFC", "Zoë.png"): (saved(PHOTO, "PNG"), PHOTO),
    unicodedata.normalize("NFD", "José.jpg"): (saved(PHOTO, "JPEG", quality=97), PHOTO),
}  # fmt: skip


def stem_of(name: str) -> str:
    """A stem that no other form has."""
    return f"{Path(name).stem}-{Path(name).suffix[1:]}"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    info = checkpoint.ModelInfo(
        "fastscnn", {"num_classes": 19, "repeats": 1}, CELEBAMASK_HQ.key, SIDE, (0.5,) * 3,
        (0.25,) * 3,
    )  # fmt: skip
    checkpoint.save(path, create_model("fastscnn", num_classes=19, repeats=1), info)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """All forms of photographs as the train split, their masks called in the other normal form."""
    photos, masks = tmp_path / "faces/train/images", tmp_path / "faces/train/masks"
    photos.mkdir(parents=True)
    for name, (content, _) in PHOTOS.items():
        (photos / f"{Path(name).stem}-{Path(name).suffix[1:]}{Path(name).suffix}").write_bytes(
            content
        )
    for path in photos.iterdir():
        form = "NFC" if unicodedata.is_normalized("NFD", path.stem) else "NFD"
        trees.save_mask(masks / f"{unicodedata.normalize(form, path.stem)}.png", trees.face(SIDE))
    return tmp_path / "faces"


def by_train(root: Path) -> dict[str, Pixels]:
    arrays = open_dataset(root, "train").arrays(SIDE)
    return dict(zip(arrays.names, arrays.images, strict=True))


def by_evaluate(root: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Pixels]:
    seen: list[Pixels] = []

    def logits(model: Any, image: Pixels, *rest: Any) -> torch.Tensor:
        seen.append(image)
        return torch.zeros(1, 19, SIDE, SIDE)

    monkeypatch.setattr("coursekit.training.evaluation.predict_logits", logits)
    loaded = checkpoint.load(weights)
    dataset = open_dataset(root, "train")
    evaluate(loaded.model, dataset, loaded.info)
    return dict(zip(dataset.names, seen, strict=True))


def recorder(seen: list[Pixels]) -> Callable[..., Pixels]:
    def predict(model: Any, image: Pixels, info: Any, size: Any = None) -> Pixels:
        seen.append(image)
        return np.zeros(size or image.shape[:2], np.uint8)

    return predict


def by_predict(photos: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Pixels]:
    seen: list[Pixels] = []
    monkeypatch.setattr("coursekit.prediction.predict_label_map", recorder(seen))
    monkeypatch.setattr("coursekit.prediction._SHEET", 1)
    made = predict_folder(weights, photos, photos.parent.parent.parent / "predicted")
    assert made.problems == ()
    return dict(zip(names(photos), seen, strict=True))


def by_submit(photos: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Pixels]:
    seen: list[Pixels] = []
    monkeypatch.setattr("coursekit.inference.predict_label_map", recorder(seen))
    made = submit(weights, photos, "flat", photos.parent.parent.parent / "a.zip")
    assert made.masks == len(PHOTOS)
    return dict(zip(names(photos), seen, strict=True))


def names(photos: Path) -> list[str]:
    """Stems in the order in which a folder is read."""
    return [unicodedata.normalize("NFC", stem) for stem in formats.list_images(photos)]


class RunPy:
    """The run.py of a submission, alone: its module, and a call of it for a photograph."""

    def __init__(self, weights: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = make_solution(checkpoint.load(weights))["run.py"].decode()
        assert "import coursekit\n" not in source and "from coursekit." not in source
        module = type(sys)("alone")
        monkeypatch.setitem(sys.modules, "alone", module)  # dataclasses look their module up
        self.space: dict[str, Any] = module.__dict__
        exec(compile(source, "run.py", "exec"), self.space)
        self.seen: list[Pixels] = []
        self.space["predict_label_map"] = recorder(self.seen)
        self.folder, self.patch = folder, monkeypatch
        self.model = torch.nn.Linear(1, 1)
        torch.save({"state_dict": self.model.state_dict()}, folder / "ckpt.pth")

    def __call__(self, photo: Path) -> Pixels:
        call = ["--input", str(photo), "--output", str(self.folder / "mask.png")]
        self.patch.setattr(
            sys, "argv", ["run.py", *call, "--weights", str(self.folder / "ckpt.pth")]
        )
        self.space["run"](lambda: self.model, None, SIDE)
        return self.seen[-1]


def test_every_form_of_photograph_gives_equal_pixels_everywhere(
    root: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = root / "train/images"
    run_py = RunPy(weights, tmp_path, monkeypatch)
    alone = {
        unicodedata.normalize("NFC", path.stem): run_py(path) for path in sorted(photos.iterdir())
    }
    readers = {
        "train": by_train(root),
        "evaluate": by_evaluate(root, weights, monkeypatch),
        "predict": by_predict(photos, weights, monkeypatch),
        "submit": by_submit(photos, weights, monkeypatch),
        "run.py": alone,
    }
    for name, (_, pixels) in PHOTOS.items():
        stem = unicodedata.normalize("NFC", stem_of(name))
        first = readers["train"][stem]
        for reader, found in readers.items():
            assert len(found) == len(PHOTOS)
            np.testing.assert_array_equal(found[stem], first, f"{name} by {reader}")
        if pixels is not None:
            lossy = Path(name).suffix.lower() in (".jpg", ".jpeg", ".jfif", ".jpe")
            assert np.abs(first.astype(int) - pixels).mean() <= (4 if lossy else 0), name
    assert audit(root).ok


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP"])
def test_a_picture_that_is_cut_off_is_refused_by_name_everywhere(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    photos = tmp_path / "faces/train/images"
    photos.mkdir(parents=True)
    content = saved(trees.photo(1, 128, 128), kind)
    torn = photos / f"torn.{kind.lower()}"
    torn.write_bytes(content[: len(content) // 2])
    trees.save_mask(tmp_path / "faces/train/masks/torn.png", trees.face(128))
    run_py = RunPy(weights, tmp_path, monkeypatch)
    calls: dict[str, Callable[[], Any]] = {
        "train": lambda: by_train(tmp_path / "faces"),
        "evaluate": lambda: by_evaluate(tmp_path / "faces", weights, monkeypatch),
        "predict": lambda: predict_folder(weights, photos, tmp_path / "out"),
        "submit": lambda: submit(weights, photos, "flat", tmp_path / "a.zip"),
    }
    for call in calls.values():
        with pytest.raises(CourseError, match=rf"{torn.name}: cannot be decoded"):
            call()
    with pytest.raises(run_py.space["CourseError"], match=rf"{torn.name}: cannot be decoded"):
        run_py(torn)
    assert not audit(tmp_path / "faces").ok


# --- what is not read ----------------------------------------------------------------------------


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A data set with one sample to read beside all that only looks like one, or like none."""
    root = tmp_path / "faces"
    trees.write_pairs(root, "course2025", "train", ["1"])
    photos = root / "train/images"
    jpeg = (photos / "1.jpg").read_bytes()
    for name in ("2.HEIC", "3", "4.jpg.part", "5.npy", "inner/6.jpg", "__MACOSX/7.jpg", "._1.jpg",
                 "__MACOSX/._1.jpg", ".8.jpg", "Thumbs.db", "@eaDir/1.jpg"):  # fmt: skip
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).write_bytes(jpeg)
    (photos / "notes.txt").write_text("no picture")
    (photos / "empty").mkdir()
    (photos / "9.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(photos / "10.png")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/11.jpg").write_bytes(jpeg)
    (photos / "linked").symlink_to(tmp_path / "elsewhere")
    return root


UNREAD = {"2.HEIC", "3", "4.jpg.part", "5.npy", "9.png", "10.png", "linked"}


def test_what_looks_like_a_picture_and_is_not_read_is_named_everywhere(
    odd: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = odd / "train/images"
    finding = next(f for f in audit(odd).findings if f.kind == "not-read")
    assert finding.severity == "warning"
    assert {Path(name).name for name in finding.names} == UNREAD | {"inner"}
    dataset = open_dataset(odd, "train")
    assert dataset.names == ("1",)
    assert "8 not read in train" in dataset.left_out[0]
    made = predict_folder(weights, photos, tmp_path / "out")
    assert made.images == 2  # folders within are read here
    assert {Path(problem.split(": ")[0]).name for problem in made.problems} == UNREAD
    zipped = submit(weights, photos, "flat", tmp_path / "a.zip")
    assert zipped.masks == 1
    told = [line for line in zipped.warnings if line.startswith("left out: ")]
    assert {Path(line.split(": ")[1]).name for line in told} == UNREAD | {"inner"}
    capsys.readouterr()
    call = ["evaluate", "--checkpoint", str(weights), "--data", str(odd), "--split", "train"]
    assert main([*call, "--cpu"]) == 0
    assert "left out: " in capsys.readouterr().err


def test_one_photograph_that_is_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(CourseError, match=r"IMG_1\.heic: \.heic is not read; save it as"):
        predict_folder("none", tmp_path / "IMG_1.heic", tmp_path / "out")


def test_threads_leave_the_filters_of_warnings_as_they_were(root: Path) -> None:
    before = list(warnings.filters)
    open_dataset(root, "train").arrays(32)
    assert warnings.filters == before
    assert (read_image(next((root / "train/images").glob("plain*.png"))) == PHOTO).all()
