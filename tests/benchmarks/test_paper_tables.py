"""The paper's Tables 4 to 6: each row is a command that the recipes know."""

from __future__ import annotations

import json
import shutil
import subprocess
from argparse import Namespace
from pathlib import Path
from typing import Any

import paper_tables
import pytest
import records
import table

from coursekit import recipes
from coursekit.cli import main
from coursekit.models.contexts import CONTEXTS

OPTIONS = {"size": 64, "epochs": 4, "precision": "fp32", "workers": 0, "cpu": True}
EACH = [(name, n) for name, paper in paper_tables.PAPERS.items() for n in paper.tables]


@pytest.mark.parametrize(("name", "number"), EACH)
def test_the_rows_are_the_paper_s_and_no_two_are_alike(name: str, number: int) -> None:
    paper = paper_tables.PAPERS[name]
    rows, printed = paper.rows[number], list(paper.tables[number].rows)
    assert list(rows) == printed[-len(rows) :]  # the last ones are its own
    assert len(rows) == len(printed) or (name, number) == ("bspnet", 3)
    assert len(set(rows.values())) == len(rows)
    for row in rows.values():
        for recipe in (name, f"{name}_small"):
            recipes.configure(recipe, name, 64, 20, 0, row.without)
        assert row.context is None or row.context in CONTEXTS


@pytest.mark.parametrize("name", paper_tables.PAPERS)
def test_a_row_is_a_command_with_a_folder_of_its_own(name: str, tmp_path: Path) -> None:
    folders = set()
    tables = paper_tables.PAPERS[name].rows
    for small in (False, True):
        options = Namespace(
            paper=name, small=small, data=Path("faces"), lapa=Path("l"), out=tmp_path, **OPTIONS
        )
        for rows in tables.values():
            for row in rows.values():
                words = paper_tables.command(row, 3, options)
                assert words[:4] == ["train", name, "--recipe", f"{name}{'_small' * small}"]
                assert words.count("--without") == len(row.without) and "--resume" not in words
                folders.add(words[-1])
    begun = Path(words[-1])
    begun.mkdir()
    (begun / "state.safetensors").touch()
    assert "--resume" in paper_tables.command(row, 3, options)
    different = {row for rows in tables.values() for row in rows.values()}
    assert len(folders) == 2 * len(different)


def test_helen_begins_with_the_network_that_table_2_trains(tmp_path: Path) -> None:
    options = Namespace(
        paper="bspnet", small=False, data=Path("helen"), lapa=Path("lapa"), out=tmp_path, **OPTIONS
    )
    row = paper_tables.PAPERS["bspnet"].rows[3]["BSPNet+LaPa"]
    words = paper_tables.command(row, 0, options)
    model_c = paper_tables.PAPERS["bspnet"].rows[2]["C"]
    lapa = Namespace(**{**vars(options), "data": Path("lapa")})
    first = paper_tables.command(model_c, 0, lapa)
    assert paper_tables.pretraining(0, options) == first and first[5] == "lapa"
    assert words[words.index("--start") + 1] == f"{first[-1]}/model.safetensors"
    assert words[-1] != paper_tables.command(model_c, 0, options)[-1] != first[-1]


@pytest.fixture
def faces_of_one(tmp_path: Path) -> Path:
    faces = tmp_path / "faces"
    assert main(["data", "make", str(faces), "--train", "1", "--val", "1", "--test", "1",
                 "--size", "16"]) == 0  # fmt: skip
    return faces


def test_a_table_is_trained_scored_and_told_once(
    faces_of_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Its training is played: a folder with scores; the rest is as it is."""
    called: list[str] = []

    def play(words: list[str], **_: Any) -> Any:
        called.append(words[3])
        if words[3] == "train":
            folder = Path(words[-1])
            folder.mkdir(parents=True)
            (folder / "scores.json").write_text("{}")
        score = {"mean_iou": 0.25 + len(called) / 1000,
                 "protocol": {"ours": {"scores": {"Mean F1": 0.5}}}}  # fmt: skip
        return Namespace(stdout=json.dumps(score))

    monkeypatch.setattr(subprocess, "run", play)
    words = ["paper_tables.py", "--table", "4", "--data", str(faces_of_one)]
    words += ["--out", str(tmp_path / "r"), "--small", "--cpu", "--seeds", "0", "1"]
    monkeypatch.setattr(paper_tables.sys, "argv", words)
    capsys.readouterr()
    with pytest.raises(SystemExit):  # its test split has no masks, which costs nobody a training
        paper_tables.main()
    assert "faces: the test split has no masks to score; choose --split val" in (
        capsys.readouterr().err
    )
    assert not called
    paper_tables.sys.argv += ["--split", "val"]
    for _ in range(2):
        assert paper_tables.main() == 0
        told = capsys.readouterr().out
    assert called == ["train", "evaluate"] * 8  # four rows, two seeds; nothing twice
    assert "64², 10 epochs, 2 seeds" in told and told == (tmp_path / "r" / "table4.md").read_text()
    assert "| Baseline | 25.60 ± 0.57 | 50.00 ± 0.00 | 82.36 | 92.11 | 76.14 |" in told


def test_a_run_leaves_a_record_for_the_page_once(
    faces_of_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def play(words: list[str], **more: Any) -> Any:
        if words[0] == "git":  # the record's commit
            return run(words, **more)
        if words[3] == "train":
            Path(words[-1]).mkdir(parents=True)
        score = {"mean_iou": 0.25, "protocol": {"ours": {"scores": {"Mean F1": 0.375}}}}
        return Namespace(stdout=json.dumps(score))

    monkeypatch.setattr(subprocess, "run", play)
    kept = tmp_path / "records"
    shutil.copytree(records.RECORDS, kept, ignore=shutil.ignore_patterns("paper"))
    words = ["paper_tables.py", "--table", "4", "--data", str(faces_of_one), "--split", "val"]
    words += ["--out", str(tmp_path / "r"), "--small", "--cpu", "--record", "faces"]
    monkeypatch.setattr(
        paper_tables.sys, "argv", [*words, "--keep", str(kept), "--seeds", "0", "1"]
    )
    assert paper_tables.main() == 0
    record = records.read(kept)["paper/faces-4-64-10-small-+DDGCN+DML-1"]
    assert record["figures"] == {"mean IoU": 25.0, "Mean F1": 37.5} and record["seeds"] == [1]
    page = table.render(kept)
    assert "faces, the small network, 64², 10 epochs:" in page
    assert "| +DDGCN+DML | 25.0, 25.0 | 25.00 ± 0.00 | 37.5, 37.5 | 37.50 ± 0.00 |" in page
    (kept / "paper" / "faces-4-64-10-small-Baseline-0.json").unlink()
    assert paper_tables.main() == 0  # nothing was trained, so nothing is recorded
    assert len(list((kept / "paper").iterdir())) == 7


def test_what_a_command_cannot_do_ends_the_table_in_a_line(
    faces_of_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(words: list[str], **_: Any) -> Any:
        raise subprocess.CalledProcessError(2, words)

    monkeypatch.setattr(subprocess, "run", fail)
    words = ["paper_tables.py", "--table", "4", "--data", str(faces_of_one), "--split", "val"]
    monkeypatch.setattr(paper_tables.sys, "argv", [*words, "--out", str(tmp_path / "r")])
    capsys.readouterr()
    assert paper_tables.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("paper_tables: stopped where this failed:") and "--without" in line
    assert not (tmp_path / "r" / "table4.md").exists()


def play_bspnet(called: list[list[str]], scores: dict[str, float]) -> Any:
    """A stand-in for `subprocess.run`: training leaves a folder, evaluation says the scores."""

    def play(words: list[str], **_: Any) -> Any:
        called.append(words[3:])
        if words[3] == "train":
            folder = Path(words[-1])
            folder.mkdir(parents=True)
            (folder / "scores.json").write_text("{}")
        per_class = {"background": {"iou": 0.9, "f1": 0.95}}
        told = {"mean_iou": 0.5, "per_class": per_class, "protocol": {"ours": {"scores": scores}}}
        return Namespace(stdout=json.dumps(told))

    return play


def test_table_2_has_the_columns_that_the_data_have(
    faces_of_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(
        subprocess, "run", play_bspnet(called, {"Hair": 0.9, "Necklace": 0.1, "Mean F1": 0.8})
    )
    words = ["paper_tables.py", "--paper", "bspnet", "--data", str(faces_of_one), "--split", "val"]
    words += ["--out", str(tmp_path / "r"), "--small", "--cpu", "--table"]
    monkeypatch.setattr(paper_tables.sys, "argv", [*words, "2"])
    assert paper_tables.main() == 0
    told = capsys.readouterr().out
    assert told == (tmp_path / "r" / "bspnet_table2.md").read_text()
    assert "96², 10 epochs, 1 seed. Paper: the LaPa paper" in told
    assert "| | mean IoU (here) | Hair (here) | Background (here) | Mean F1 (here) | Hair" in told
    assert "| A | 50.00 | 90.00 | 95.00 | 80.00 | 94.86 | 95.95 |" in told
    assert [" ".join(w).count("--without") for w in called if w[0] == "train"] == [2, 1, 0]
    for wrong, message in (
        (["4"], "--table 4: of bspnet there are 2, 3"),
        (["3"], "begins with a network of LaPa: name its folder, --lapa"),
        (["3", "--lapa", str(tmp_path / "none")], "none"),
        (["3", "--lapa", str(faces_of_one)], "have one name"),
    ):
        monkeypatch.setattr(paper_tables.sys, "argv", [*words, *wrong])
        with pytest.raises(SystemExit):
            paper_tables.main()
        assert message in capsys.readouterr().err


def test_table_3_trains_lapa_first_and_once(
    faces_of_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", play_bspnet(called, {"Skin": 0.9, "Mean F1": 0.8}))
    words = ["paper_tables.py", "--paper", "bspnet", "--table", "3", "--data", str(faces_of_one)]
    lapa_faces = shutil.copytree(faces_of_one, tmp_path / "lapa")
    words += ["--lapa", str(lapa_faces), "--split", "val", "--out", str(tmp_path / "r")]
    monkeypatch.setattr(paper_tables.sys, "argv", words)
    for _ in range(2):
        assert paper_tables.main() == 0
    assert [w[0] for w in called] == ["train", "evaluate", "train", "train", "evaluate"]
    plain, lapa, tuned = (w for w in called if w[0] == "train")
    assert (
        plain[-1] != lapa[-1]
        and "--start" not in (*plain, *lapa)
        and f"{lapa[-1]}/model.safetensors" in tuned
    )
    told = capsys.readouterr().out
    assert "| BSPNet+LaPa | 50.00 | 80.00 | 95.10 |" in told and "Guo" not in told
