"""Planted wrong labels come first, hard images do not; what cannot be read is left out."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from coursekit import checkpoint, metrics
from coursekit.checkpoint import ModelInfo
from coursekit.cli import main
from coursekit.data import open_dataset
from coursekit.data.images import read_image, resize_label_map
from coursekit.data.reading import find_layout
from coursekit.errors import CourseError
from coursekit.inference import prepare
from coursekit.labels import CELEBAMASK_HQ
from coursekit.models import create_model
from coursekit.suspects import MOST, check_out, find_suspects, write_report
from coursekit.suspects.evidence import Evidence, compare, contradicted, judge, surprise
from coursekit.suspects.search import audited
from coursekit.suspects.sheet import draw

SIZE = 64
INFO = ModelInfo("unet", {}, "celebamask-hq", SIZE, (0.5,) * 3, (0.25,) * 3)
ID = {name: CELEBAMASK_HQ.index(name) for name in CELEBAMASK_HQ.names}


class Knows(nn.Module):
    """A network that knows the truth of a data set's photographs, about as well as one learns it.

    Boundaries are blurred and moved by a pixel, necklaces and earrings are never found, and one
    photograph in six is too hard: there it doubts all of it.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        dataset = open_dataset(root, "train")
        self.images = torch.cat(
            [prepare(s.image, SIZE, INFO.mean, INFO.std).flatten(1) for s in dataset]
        )
        self.truth = [torch.from_numpy(resize_label_map(s.label_map, SIZE, SIZE)) for s in dataset]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        index = int((self.images - x.flatten(1)).square().sum(1).argmin())
        label = self.truth[index].long().roll(1, 1)
        label[label == ID["neck_l"]] = ID["neck"]
        label[label == ID["ear_r"]] = ID["hair"]
        drawn = torch.nn.functional.one_hot(label, 19).permute(2, 0, 1)[None].float()
        logits = 8 * torch.nn.functional.avg_pool2d(drawn, 3, 1, 1)
        if index % 6 == 1:
            rng = torch.Generator().manual_seed(index)
            logits = 0.4 * logits + 1.5 * torch.randn(logits.shape, generator=rng)
        return logits + self.weight


def _swap(mask: np.ndarray, *pairs: tuple[str, str]) -> np.ndarray:
    table = np.arange(256)
    for a, b in pairs:
        table[ID[a]], table[ID[b]] = ID[b], ID[a]
    return table[mask].astype(np.uint8)


def _called(mask: np.ndarray, name: str, other: str) -> np.ndarray:
    return np.where(mask == ID[name], ID[other], mask).astype(np.uint8)


PLANTED = {
    0: lambda m: _swap(m, ("l_eye", "r_eye")),
    5: lambda m: _called(m, "neck", "skin"),
    9: lambda m: _called(m, "neck", "cloth"),
    14: lambda m: _swap(m, ("l_eye", "r_eye"), ("l_brow", "r_brow")),
    20: lambda m: _called(m, "nose", "skin"),
    26: lambda m: _called(m, "hair", "cloth"),
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("suspects") / "faces"
    sizes = ["--train", "30", "--val", "2", "--test", "1", "--size", str(SIZE)]
    assert main(["data", "make", str(root), *sizes, "--seed", "3"]) == 0
    return root


@pytest.fixture(scope="module")
def planted(clean: Path) -> Path:
    root = clean.parent / "planted"
    shutil.copytree(clean, root)
    for entry_index, spoil in PLANTED.items():
        path = open_dataset(root, "train").entries[entry_index].label
        assert path is not None
        mask = np.array(Image.open(path))
        assert (spoil(mask) != mask).any()
        Image.fromarray(spoil(mask)).save(path)
    return root


@pytest.fixture(scope="module")
def model(clean: Path) -> Knows:
    return Knows(clean)


def test_planted_errors_come_first(model: Knows, planted: Path) -> None:
    found = find_suspects(model, INFO, planted)
    assert len(found.suspects) == 30 and not found.left_out
    first = {suspect.index: suspect for suspect in found.suspects[: len(PLANTED)]}
    assert set(first) == set(PLANTED)
    confusion = metrics.ConfusionMatrix(19)
    for sample in found.dataset:
        logits = model(prepare(sample.image, SIZE, INFO.mean, INFO.std))
        confusion.update(logits[0].argmax(0), torch.from_numpy(sample.label_map))
    assert found.mean_iou == metrics.mean_iou(confusion.matrix)
    scores = [suspect.verdict.score for suspect in found.suspects]
    assert scores == sorted(scores, reverse=True)
    assert scores[len(PLANTED) - 1] > 1.3 * scores[len(PLANTED)]
    assert "left eye and right eye swapped" in first[0].reason
    assert "left brow" not in first[0].reason
    assert "labelled skin, the network sees neck" in first[5].reason
    assert "labelled cloth, the network sees neck" in first[9].reason
    assert "left eye and right eye swapped" in first[14].reason
    assert "left brow and right brow swapped" in first[14].reason
    assert "labelled skin, the network sees nose" in first[20].reason
    assert "labelled cloth, the network sees hair" in first[26].reason


def test_mean_cross_entropy_does_not_find_them(model: Knows, planted: Path) -> None:
    """What the four parts of the score are for: the hard photographs would come first."""
    losses = []
    for sample in open_dataset(planted, "train"):
        logits = model(prepare(sample.image, SIZE, INFO.mean, INFO.std)).detach()
        target = torch.from_numpy(sample.label_map)[None].long()
        losses.append(float(nn.functional.cross_entropy(logits, target)))
    first = np.argsort(losses)[::-1][: len(PLANTED)]
    assert len(set(first.tolist()) & set(PLANTED)) <= 2


def test_clean_labels_score_low(model: Knows, clean: Path, planted: Path) -> None:
    best = find_suspects(model, INFO, clean).suspects[0].verdict.score
    sixth = find_suspects(model, INFO, planted).suspects[5].verdict.score
    assert best < sixth


def slow_evidence(logits: np.ndarray, label: np.ndarray, reach: int) -> tuple[np.ndarray, ...]:
    classes, height, width = logits.shape
    counts, doubt = np.zeros((classes, classes)), np.zeros((classes, classes))
    for y in range(height):
        for x in range(width):
            true = label[y, x]
            if true == 255:
                continue
            p = np.exp(logits[:, y, x]) / np.exp(logits[:, y, x]).sum()
            called = int(p.argmax())
            counts[true, called] += 1
            ys = slice(max(0, y - reach), y + reach + 1)
            if called not in label[ys, max(0, x - reach) : x + reach + 1]:
                doubt[true, called] += p[called] - p[true]
    return counts, doubt


@pytest.mark.parametrize(("height", "width", "reach"), [(1, 1, 1), (7, 12, 1), (9, 300, 2)])
def test_evidence_equals_loops(height: int, width: int, reach: int) -> None:
    rng = np.random.default_rng(height)
    logits = rng.normal(0, 2, (5, height, width))
    label = rng.choice([0, 1, 2, 4, 255], (height, width), p=[0.6, 0.2, 0.05, 0.05, 0.1])
    found = compare(torch.from_numpy(logits), torch.from_numpy(label))
    counts, doubt = slow_evidence(logits, label, reach)
    assert np.array_equal(found.counts, counts)
    assert found.doubt == pytest.approx(doubt, abs=1e-4)


def test_surprise_equals_a_loop() -> None:
    others = np.array([[9000, 10, 0], [40, 500, 0], [0, 0, 0]])
    found = surprise(others, 3.0)
    for true in range(3):
        for called in range(3):
            seen = others[true, called] + 1.0
            by_prediction = seen / (others[:, called].sum() + 3)
            by_label = seen / (others[true].sum() + 3)
            usual = max(by_prediction, by_label, 1e-3)
            assert found[true, called] == pytest.approx(-np.log(min(usual, 1)))


def test_a_mask_is_judged_by_the_others_alone() -> None:
    """One confused pair in one mask is a surprise; the same in every mask is the network's way."""
    usual = np.zeros((19, 19), np.int32)
    usual[:3, :3] = np.diag([1000, 100, 100])
    odd = usual.copy()
    odd[1, 1], odd[1, 2] = 0, 100
    doubt = (odd * ~np.eye(19, dtype=bool)).astype(np.float32)
    labels = CELEBAMASK_HQ
    once = judge([Evidence(odd, doubt)] + [Evidence(usual, 0 * doubt)] * 9, labels)
    often = judge([Evidence(odd, doubt)] * 10, labels)
    assert once[0].pairs == ((1, 2),)
    assert once[1].score == 0
    assert 0 < 4 * often[0].score < once[0].score


def test_a_mask_that_says_nothing_is_no_suspect() -> None:
    unknown = compare(torch.randn(19, 8, 8), torch.full((8, 8), 255))
    assert unknown.counts.sum() == unknown.doubt.sum() == 0
    verdicts = judge([unknown, unknown], CELEBAMASK_HQ)
    assert [v.score for v in verdicts] == [0, 0]
    assert verdicts[0].pairs == verdicts[0].swapped == ()


def test_boundaries_and_unknown_pixels_are_excused() -> None:
    label = torch.zeros(8, 8, dtype=torch.int64)
    label[2:6, 2:6] = 1
    label[0, 0] = 255
    logits = torch.stack([torch.zeros(8, 8), 5 * (label == 1).roll(1, 0).float() - 2])
    logits[:, 0, 0] = torch.tensor([0.0, 9.0])
    predicted, weight = contradicted(logits, label)
    assert (predicted[label != 255] != label[label != 255]).any()
    assert weight.sum() == 0


def test_what_cannot_be_read_is_left_out(
    model: Knows, planted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save(tmp_path / "model.safetensors")
    root = tmp_path / "faces"
    shutil.copytree(planted, root)
    entries = open_dataset(root, "train").entries
    entries[1].image.write_bytes(b"no picture")
    assert entries[2].label and entries[3].label and entries[4].label
    Image.open(entries[2].label).convert("RGB").save(entries[2].label)
    entries[3].label.unlink()
    wide = np.array(Image.open(entries[4].label)).repeat(2, axis=1)
    Image.fromarray(wide).save(entries[4].label)
    found = find_suspects(model, INFO, root)
    told = "\n".join(found.left_out)
    assert len(found.left_out) == 4
    for entry in entries[1:5]:
        assert entry.name in told
    assert len(found.suspects) == 26
    assert {s.name for s in found.suspects[:6]} == {entries[i].name for i in PLANTED}
    call = ["data", "suspects", str(root), "--checkpoint", file, "--out", str(tmp_path / "out")]
    assert main([*call, "--top", "1", "--cpu"]) == 1
    told = capsys.readouterr()
    assert told.err.count("left out: ") == 4
    assert "26 masks ranked, 4 left out" in told.out


def test_photographs_and_masks_need_not_be_square(
    model: Knows, planted: Path, tmp_path: Path
) -> None:
    for kind in ("images", "masks"):
        (tmp_path / "faces" / "train" / kind).mkdir(parents=True)
    wide = tmp_path / "faces" / "train"
    for sample in open_dataset(planted, "train").subset((2, 3, 0, 4)):
        name = f"{sample.name} $x_1$.png"  # no formula, and no name to read as one
        Image.fromarray(sample.image.repeat(3, axis=1)).save(wide / "images" / name)
        mask = sample.label_map.repeat(6, axis=1).repeat(2, axis=0)
        Image.fromarray(mask).save(wide / "masks" / name)
    found = find_suspects(model, INFO, tmp_path / "faces")
    assert len(found.suspects) == 4
    assert "left eye and right eye swapped" in found.suspects[0].reason
    _, (sheet, _) = write_report(found, model, INFO, tmp_path / "out", 1)
    assert read_image(sheet).shape[1] == 1100


def save(path: Path) -> str:
    torch.manual_seed(0)
    network = create_model("unet", 19, widths=(2, 2, 2))
    info = ModelInfo("unet", {"num_classes": 19, "widths": (2, 2, 2)}, "celebamask-hq", 32,
                     (0.5,) * 3, (0.2,) * 3)  # fmt: skip
    checkpoint.save(path, network, info)
    return str(path)


def test_the_command_writes_a_sheet_and_a_table(
    planted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save(tmp_path / "model.safetensors")
    out = tmp_path / "out"
    call = ["data", "suspects", str(planted), "--checkpoint", file, "--out", str(out), "--cpu"]
    assert main([*call, "--top", "3"]) == 0
    printed, warned = (text.splitlines() for text in capsys.readouterr())
    assert len(warned) == 1 and "this network hardly knows the classes" in warned[0]
    assert printed[-3:-1] == [str(out / "suspects.png"), str(out / "suspects.csv")]
    assert printed[-1].startswith("30 masks ranked, 0 left out; mean IoU of the network with them ")
    assert len(printed) == 1 + 3 + 3
    with (out / "suspects.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["rank"] for row in rows] == [str(n) for n in range(1, 31)]
    assert all(Path(row["mask"]).is_file() for row in rows)
    assert read_image(out / "suspects.png").shape[1] == 1100
    assert main([*call, "--json", "--top", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["masks"] == 30 and len(found["suspects"]) == 1
    assert found["suspects"][0]["name"] == rows[0]["name"]


def test_the_sheet_is_drawn_in_the_palette_that_is_asked_for(
    model: Knows, planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_suspects(model, INFO, planted, "train")
    sheets = []
    for palette in ("official", "safe"):
        monkeypatch.setenv("COURSEKIT_PALETTE", palette)
        _, (sheet, _) = write_report(found, model, INFO, tmp_path / palette, 1)
        sheets.append(sheet.read_bytes())
    assert sheets[0] != sheets[1]
    rows = [{"rank": 1, "score": 0.5, "audit": []}]
    sheet = draw(found, found.suspects[:1], model, INFO, rows)
    (legend,) = sheet.legends
    assert [text.get_text() for text in legend.get_texts()] == [*CELEBAMASK_HQ.titles]
    sheet.canvas.draw()
    below = legend.get_window_extent().y1
    assert below < min(axes.get_window_extent().y0 for axes in sheet.axes)
    monkeypatch.setenv("COURSEKIT_PALETTE", "sepia")
    with pytest.raises(CourseError, match="no palette is called 'sepia'"):
        check_out(planted, tmp_path / "out", 1)


def test_the_audit_has_its_say(model: Knows, planted: Path) -> None:
    found = find_suspects(model, INFO, planted)
    _, layout = find_layout(planted)
    by_index = {suspect.index: audited(found, suspect, layout) for suspect in found.suspects}
    assert "swapped-sides" in by_index[0]
    assert not any("swapped-sides" in by_index[index] for index in (2, 3, 4, 9))


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["data", "suspects", "--help"])
    assert done.value.code == 0
    assert "example:\n  coursekit data suspects" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--split", "test"], "the test split has no masks to suspect"),
        (["--top", "0"], f"holds 1 to {MOST} suspects, not 0"),
        (["--top", str(MOST + 1)], "the table has all of them"),
        (["--out", "{root}/train/images"], "lies in the data set"),
        (["--out", "{root}/../model.safetensors"], "is a file; name a folder"),
    ],
)
def test_bad_input_is_one_clear_error(
    clean: Path, more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save(clean.parent / "model.safetensors")
    more = [word.format(root=clean) for word in more]
    assert main(["data", "suspects", str(clean), "--checkpoint", file, "--cpu", *more]) == 2
    error = capsys.readouterr().err
    assert error.startswith("coursekit data suspects: ") and words in error


def test_other_labels_an_empty_split_and_broken_networks(
    model: Knows, clean: Path, tmp_path: Path
) -> None:
    eleven = ModelInfo("unet", {}, "lapa", SIZE, INFO.mean, INFO.std)
    with pytest.raises(CourseError, match="trained on lapa and .* is celebamask-hq"):
        find_suspects(model, eleven, clean)
    with pytest.raises(CourseError, match="no split is called 'tran'"):
        find_suspects(model, INFO, clean, "tran")
    for kind in ("images", "masks"):
        (tmp_path / "faces" / "train" / kind).mkdir(parents=True)
    with pytest.raises(CourseError, match="train"):
        find_suspects(model, INFO, tmp_path / "faces")
    photo = tmp_path / "faces" / "train" / "images" / "a.png"
    photo.write_bytes(b"")
    (tmp_path / "faces" / "train" / "masks" / "a.png").write_bytes(b"")
    with pytest.raises(CourseError, match="none of the 1 samples of train can be read"):
        find_suspects(model, INFO, tmp_path / "faces")
    broken = Knows(clean)
    nn.init.constant_(broken.weight, float("nan"))
    with pytest.raises(CourseError, match="values that are no numbers"):
        find_suspects(broken, INFO, clean)
