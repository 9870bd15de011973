"""The papers' tables: made-up matrices against loops, and whose row is whose."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from coursekit.cli import main
from coursekit.labels import LABEL_SETS
from coursekit.training import Evaluation, published
from coursekit.training.protocols import PROTOCOLS, as_dict, as_text

TABLES = [table for table in vars(published).values() if isinstance(table, published.PaperTable)]

#: Each column's ids as the data sets' own papers number their classes.
IDS = {
    "helen": {"Skin": [1], "Nose": [6], "U-lip": [7], "I-mouth": [8], "L-lip": [9],
              "Eyes": [4, 5], "Brows": [2, 3], "Mouth": [7, 8, 9]},
    "lapa": {"Skin": [1], "Hair": [10], "L-Eye": [4], "R-Eye": [5], "U-lip": [7], "I-mouth": [8],
             "L-lip": [9], "Nose": [6], "L-Brow": [2], "R-Brow": [3]},
    "celebamask": {"Face": [1], "Nose": [2], "Glasses": [3], "L-Eye": [4], "R-Eye": [5],
                   "L-Brow": [6], "R-Brow": [7], "L-Ear": [8], "R-Ear": [9], "I-Mouth": [10],
                   "U-Lip": [11], "L-Lip": [12], "Hair": [13], "Hat": [14], "Earring": [15],
                   "Necklace": [16], "Neck": [17], "Cloth": [18]},
}  # fmt: skip


def made_up(key: str, absent: tuple[int, ...] = (), seed: int = 0) -> Evaluation:
    labels = PROTOCOLS[key].labels
    rng = np.random.default_rng(seed)
    shape = (labels.num_classes, labels.num_classes)
    matrix = rng.integers(0, 50, shape) + np.diag(rng.integers(0, 900, len(labels.names)))
    matrix[list(absent)] = matrix[:, list(absent)] = 0
    return Evaluation(torch.from_numpy(matrix), labels.names, 7)


def slow_f1(matrix: list[list[int]], ids: list[int]) -> float:
    hit = true = found = 0
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            hit += count * (row in ids and column in ids)
            true += count * (row in ids)
            found += count * (column in ids)
    return 2 * hit / (true + found)


@pytest.mark.parametrize("key", PROTOCOLS)
def test_a_matrix_of_other_classes_is_refused(key: str) -> None:
    other = 30 - PROTOCOLS[key].labels.num_classes  # 19 for 11, and 11 for 19
    with pytest.raises(ValueError, match=rf"{other} classes, and .* protocol {key} scores"):
        PROTOCOLS[key].scores(torch.zeros(other, other, dtype=torch.int64))


@pytest.mark.parametrize("key", PROTOCOLS)
@pytest.mark.parametrize("seed", [0, 1])
def test_columns_equal_loops_over_the_matrix(key: str, seed: int) -> None:
    scored = made_up(key, seed=seed)
    matrix = scored.matrix.tolist()
    *parts, overall = PROTOCOLS[key].scores(scored.matrix).items()
    assert [column for column, _ in parts] == list(IDS[key])
    for column, value in parts:
        assert value == pytest.approx(slow_f1(matrix, IDS[key][column])), column
    if key == "helen":
        assert overall == ("Overall F1", pytest.approx(slow_f1(matrix, [2, 3, 4, 5, 6, 7, 8, 9])))
    else:
        single = [slow_f1(matrix, [i]) for i in range(1, len(matrix))]
        assert overall == ("Mean F1", pytest.approx(np.mean(single)))


@pytest.mark.parametrize("key", PROTOCOLS)
def test_the_table_has_the_papers_columns_and_rows(key: str) -> None:
    protocol, scored = PROTOCOLS[key], made_up(key)
    text = as_text(protocol, scored, "unet (here)", "faces, val")
    lines = text.splitlines()
    heads = " ".join(lines[1 : 1 + protocol.lines]).split()
    columns = list(protocol.table.columns)
    first = (len(columns) - 1) // protocol.lines
    printed = [*columns[:first], columns[-1], *columns[first:-1]]
    assert heads == " ".join(["Method", *printed]).split()
    for method, row in protocol.table.rows.items():
        at = next(i for i, line in enumerate(lines) if line.startswith(method))
        cells = " ".join(lines[at : at + protocol.lines]).removeprefix(method).split()
        assert [float(c) for c in cells] == [*row[:first], row[-1], *row[first:-1]]
    ours = next(i for i, line in enumerate(lines) if line.startswith("unet"))
    assert lines[ours - 1] == "-- measured here: unet (here) on faces, val, 7 images"
    said = [i for i, line in enumerate(lines) if line.startswith("-- ")]
    assert said == [1 + protocol.lines, ours - 1]
    assert lines[said[0]].startswith("-- not measured here: the paper's figures")
    cells = " ".join(lines[ours : ours + protocol.lines]).removeprefix("unet (here)").split()
    values = [f"{100 * v:.1f}" for v in protocol.scores(scored.matrix).values() if v is not None]
    assert cells == [*values[:first], values[-1], *values[first:-1]]


def test_a_class_that_does_not_occur_is_no_zero() -> None:
    scored = made_up("celebamask", absent=(14, 16))
    scores = PROTOCOLS["celebamask"].scores(scored.matrix)
    assert scores["Hat"] is scores["Necklace"] is None
    there = [v for column, v in scores.items() if v is not None and column != "Mean F1"]
    assert len(there) == 16
    assert scores["Mean F1"] == pytest.approx(np.mean(there))
    text = as_text(PROTOCOLS["celebamask"], scored, "unet", "faces")
    assert "–: Hat, Necklace occur neither" in text
    for protocol in PROTOCOLS.values():
        empty = torch.zeros(2 * [protocol.labels.num_classes], dtype=torch.int64)
        assert set(protocol.scores(empty).values()) == {None}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"table {table.number}")
def test_the_papers_figures_agree_with_each_other(table: published.PaperTable) -> None:
    """A slip in copying shows: means are means, and tables repeat each other's figures."""
    assert len(TABLES) == 8
    for method, row in table.rows.items():
        assert len(row) == len(table.columns), method
        assert all(15 < value < 100 for value in row)
        if table.columns[-1] == "Mean F1":
            classes = [v for c, v in zip(table.columns, row, strict=True) if c != "Background"]
            assert row[-1] == pytest.approx(np.mean(classes[:-1]), abs=0.05 + 1e-9), method
    if table is published.BSPNET_HELEN_TABLE:  # what both papers took from the same two
        theirs = published.HELEN_TABLE
        for one, other in (("Liu et al. [24]", "Liu et al. [19]"), ("Guo et al. [12]",
                                                                    "Guo et al. [7]")):  # fmt: skip
            a = dict(zip(table.columns, table.rows[one], strict=True))
            b = dict(zip(theirs.columns, theirs.rows[other], strict=True))
            differ = {column for column in a if a[column] != b[column]}
            assert differ == ({"I-mouth"} if "Liu" in one else {"Eyes", "Brows"})
    if table is published.BSPNET_ABLATION_TABLE:  # the gains that the text names
        a, c = (dict(zip(table.columns, table.rows[row], strict=True)) for row in "AC")
        gains = {"Hair": 0.46, "Skin": 0.59, "Nose": 0.87, "L-Brow": 2.55, "R-Brow": 2.66,
                 "L-Eye": 3.36, "R-Eye": 3.48, "U-lip": 2.35, "L-lip": 1.86, "I-mouth": 1.53,
                 "Mean F1": 1.97}  # fmt: skip
        assert gains == {column: round(c[column] - a[column], 2) for column in gains}
    ablation = {column: [] for column in published.ABLATION_TABLE.columns}
    for row in published.ABLATION_TABLE.rows.values():
        for column, value in zip(published.ABLATION_TABLE.columns, row, strict=True):
            ablation[column].append(value)
    if table.columns == published.CONTEXT_TABLE.columns:
        for column, first in zip(table.columns, next(iter(table.rows.values())), strict=True):
            assert first == ablation[column][0]
        last = list(table.rows.values())[-1]
        step = 1 if table is published.CONTEXT_TABLE else 2
        assert list(last) == [ablation[column][step] for column in table.columns]
    if published.DML_CSR in table.rows:
        final = table.rows[published.DML_CSR][-1]
        assert any(round(values[-1], 1) == final for values in ablation.values())


def test_json_holds_both_and_says_which_is_which() -> None:
    found = json.loads(json.dumps(as_dict(PROTOCOLS["lapa"], made_up("lapa"), "unet", "faces")))
    assert found["table"] == 2
    assert found["ours"]["model"] == "unet"
    assert found["ours"]["images"] == 7
    assert found["paper"]["images"] == 2000
    assert found["paper"]["scores"][published.DML_CSR]["Mean F1"] == 0.924
    assert list(found["paper"]["scores"]["Te et al. [36]"]) == list(found["ours"]["scores"])


def test_sides_of_lapa_are_the_pictures_and_those_of_celebamask_the_subjects() -> None:
    assert PROTOCOLS["lapa"].classes["L-Eye"] == ("r_eye",)
    assert PROTOCOLS["celebamask"].classes["L-Eye"] == ("l_eye",)
    for protocol in PROTOCOLS.values():
        assert protocol.labels is LABEL_SETS[protocol.labels.key]
        assert tuple(protocol.classes) == protocol.table.columns[:-1]
        assert protocol.ablation in published.ABLATION_TABLE.columns


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A data set of 19 classes, and a checkpoint of 11 with a data set of its own."""
    root = tmp_path_factory.mktemp("protocols")
    sizes = ["--train", "2", "--val", "2", "--test", "1", "--size", "32"]
    for layout in ("course2025", "lapa"):
        assert main(["data", "make", str(root / layout), *sizes, "--layout", layout]) == 0
    call = ["train", "unet", "--size", "32", "--epochs", "1", "--cpu", "--set", "widths=(4,4,8)"]
    data = ["--data", str(root / "lapa"), "--out", str(root / "run")]
    assert main([*call, *data]) == 0
    return str(root), str(root / "run" / "model.safetensors")


def test_evaluate_prints_a_papers_table(
    run: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    root, model = run
    capsys.readouterr()
    call = ["evaluate", "--checkpoint", model, "--cpu", "--data", str(Path(root, "lapa"))]
    assert main([*call, "--protocol", "lapa"]) == 0
    text = capsys.readouterr().out
    assert "Table 2" in text
    assert f"unet (here) on {Path(root, 'lapa')}, val ({model} at 32²), 2 images" in text
    assert main([*call, "--protocol", "lapa", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["protocol"]["ours"]["mean_iou"] == found["mean_iou"]
    for protocol, mend in (("helen", "--protocol lapa"), ("celebamask", "--protocol lapa")):
        assert main([*call, "--protocol", protocol]) == 2
        error = capsys.readouterr().err
        assert f"the protocol {protocol} scores" in error
        assert error.rstrip().endswith(mend)
    other = ["evaluate", "--checkpoint", model, "--cpu", "--data", str(Path(root, "course2025"))]
    assert main([*other, "--protocol", "celebamask"]) == 2
    assert "the model was trained on lapa and the data are celebamask-hq" in capsys.readouterr().err
