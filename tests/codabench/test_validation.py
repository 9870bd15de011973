"""The validator on good submissions, and on every kind of broken one that we know of."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from coursekit.codabench import CODABENCH, FLAT, is_valid, validate
from coursekit.codabench.catalogue import KINDS
from coursekit.codabench.masks import check_mask
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ

from .zips import (
    FIRST,
    GREY,
    MASKS,
    STEMS,
    bad_checksum,
    check_problem,
    chunk,
    good,
    handmade_png,
    ids,
    images_folder,
    inner_zip,
    jpeg,
    mask,
    png,
    special,
    write_zip,
)

PALETTE = GREY.copy()
PALETTE.putpalette(CELEBAMASK_HQ.palette_array().tobytes())


def reordered() -> Image.Image:
    """As an optimiser of PNGs leaves it: the same colours, other indices."""
    picture = Image.fromarray(18 - ids())
    picture.putpalette(CELEBAMASK_HQ.palette_array()[::-1].tobytes())
    return picture


def few_classes(bits: int) -> bytes:
    """A palette of so few colours that Pillow packs its indices."""
    picture = Image.fromarray(ids() % 2**bits)
    picture.putpalette(CELEBAMASK_HQ.palette_array()[: 2**bits].tobytes())
    return png(picture)


def interlaced() -> bytes:
    # Adam7 of an all-skin mask: seven passes of rows, each row led by its filter byte.
    raw = b""
    for x0, y0, dx, dy in (
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):  # fmt: skip
        raw += (b"\0" + b"\1" * len(range(x0, 512, dx))) * len(range(y0, 512, dy))
    return handmade_png(interlace=1, raw=raw)


def renamed(old: str, new: str, entries=None) -> dict[str, bytes]:
    return {(new if k == old else k): v for k, v in (entries or good()).items()}


def duplicate() -> list[tuple[str, bytes]]:
    return [*good().items(), (FIRST, MASKS["7"])]


def nested_folder() -> dict[str, bytes]:
    return renamed(FIRST, "masks/more/7.png")


# kind, what is in the zip (format codabench), a word that the message names
BROKEN = [
    ("empty-zip", {}, "zip"),
    ("empty-zip", [("masks/", b"")], "zip"),
    ("wrapped-folder", {f"submission/{k}": v for k, v in good().items()}, "submission/"),
    ("wrapped-folder", {f"a/b/{k}": v for k, v in good().items()}, "a/b/"),
    ("macosx", {**good(), "__MACOSX/masks/._7.png": b"x"}, "__MACOSX/masks/._7.png"),
    ("ds-store", {**good(), "masks/.DS_Store": b"x"}, ".DS_Store"),
    ("ds-store", {**good(), "masks/._7.png": b"x"}, "._7.png"),
    ("thumbs-db", {**good(), "masks/Thumbs.db": b"x"}, "Thumbs.db"),
    ("metadata", {**good(), "metadata": b"command: x"}, "metadata"),
    ("nested-zip", {**good(), "masks.zip": b"PK"}, "masks.zip"),
    ("nested-zip", mask(inner_zip()), FIRST),
    ("backslash", {k.replace("/", "\\"): v for k, v in good().items()}, "masks\\"),
    ("masks-folder-case", {f"M{k[1:]}": v for k, v in good().items()}, "Masks/7.png"),
    ("masks-at-root", good(""), "7.png"),
    ("nested-folder", nested_folder(), "masks/more/7.png"),
    ("look-alike", renamed("masks/ab.png", "masks/аb.png"), "cyrillic small letter a"),
    ("look-alike", {f"mаsks/{k[6:]}": v for k, v in good().items()}, "mаsks/7.png"),
    ("look-alike", renamed(FIRST, "masks/７.png"), "fullwidth digit seven"),
    ("extension-case", renamed(FIRST, "masks/7.PNG"), "masks/7.PNG"),
    ("wrong-extension", renamed(FIRST, "masks/7.jpg"), "masks/7.jpg"),
    ("stem-case", renamed("masks/ab.png", "masks/AB.png"), "masks/AB.png"),
    ("padded-stem", renamed(FIRST, "masks/00007.png"), "the image is 7"),
    ("extra-mask", {**good(), "masks/99.png": MASKS["7"]}, "masks/99.png"),
    ("unexpected-file", {**good(), "README.md": b"x"}, "README.md"),
    ("missing-mask", {FIRST: MASKS["7"]}, "masks/12.png"),
    ("no-masks", {"README.md": b"x"}, "masks/7.png"),
    ("duplicate", duplicate(), FIRST),
    ("traversal", {**good(), "../../evil.png": b"x"}, "../../evil.png"),
    ("traversal", {**good(), "masks/./8.png": b"x"}, "masks/./8.png"),
    ("absolute-name", {**good(), "/etc/passwd": b"x"}, "/etc/passwd"),
    ("absolute-name", {**good(), "C:/x.png": b"x"}, "C:/x.png"),
    ("bad-name", {**good(), "masks/\x1b[2J.png": b"x"}, "\\x1b[2J"),
    ("bad-name", {**good(), "masks/7\u202egnp.png": b"x"}, "\\x202e"),
    ("symlink", [*list(good().items())[1:], (special(FIRST, stat.S_IFLNK), b"/etc/passwd")], FIRST),
    ("symlink", [*list(good().items())[1:], (special(FIRST, stat.S_IFIFO), b"")], FIRST),
    ("bomb", {**good(), "masks/big.png": bytes(3 << 20)}, "masks/big.png"),
    ("empty-file", mask(b""), FIRST),
    ("jpeg-renamed", mask(jpeg()), FIRST),
    ("not-a-png", mask(b"GIF89a........"), FIRST),
    ("truncated-png", mask(MASKS["7"][:-200]), FIRST),
    ("truncated-png", mask(handmade_png(raw=bytes(1000))), FIRST),
    ("truncated-png", mask(bad_checksum()), FIRST),
    ("truncated-png", mask(handmade_png(before=chunk(b"IHDR", bytes(13)))), FIRST),
    ("png-bomb", mask(handmade_png(width=100_000, height=100_000)), "100000"),
    ("rgb-mask", mask(png(PALETTE.convert("RGB"))), "14"),
    ("rgba-mask", mask(png(PALETTE.convert("RGBA"))), FIRST),
    ("palette-reordered", mask(png(reordered())), "index 0 has the colour of class 18"),
    ("low-bit-mask", mask(png(GREY.convert("1"))), FIRST),
    ("low-bit-mask", mask(handmade_png(depth=16, colour=4, raw=bytes(2049 * 512))), "upper 8"),
    ("wrong-size", mask(png(ids(size=256))), "256 × 256"),
    ("palette-converted", mask(png(PALETTE.convert("L"))), "61"),
    ("ids-out-of-range", mask(png(np.where(ids() == 3, 19, ids()).astype(np.uint8))), "19"),
    ("ids-out-of-range", mask(png(np.where(ids() == 3, 255, ids()).astype(np.uint8))), "ignore"),
]


@pytest.mark.parametrize(
    ("kind", "entries", "word"), BROKEN, ids=[f"{i}-{b[0]}" for i, b in enumerate(BROKEN)]
)
def test_each_kind_of_broken_zip_has_its_own_message(tmp_path, images, kind, entries, word):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns as it writes a duplicate name
        path = write_zip(tmp_path / "submission.zip", entries, zipfile.ZIP_DEFLATED)
    problems = validate(path, images, "codabench")
    problem = check_problem(problems, kind, word)
    assert problem.severity == "error"
    assert not is_valid(problems)
    # One slip is told once, and not as missing masks too.
    others = {p.kind for p in problems if p.severity == "error"} - {kind}
    assert others <= {"unexpected-file", "extra-mask"}, others


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("masks-folder-in-flat", good()),
        ("solution-in-flat", {**good(""), "solution/run.py": b"x"}),
        ("wrapped-folder", {f"test/{k}": v for k, v in good("").items()}),
        ("nested-folder", {**good(""), "more/8.png": MASKS["7"]}),
    ],
)
def test_flat_has_its_own_slips(tmp_path, images, kind, entries):
    problems = validate(write_zip(tmp_path / "a.zip", entries), images, "flat")
    check_problem(problems, kind, "")
    assert not is_valid(problems)


@pytest.mark.parametrize("form", [FLAT, CODABENCH])
def test_a_good_zip_has_no_problem(tmp_path, images, form):
    path = write_zip(tmp_path / "a.zip", good(form.folder), zipfile.ZIP_DEFLATED)
    assert validate(path, images, form.key) == []


#: Masks of other forms than the rules ask for, which the scorer reads as they were meant.
READ_ALL_THE_SAME = [
    ("palette-mask", png(PALETTE)),
    ("palette-mask", png(PALETTE, transparency=0)),
    ("palette-mask", png(GREY.convert("P"))),  # as the organisers' sample saves them
    ("palette-mask", few_classes(4)),
    ("palette-mask", few_classes(2)),
    ("la-mask", png(GREY.convert("LA"))),
    ("16-bit-mask", png(ids().astype(np.uint16))),
    ("animated", png(GREY, save_all=True, append_images=[Image.fromarray(ids(1))])),
    ("transparent", png(GREY, transparency=0)),
    ("interlaced", interlaced()),
]


@pytest.mark.parametrize(("kind", "data"), READ_ALL_THE_SAME)
def test_what_the_scorer_reads_rightly_is_a_warning(tmp_path, images, kind, data):
    problems = validate(write_zip(tmp_path / "a.zip", mask(data)), images, "codabench")
    assert [(p.kind, p.severity) for p in problems] == [(kind, "warning")]
    report = check_mask(data)
    with Image.open(io.BytesIO(data)) as picture:
        assert (report.label_map == np.asarray(picture.convert("P"))).all()
    assert report.label_map.dtype == np.uint8


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("all-background", mask(png(np.zeros((512, 512), np.uint8)))),
        ("identical-masks", dict.fromkeys(good(), MASKS["7"])),
    ],
)
def test_warnings_leave_the_zip_valid(tmp_path, images, kind, entries):
    problems = validate(write_zip(tmp_path / "a.zip", entries), images, "codabench")
    assert [p.kind for p in problems] == [kind]
    assert problems[0].severity == "warning"
    assert is_valid(problems)


# --- what is the user's own ----------------------------------------------------------------------


def test_several_slips_are_told_at_once(tmp_path, images):
    entries = {f"submission/{k}": v for k, v in mask(jpeg()).items()}
    entries["submission/.DS_Store"] = b"x"
    problems = validate(write_zip(tmp_path / "a.zip", entries), images, "codabench")
    assert [p.kind for p in problems] == ["wrapped-folder", "ds-store", "jpeg-renamed"]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda d: (d / "no.zip", d / "i", "flat"), "no.zip"),
        (lambda d: (d / "a.zip", d / "none", "flat"), "none"),
        (lambda d: (d / "a.zip", d / "empty", "flat"), "empty"),
        (lambda d: (d / "a.zip", d / "i", "tar"), "'tar'"),
        (lambda d: (d / "a.zip", d / "twice", "flat"), "same stem"),
    ],
)
def test_bad_arguments_are_one_clear_error(tmp_path, make, word):
    write_zip(tmp_path / "a.zip", good(""))
    images_folder(tmp_path / "i")
    (tmp_path / "empty").mkdir()
    images_folder(tmp_path / "twice")
    (tmp_path / "twice" / "7.png").touch()
    with pytest.raises(CourseError, match=word):
        validate(*make(tmp_path))


def test_nothing_is_unpacked_to_disk(tmp_path, images, monkeypatch):
    path = write_zip(tmp_path / "a.zip", good())
    opened = []
    real = os.open

    def spy(name, flags, *rest, **more):
        opened.append((name, flags))
        return real(name, flags, *rest, **more)

    monkeypatch.setattr(os, "open", spy)
    monkeypatch.setattr(zipfile.ZipFile, "extract", None)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", None)
    assert validate(path, images, "codabench") == []
    assert not [name for name, flags in opened if flags & (os.O_WRONLY | os.O_RDWR)]
    assert sorted(tmp_path.iterdir()) == [path]


def test_torch_is_not_imported(tmp_path, images):
    path = write_zip(tmp_path / "a.zip", good())
    code = (
        "import sys, coursekit.codabench as c, coursekit.commands.submission\n"
        f"assert c.validate({str(path)!r}, {str(images)!r}, 'codabench') == []\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_kind_has_a_mend():
    for kind, (severity, what, mend) in KINDS.items():
        assert severity in ("error", "warning"), kind
        assert what
        assert len(mend) > 8, kind


def test_the_stems_of_the_tests_cover_numbers_and_letters():
    assert set(STEMS) == {"7", "12", "ab"}
