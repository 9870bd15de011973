"""Every form of mask through every command that reads them: equal ids, or one clear refusal."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from coursekit.codabench.scoring import read_truth
from coursekit.data import audit, open_dataset
from coursekit.data.inspection import inspect
from coursekit.data.layouts import COURSE_2025, Entry
from coursekit.data.masks import read_label_map
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, CELEBAMASK_HQ_ALTERNATIVE_ORDER, IGNORE_INDEX, LAPA
from tests.data import trees

Pixels = NDArray[np.uint8]

FACE = trees.face(512)
UNKNOWN = FACE.copy()
UNKNOWN[:40, :40] = IGNORE_INDEX


def grey(label_map: NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(label_map).save(out, kind, **options)
    return out.getvalue()


def coloured(label_map: Pixels, colours: NDArray[Any], **options: Any) -> bytes:
    picture = Image.fromarray(label_map)
    picture.putpalette(colours.astype(np.uint8).tobytes())
    out = io.BytesIO()
    picture.save(out, "PNG", **options)
    return out.getvalue()


def optimised(label_map: Pixels, noise: int = 0) -> bytes:
    """As tools do that make PNGs smaller: the rarest colour first, and no entry without use."""
    used, counts = np.unique(label_map, return_counts=True)
    used = used[np.argsort(counts)]
    table = np.zeros(256, np.uint8)
    table[used] = np.arange(len(used))
    colours = CELEBAMASK_HQ.palette_array()[used].astype(int) + noise
    return coloured(table[label_map], colours.clip(0, 255))


def blended(side: int, resample: Image.Resampling) -> bytes:
    return grey(np.asarray(Image.fromarray(FACE).resize((side, side), resample)))


COLOURS = CELEBAMASK_HQ.palette_array()
RAMP = np.repeat(np.arange(256)[:, None], 3, axis=1)
LOUD = np.random.default_rng(3).integers(0, 256, (256, 3))
LOUD[:4] = (0, 0, 0), (255, 0, 0), (0, 255, 0), (255, 255, 0)  # red and yellow are classes' too
EXIF = Image.Exif()
EXIF[0x0112] = 6

MASKS: dict[str, tuple[bytes, Pixels]] = {
    "grey": (grey(FACE), FACE),
    "grey-255": (grey(UNKNOWN), UNKNOWN),
    "sixteen": (grey(UNKNOWN.astype(np.uint16)), UNKNOWN),
    "one-bit": (grey(FACE == 1, bits=1), (FACE == 1).astype(np.uint8)),
    "palette": (coloured(FACE, COLOURS), FACE),
    "palette-256": (coloured(UNKNOWN, np.vstack([COLOURS, np.zeros((237, 3))])), UNKNOWN),
    "palette-of-grey": (coloured(FACE, RAMP), FACE),
    "palette-of-another": (coloured(FACE, LOUD), FACE),
    "palette-reordered": (optimised(FACE), FACE),
    "turned": (grey(np.ascontiguousarray(np.rot90(FACE)), exif=EXIF), FACE),
}
REFUSED = {
    "palette-approximate": (optimised(FACE, 3), "its palette has celebamask-hq colours at other"),
    "blended-enlarged": (blended(700, Image.Resampling.BILINEAR), "its edges are blended"),
    "blended-shrunk": (blended(200, Image.Resampling.BILINEAR), "its edges are blended"),
    "blended-box": (blended(170, Image.Resampling.BOX), "its edges are blended"),
    "once-a-jpeg": (
        grey(np.asarray(Image.open(io.BytesIO(grey(FACE, "JPEG", quality=95)))).clip(0, 18)),
        "its edges are blended",
    ),
    "equal-channels": (grey(np.repeat(FACE[..., None], 3, axis=2)), "Its channels are equal"),
    "colours": (grey(COLOURS[FACE]), "Its colours are the celebamask-hq palette"),
    "jpeg": (grey(FACE, "JPEG"), "a JPEG cannot hold a mask"),
    "too-high": (grey(FACE + np.uint8(5)), "holds ids 22, 23"),
    "cut": (grey(FACE)[:400], "cannot be decoded"),
}  # fmt: skip


def mask_readers(folder: Path, content: bytes) -> dict[str, Callable[[], Pixels | None]]:
    """A mask as a set of one, by each reader."""
    trees.save_photo(folder / "train/images/1.jpg", trees.photo(1, 128, 128))
    path = folder / "train/masks/1.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    entry = Entry("1", folder / "train/images/1.jpg", path)

    def by_check() -> Pixels | None:
        facts = inspect(COURSE_2025, folder, "train", entry)
        for finding in facts.findings:
            raise finding.error()
        assert facts.counts is not None
        expected = np.bincount(read_label_map(path, CELEBAMASK_HQ).ravel(), minlength=256)
        np.testing.assert_array_equal(facts.counts, expected[:19])
        return None

    return {
        "train": lambda: open_dataset(folder, "train").arrays(512).label_maps[0],
        "evaluate": lambda: open_dataset(folder, "train")[0].label_map,
        "score": lambda: read_truth(path)[0],
        "check": by_check,
    }


@pytest.mark.parametrize("form", MASKS)
def test_every_form_of_mask_gives_equal_ids_everywhere(tmp_path: Path, form: str) -> None:
    content, expected = MASKS[form]
    for reader, read in mask_readers(tmp_path, content).items():
        found = read()
        if found is not None:
            np.testing.assert_array_equal(found, expected, reader)


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_no_mask_is_refused_by_name_everywhere(tmp_path: Path, form: str) -> None:
    content, message = REFUSED[form]
    for read in mask_readers(tmp_path, content).values():
        with pytest.raises(CourseError, match=rf"1\.png: .*{message}"):
            read()


def test_the_check_names_reordered_palettes_and_blended_edges_and_nothing_else(
    tmp_path: Path,
) -> None:
    root = trees.write_course2025(tmp_path / "faces", train=8)
    for number in (1, 4):
        (root / f"train/masks/{number}.png").write_bytes(optimised(trees.face()))
    report = audit(root)
    told = {f.kind: f for f in report.findings if f.kind not in ("absent-class", "missing-split")}
    assert set(told) == {"palette-order"} and report.ok
    assert told["palette-order"].names == ("train/masks/1.png", "train/masks/4.png")
    for path in (root / "train/masks").iterdir():  # all in colours of their own, one changed
        path.write_bytes(coloured(trees.face(), LOUD))
    turned = (trees.face() + 1) % 19
    (root / "train/masks/2.png").write_bytes(coloured(turned, np.roll(LOUD[:19], 1, axis=0)))
    errors = [f for f in audit(root).findings if f.severity == "error"]
    assert [(f.kind, f.names) for f in errors] == [("changed-palette", ("train/masks/2.png",))]
    small = np.asarray(Image.fromarray(FACE).resize((64, 64), Image.Resampling.BILINEAR))
    for path in (root / "train/masks").iterdir():
        path.write_bytes(coloured(small, COLOURS))
    errors = [f for f in audit(root).findings if f.severity == "error"]
    assert [f.kind for f in errors] == ["blended-mask"] and len(errors[0].names) == 8


def test_a_palette_is_read_by_colour_only_where_it_must_be(tmp_path: Path) -> None:
    order = [CELEBAMASK_HQ.index(name) for name in CELEBAMASK_HQ_ALTERNATIVE_ORDER]
    table = np.argsort(order).astype(np.uint8)
    path = tmp_path / "a.png"
    # The other public order, each class in its own colour: colours tell.
    path.write_bytes(coloured(table[FACE], COLOURS[order]))
    np.testing.assert_array_equal(read_label_map(path, CELEBAMASK_HQ), FACE)
    # Most in order, two moved, and a colour for 255 that is no class's: no guess.
    kept = np.array([0, 1, 2, 4, 5, 13])
    colours = np.vstack([COLOURS[[0, 1, 2]], COLOURS[[5, 4, 13]], [[255, 255, 255]]])
    few = np.where(np.isin(FACE, kept), np.searchsorted(kept, FACE), 6).astype(np.uint8)
    path.write_bytes(coloured(few, colours))
    with pytest.raises(CourseError, match=r"at other indices \(3 is r_eye\)"):
        read_label_map(path, CELEBAMASK_HQ)
    # LaPa's ids in the colours of CelebAMask-HQ's: a palette for display, and indices are ids.
    lapa = trees.TO_LAPA[FACE]
    path.write_bytes(coloured(lapa, COLOURS))
    np.testing.assert_array_equal(read_label_map(path, LAPA), lapa)


def test_clean_masks_of_every_size_have_sharp_edges(tmp_path: Path) -> None:
    for side in (16, 24, 32, 48, 64, 96, 160):
        trees.save_mask(tmp_path / "a.png", trees.face(side))
        assert read_label_map(tmp_path / "a.png", CELEBAMASK_HQ).shape == (side, side)
    stripes = np.repeat(np.arange(19, dtype=np.uint8), 3)[None].repeat(57, axis=0)
    for toy in (stripes, np.ascontiguousarray(stripes.T), stripes.repeat(8, axis=1)):
        trees.save_mask(tmp_path / "a.png", toy)
        np.testing.assert_array_equal(read_label_map(tmp_path / "a.png", CELEBAMASK_HQ), toy)
    noise = np.random.default_rng(0).integers(0, 19, (64, 64), dtype=np.uint8)
    trees.save_mask(tmp_path / "a.png", noise)
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png", CELEBAMASK_HQ), noise)
