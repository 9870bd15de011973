"""The command line as a user runs it: results, bad input, Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.cli import main, make_parser

COMMANDS = (
    "doctor",
    "completion",
    "demo",
    "lab",
    "data",
    "train",
    "evaluate",
    "predict",
    "submit",
    "validate",
    "score",
    "build",
    "release",
    "check",
    "grade",
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli") / "faces"
    sizes = ["--train", "6", "--val", "3", "--test", "2", "--size", "32"]
    assert main(["data", "make", str(root), *sizes]) == 0
    return root


def train(faces: Path, out: Path, *more: str) -> list[str]:
    return ["train", "unet", "--data", str(faces), "--size", "32", "--epochs", "2", "--out",
            str(out), "--cpu", "--set", "widths=(4,4,8)", *more]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([name, "--help"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    assert f"example:\n  coursekit {name}" in out
    assert make_parser().format_help().count(f"  {name} ")


def test_from_training_to_a_score(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(train(faces, out)) == 0
    printed = capsys.readouterr().out
    assert "parameters; 6 training and 3 validation images at 32²" in printed
    assert f"wrote {out}/model.safetensors" in printed
    model = str(out / "model.safetensors")
    assert main(["evaluate", "--checkpoint", model, "--data", str(faces), "--json", "--cpu"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["split"] == "val"
    assert len(scores["per_class"]) == 19
    zip_path, images = str(tmp_path / "s.zip"), str(faces / "test" / "images")
    call = ["--images", images, "--format", "flat"]
    assert main(["submit", "--checkpoint", model, *call, "--out", zip_path]) == 0
    assert main(["validate", zip_path, *call]) == 0
    truth = str(faces / "test_truth" / "masks")
    capsys.readouterr()
    assert main(["score", zip_path, "--truth", truth, "--format", "flat", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["headline"] == "pooled_miou"


def broken(faces: Path, tmp_path: Path, kind: str) -> tuple[list[str], tuple[str, ...]]:
    """A call that cannot work, and what its message must hold."""
    copy = tmp_path / "copy"
    shutil.copytree(faces, copy)
    out = tmp_path / "out"
    photo = next((copy / "train" / "images").iterdir())
    mask = copy / "train" / "masks" / f"{photo.stem}.png"
    if kind == "no folder":
        return train(tmp_path / "none", out), (str(tmp_path / "none"),)
    if kind == "empty folder":
        (tmp_path / "empty").mkdir()
        return train(tmp_path / "empty", out), (str(tmp_path / "empty"),)
    if kind == "unpaired":
        mask.unlink()
        return train(copy, out), (photo.stem,)
    if kind == "truncated photo":
        photo.write_bytes(photo.read_bytes()[:300])
        return train(copy, out), (photo.name,)
    if kind == "colour mask":
        from PIL import Image

        Image.open(mask).convert("RGB").save(mask)
        return train(copy, out), (mask.name, "RGB")
    if kind == "model":
        call = train(copy, out)
        call[1] = "unett"
        return call, ("unett", "did you mean 'unet'")
    if kind == "setting":
        return train(copy, out, "--set", "depth=3"), ("depth", "widths")
    if kind == "size":
        return train(copy, out, "--size", "0"), ("size is 0",)
    if kind == "loss":
        return train(copy, out, "--loss", "lovas"), ("did you mean 'lovasz'",)
    if kind == "resume":
        train_again = tmp_path / "runs" / "unet"
        train_again.mkdir(parents=True)
        (train_again / "state.safetensors").touch()
        told = f"did you mean {train_again}?"
        return train(copy, tmp_path / "runs" / "unt", "--resume"), ("no run to go on with", told)
    if kind == "layout":
        (copy / "train").rename(copy / "training")
        (copy / "val").rename(copy / "validation")
        (copy / "test").rename(copy / "testing")
        return train(copy, out), ("no known layout", "train/{images,masks}", "data --help")
    if kind == "no name":
        return train(copy, copy / ("x" * 300)), ("File name too long",)
    if kind == "patience":
        return train(copy, out, "--patience", "0"), ("patience is 0",)
    call = ["evaluate", "--checkpoint", str(photo), "--data", str(copy)]
    return call, (photo.name, "coursekit train")


@pytest.mark.parametrize(
    "kind",
    ["no folder", "empty folder", "unpaired", "truncated photo", "colour mask", "model", "setting",
     "size", "loss", "patience", "resume", "layout", "no name", "no checkpoint"],
)  # fmt: skip
def test_bad_input_is_one_clear_error(
    faces: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call, words = broken(faces, tmp_path, kind)
    assert main(call) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"coursekit {call[0]}: ")
    assert "Traceback" not in error
    for word in words:
        assert word in error
    for place in (tmp_path, faces, "x" * 300):
        error = error.replace(str(place), "faces")
    assert len(error) <= 3 * 80
    assert not list(tmp_path.rglob("model.safetensors"))


def test_quiet_and_a_size_that_enlarges(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*train(faces, tmp_path / "run", "--epochs", "1", "--size", "64"), "--quiet"]) == 0
    out, error = capsys.readouterr()
    assert "epoch   1" not in out
    assert f"wrote {tmp_path}/run/model.safetensors" in out
    assert "Photographs of 32x32 (the first one) are enlarged to 64²: about 4 times" in error
    assert main(train(faces, tmp_path / "own", "--epochs", "1")) == 0
    out, error = capsys.readouterr()
    assert "epoch   1" in out
    assert error == ""


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (RuntimeError("seven"), 70, "coursekit doctor: a fault of coursekit; please tell us"),
        (PermissionError(13, "Permission denied", "runs"), 2, "coursekit doctor: runs: Permission"),
        (OSError(28, "No space left on device"), 2, "No space left on device; free some space"),
        (KeyboardInterrupt(), 130, "coursekit doctor: stopped by Ctrl-C"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_exit_codes(
    raised: BaseException, code: int, told: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def version(name: str) -> str:
        raise raised

    monkeypatch.setattr("coursekit.health.metadata.version", version)
    assert main(["doctor"]) == code
    error = capsys.readouterr().err
    assert told in error
    assert ("Traceback" in error) == (code == 70)


@pytest.mark.parametrize(("output", "code"), [("/dev/full", 2), ("a closed pipe", 141)])
def test_output_that_nobody_takes(output: str, code: int) -> None:
    if output == "/dev/full":
        taken = os.open(output, os.O_WRONLY)
    else:
        read, taken = os.pipe()
        os.close(read)
    call = [sys.executable, "-m", "coursekit", "data"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        call, stdout=taken, stderr=subprocess.PIPE, text=True, check=False, env=buffered
    )
    os.close(taken)
    assert done.returncode == code
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert ("No space left" in done.stderr) == (code == 2)


def test_a_report_in_an_old_encoding(faces: Path) -> None:
    call = [sys.executable, "-m", "coursekit", "data", "check", str(faces)]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(call, capture_output=True, env=environment, check=True)
    assert b"  -> " in done.stdout


def test_ctrl_c_keeps_whole_epochs(faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    call = [sys.executable, "-m", "coursekit", *train(faces, out, "--epochs", "2000")]
    process = subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell's background job ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch   1"):
            break
    os.kill(process.pid, signal.SIGINT)
    printed, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in printed
    assert "stopped by Ctrl-C" in error
    assert "Traceback" not in error
    names = sorted(path.name for path in out.iterdir())
    assert names == ["history.jsonl", "model.safetensors", "state.safetensors"]


def test_doctor_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "torch" in printed
    assert "inplace-abn" in printed
    assert f"home: {Path.home()}, can be written" in printed


def test_lab_without_notebooks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "--notebooks", str(tmp_path / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err
