"""Metrics against slow loops over classes and pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coursekit import metrics
from coursekit.labels import CELEBAMASK_HQ, HELEN, LABEL_SETS, LabelSet

CLASSES = 5


@st.composite
def label_maps(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=6))
    # Classes 3 and 4 are rare or absent; 255 is the ignored label.
    prediction = draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 3])))
    target = draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 4, 255])))
    return prediction, target


def slow_scores(prediction: np.ndarray, target: np.ndarray) -> tuple[dict, dict]:
    """IoU and F1 of each class that occurs, from sets of pixels."""
    kept = [i for i, t in enumerate(target.ravel()) if t != 255]
    iou, f1 = {}, {}
    for c in range(CLASSES):
        a = {i for i in kept if prediction.ravel()[i] == c}
        b = {i for i in kept if target.ravel()[i] == c}
        if not a | b:
            continue
        iou[c] = len(a & b) / len(a | b)
        precision = len(a & b) / len(a) if a else 0
        recall = len(a & b) / len(b) if b else 0
        f1[c] = 2 * precision * recall / (precision + recall) if precision + recall else 0
    return iou, f1


@given(label_maps())
def test_scores_equal_slow_loops(maps: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, target = maps
    matrix = metrics.confusion_matrix(
        torch.from_numpy(prediction), torch.from_numpy(target), CLASSES
    )
    assert matrix.sum() == (target != 255).sum()
    for true in range(CLASSES):
        for predicted in range(CLASSES):
            assert matrix[true, predicted] == ((target == true) & (prediction == predicted)).sum()
    iou, f1 = slow_scores(prediction, target)
    for c in range(CLASSES):
        assert metrics.iou(matrix)[c].item() == pytest.approx(iou.get(c, 0.0))
        assert metrics.f1_score(matrix)[c].item() == pytest.approx(f1.get(c, 0.0))
        assert metrics.present(matrix)[c].item() == (c in iou)
    assert metrics.mean_iou(matrix) == pytest.approx(np.mean(list(iou.values())) if iou else 0)
    assert metrics.mean_f1(matrix) == pytest.approx(np.mean(list(f1.values())) if f1 else 0)


@given(st.lists(label_maps(), min_size=1, max_size=4))
def test_batches_add_up(batches: list[tuple[np.ndarray, np.ndarray]]) -> None:
    total = metrics.ConfusionMatrix(CLASSES)
    for prediction, target in batches:
        total.update(torch.from_numpy(prediction), torch.from_numpy(target))
    flat = [torch.from_numpy(np.concatenate([b[i].ravel() for b in batches])) for i in (0, 1)]
    assert torch.equal(total.matrix, metrics.confusion_matrix(flat[0], flat[1], CLASSES))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
@pytest.mark.parametrize("classes", [120, 128, 129, 255])  # up to 128, 16 bits number every pair
def test_any_integer_type_and_many_classes(classes: int, dtype: torch.dtype) -> None:
    ids = torch.arange(classes)
    target = torch.cat([ids, torch.tensor([255])])  # the largest of all pairs, ignored
    prediction = torch.cat([ids, torch.tensor([classes - 1])])
    matrix = metrics.confusion_matrix(prediction.to(dtype), target.to(dtype), classes)
    assert torch.equal(matrix, torch.eye(classes, dtype=torch.int64))


@given(label_maps(), st.sampled_from([0, 2, 4, 7, 255, -100, 300]), st.booleans())
def test_any_label_can_be_ignored(
    maps: tuple[np.ndarray, np.ndarray], ignored: int, wide: bool
) -> None:
    prediction, target = (m.astype(np.int64) for m in maps)
    target[target == 255] = ignored
    if ignored != 0:  # a pixel that does not count may be called anything
        prediction = np.where(target == ignored, 77, prediction)
    kept = target != ignored
    if not wide and 0 <= ignored < 256:
        prediction, target = prediction.astype(np.uint8), target.astype(np.uint8)
    matrix = metrics.confusion_matrix(
        torch.from_numpy(prediction), torch.from_numpy(target), CLASSES, ignored
    )
    for true in range(CLASSES):
        for called in range(CLASSES):
            assert matrix[true, called] == (kept & (target == true) & (prediction == called)).sum()


@pytest.mark.parametrize(
    ("bad", "dtype"),
    [
        (5, torch.uint8),
        (254, torch.uint8),
        (254, torch.int64),
        (256, torch.int16),
        ((1 << 32) + 1, torch.int64),  # 1, if it were cut to 32 bits
    ],
)
def test_an_id_outside_the_classes_is_named(bad: int, dtype: torch.dtype) -> None:
    good = torch.tensor([0, 1, 2, 255]).to(dtype)
    wrong = torch.tensor([0, bad, 2, 255]).to(dtype)
    with pytest.raises(ValueError, match=f"target has ids from 0 to {bad}"):
        metrics.confusion_matrix(good.clamp_max(4), wrong, CLASSES)
    with pytest.raises(ValueError, match=f"prediction has ids from 0 to {bad}"):
        metrics.confusion_matrix(wrong, good, CLASSES)


def test_mean_f1_is_not_the_f_of_the_mean_iou() -> None:
    matrix = torch.tensor([[90, 10], [5, 5]])
    m = metrics.mean_iou(matrix)
    assert metrics.mean_f1(matrix) < 2 * m / (1 + m)


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (torch.zeros(2), torch.zeros(3), "resize"),
        (torch.tensor([7]), torch.tensor([0]), "prediction has ids"),
        (torch.tensor([0]), torch.tensor([19]), "target has ids"),
        (torch.tensor([-1]), torch.tensor([0]), "prediction has ids"),
    ],
)
def test_bad_input_is_named(prediction: torch.Tensor, target: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.confusion_matrix(prediction.long(), target.long(), CLASSES)


def test_empty_input_scores_zero() -> None:
    matrix = metrics.confusion_matrix(
        torch.zeros(3, dtype=torch.uint8), torch.full((3,), 255, dtype=torch.uint8), CLASSES
    )
    assert metrics.mean_iou(matrix) == metrics.mean_f1(matrix) == 0
    assert metrics.pixel_accuracy(matrix) == 0
    assert torch.isfinite(metrics.iou(matrix)).all()
    assert torch.isfinite(metrics.precision(matrix) + metrics.recall(matrix)).all()


@given(label_maps())
def test_mean_f1_without_background(maps: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, target = maps
    matrix = metrics.confusion_matrix(
        torch.from_numpy(prediction), torch.from_numpy(target), CLASSES
    )
    rest = [f for c, f in slow_scores(prediction, target)[1].items() if c != 0]
    got = metrics.mean_f1(matrix, background=False)
    assert got == pytest.approx(np.mean(rest) if rest else 0)


@given(label_maps())
def test_merged_f1_is_that_of_renamed_maps(maps: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, target = maps
    matrix = metrics.confusion_matrix(
        torch.from_numpy(prediction), torch.from_numpy(target), CLASSES
    )
    for groups in ([[1, 2]], [[3, 1], [2, 4]], [[4]], []):
        hit = total = 0
        for p, t in zip(prediction.ravel().tolist(), target.ravel().tolist(), strict=True):
            for group in groups:
                if t != 255:
                    hit += (p in group) and (t in group)
                    total += (p in group) + (t in group)
        assert metrics.merged_f1(matrix, groups) == (2 * hit / total if total else 0)


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS)
@pytest.mark.parametrize("seed", range(3))
def test_helen_overall_f1_pixel_by_pixel(labels: LabelSet, seed: int) -> None:
    rng = np.random.default_rng(seed)
    inner = {"l_brow", "r_brow", "l_eye", "r_eye", "nose", "u_lip", "mouth", "l_lip"}
    prediction, target = rng.integers(0, labels.num_classes, (2, 13, 17))
    target[rng.random(target.shape) < 0.1] = 255
    hit = true = found = 0
    for p, t in zip(prediction.ravel().tolist(), target.ravel().tolist(), strict=True):
        if t == 255:
            continue
        a, b = labels.names[p] in inner, labels.names[t] in inner
        hit, found, true = hit + (a and b), found + a, true + b
    matrix = metrics.confusion_matrix(
        torch.from_numpy(prediction), torch.from_numpy(target), labels.num_classes
    )
    assert metrics.helen_overall_f1(matrix, labels) == pytest.approx(2 * hit / (true + found))
    parts = metrics.helen_components(labels).values()
    assert metrics.merged_f1(matrix, parts) < metrics.helen_overall_f1(matrix, labels)


def test_sides_and_parts_confused_are_correct_in_helens_overall_f1() -> None:
    matrix = torch.zeros(11, 11, dtype=torch.int64)
    for true, called in (("l_eye", "r_eye"), ("nose", "u_lip"), ("hair", "skin")):
        matrix[HELEN.index(true), HELEN.index(called)] = 7
    assert metrics.helen_overall_f1(matrix, HELEN) == 1
    matrix[HELEN.index("nose"), HELEN.index("skin")] = 7
    assert metrics.helen_overall_f1(matrix) == 2 * 14 / (14 + 21)  # of Helen's own classes
    assert metrics.helen_overall_f1(torch.zeros_like(matrix), HELEN) == 0
    with pytest.raises(ValueError, match="11 classes, and celebamask-hq has 19"):
        metrics.helen_overall_f1(matrix, CELEBAMASK_HQ)
