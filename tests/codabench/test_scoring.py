"""Scores against a slow, obvious reading of the rules."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from coursekit.codabench.scoring import (
    HEADLINES,
    VARIANTS,
    count_pixels,
    read_truth,
    score,
    score_counts,
)
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ

from .zips import STEMS, good, ids, png, write_zip

E = 1e-7


def slow_f(truth, prediction, c):
    tp = sum(t == c and p == c for t, p in zip(truth, prediction, strict=True))
    fp = sum(t != c and p == c for t, p in zip(truth, prediction, strict=True))
    fn = sum(t == c and p != c for t, p in zip(truth, prediction, strict=True))
    precision, recall = tp / (tp + fp + E), tp / (tp + fn + E)
    return 2 * precision * recall / (precision + recall + E)


def slow_iou(truth, prediction, c):
    both = sum(t == c and p == c for t, p in zip(truth, prediction, strict=True))
    either = sum(t == c or p == c for t, p in zip(truth, prediction, strict=True))
    return both / either


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def slow_scores(pairs):
    """Every variant by loops over pixels, classes and images."""
    all_truth = [v for truth, _ in pairs for v in truth]
    all_prediction = [v for _, prediction in pairs for v in prediction]
    occurring = sorted({*all_truth, *all_prediction})
    miou = [slow_iou(all_truth, all_prediction, c) for c in occurring]
    return {
        "pooled_miou": mean(miou),
        "pooled_miou_19": sum(miou) / 19,
        "pooled_f": mean(slow_f(all_truth, all_prediction, c) for c in occurring),
        "per_image_f_truth": mean(mean(slow_f(t, p, c) for c in sorted({*t})) for t, p in pairs),
        "per_image_f_union": mean(
            mean(slow_f(t, p, c) for c in sorted({*t, *p})) for t, p in pairs
        ),
        "per_image_f_19": mean(
            mean(slow_f(t, p, c) if c in {*t, *p} else 1.0 for c in range(19)) for t, p in pairs
        ),
    }


@st.composite
def image_pairs(draw):
    pixels = draw(st.integers(1, 12))
    classes = draw(st.lists(st.integers(0, 18), min_size=1, max_size=5, unique=True))
    row = st.lists(st.sampled_from(classes), min_size=pixels, max_size=pixels)
    return draw(st.lists(st.tuples(row, row), min_size=1, max_size=4))


@given(image_pairs())
@settings(max_examples=150, deadline=None)
def test_every_variant_agrees_with_the_slow_loops(pairs):
    counts = np.stack(
        [count_pixels(np.array(t, np.uint8), np.array(p, np.uint8)) for t, p in pairs]
    )
    scores = score_counts(counts, "codabench")
    slow = slow_scores(pairs)
    assert list(scores.variants) == list(VARIANTS)
    for name, variant in scores.variants.items():
        assert variant["value"] == pytest.approx(slow[name], abs=1e-12), name
        assert 0 <= variant["value"] <= 1


def test_f_by_hand():
    # Truth: 3 background, 1 skin; one background pixel was predicted as nose.
    counts = count_pixels(np.array([0, 0, 0, 1], np.uint8), np.array([0, 0, 2, 1], np.uint8))[None]
    values = {k: v["value"] for k, v in score_counts(counts, "codabench").variants.items()}
    background = 2 * 1 * (2 / 3) / (1 + 2 / 3)
    assert values["per_image_f_truth"] == pytest.approx((background + 1) / 2, abs=1e-6)
    assert values["per_image_f_union"] == pytest.approx((background + 1 + 0) / 3, abs=1e-6)
    assert values["per_image_f_19"] == pytest.approx((background + 1 + 0 + 16) / 19, abs=1e-6)
    assert values["pooled_miou"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert values["pooled_miou_19"] == pytest.approx((2 / 3 + 1 + 0) / 19)


def test_headlines_and_units():
    counts = count_pixels(ids(), ids())[None]
    flat, codabench = score_counts(counts, "flat"), score_counts(counts, "codabench")
    assert (flat.headline, codabench.headline) == (HEADLINES["flat"], HEADLINES["codabench"])
    assert flat.score == 100
    assert codabench.score == pytest.approx(1, abs=1e-6)
    assert flat.variants == codabench.variants


def test_absent_classes_are_defined_and_said():
    zeros = np.zeros(9, np.uint8)
    scores = score_counts(count_pixels(zeros, zeros)[None], "flat")
    assert scores.score == 100
    assert scores.variants["pooled_miou_19"]["value"] == pytest.approx(1 / 19)
    assert scores.per_class["hat"]["iou"] is None
    assert any("hat" in note and "pooled_miou_19" in note for note in scores.notes)
    json.dumps(scores.to_dict(), allow_nan=False)


@pytest.fixture
def truth(tmp_path):
    folder = tmp_path / "truth"
    folder.mkdir()
    for i, stem in enumerate(STEMS):
        (folder / f"{stem}.png").write_bytes(png(ids(i)))
    return folder


@pytest.mark.parametrize(("form", "best"), [("flat", 100), ("codabench", 1)])
def test_the_truth_itself_scores_best(tmp_path, truth, form, best):
    path = write_zip(tmp_path / "a.zip", good("" if form == "flat" else "masks/"))
    scores = score(path, truth, form)
    assert scores.score == pytest.approx(best, abs=1e-5)
    assert scores.images == 3
    assert set(scores.to_dict()) == {
        "format", "score", "headline", "variants", "per_class", "images", "notes",
    }  # fmt: skip
    assert set(scores.per_class) == set(CELEBAMASK_HQ.names)


def test_masks_meet_their_own_truth(tmp_path, truth):
    shuffled = dict(zip(good(""), [*list(good("").values())[1:], good("")["7.png"]], strict=True))
    path = write_zip(tmp_path / "a.zip", shuffled)
    assert score(path, truth, "flat").score < 20


def test_palette_truth_reads_as_its_ids(truth):
    palette = Image.open(truth / "7.png")
    palette.putpalette(CELEBAMASK_HQ.palette_array().tobytes())
    palette.save(truth / "7.png")
    assert (read_truth(truth / "7.png")[0] == ids(0)).all()


def test_small_truth_is_enlarged_by_nearest_neighbour_and_said(tmp_path, truth):
    for i, stem in enumerate(STEMS):
        (truth / f"{stem}.png").write_bytes(png(ids(i)[2::4, 2::4]))
    scores = score(write_zip(tmp_path / "a.zip", good("")), truth, "flat")
    assert scores.score == 100
    assert any("128 × 128" in note and "nearest" in note for note in scores.notes)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (png(Image.new("RGB", (512, 512))), "mode RGB"),
        (png(np.full((512, 512), 19, np.uint8)), "holds id 19"),
        (png(ids())[:300], "cannot be decoded"),
        (b"", "cannot be decoded"),
        (png(np.full((512, 512), 255, np.uint8)), "255 throughout"),
    ],
)
def test_bad_truth_is_one_clear_error(tmp_path, truth, content, word):
    (truth / "7.png").write_bytes(content)
    path = write_zip(tmp_path / "a.zip", good(""))
    with pytest.raises(CourseError, match=word) as raised:
        score(path, truth, "flat")
    assert "7.png" in str(raised.value)


def test_an_invalid_zip_has_no_score(tmp_path, truth):
    entries = {**good(""), "7.png": b"", "../x.png": b"x"}
    with pytest.raises(CourseError) as raised:
        score(write_zip(tmp_path / "a.zip", entries), truth, "flat")
    assert "climbs out" in str(raised.value)
    assert "and 1 more" in str(raised.value)


def test_scoring_does_not_import_torch(tmp_path, truth):
    path = write_zip(tmp_path / "a.zip", good(""))
    code = (
        "import sys; from coursekit.codabench.scoring import score\n"
        f"assert score({str(path)!r}, {str(truth)!r}, 'flat').score == 100\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
