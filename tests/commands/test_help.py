"""The command line as it is read: help, defaults, what was meant."""

from __future__ import annotations

import argparse
import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import coursekit
from coursekit.cli import main, make_parser
from coursekit.data.layouts import COURSE_2024, COURSE_2025, LAPA_LAYOUT
from coursekit.optim import AdamToSGDConfig
from coursekit.training import FitConfig


def parsers(parser: argparse.ArgumentParser | None = None) -> Iterator[argparse.ArgumentParser]:
    """All that are listed."""
    parser = parser or make_parser()
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for shown in action._get_subactions():
                yield from parsers(action.choices[shown.dest])


@pytest.mark.parametrize("columns", ["50", "80", "200"])
def test_help_fits_80_columns(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for parser in parsers():
        for line in parser.format_help().splitlines():
            indented = line.startswith(" ")  # an example or a tree stays as it is
            assert len(line) <= (80 if indented else min(int(columns), 80)), line


def test_every_option_says_what_it_is_and_its_default() -> None:
    for parser in parsers():
        text = " ".join(parser.format_help().split())
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                continue
            assert action.help, f"{parser.prog} {action.dest}"
            given = not any(action.default is no for no in (None, False, argparse.SUPPRESS))
            if given and action.default != []:
                assert f"default: {action.default}" in text or "default: 0" in text


def test_defaults_that_train_leaves_to_the_library() -> None:
    text = " ".join(next(p for p in parsers() if p.prog == "coursekit train").format_help().split())
    plan = AdamToSGDConfig()
    for name, value in (
        ("--size N", FitConfig.size), ("--epochs N", FitConfig.epochs),
        ("--batch-size N", FitConfig.batch_size), ("--seed N", FitConfig.seed),
        ("--patience N", plan.patience), ("--lr X", plan.adam_lr),
    ):  # fmt: skip
        told = text.split(f" {name} ")[-1].split(" --")[0]
        assert told.endswith(f"default: {value}")


def test_data_shows_the_trees_of_its_layouts() -> None:
    text = " ".join(next(p for p in parsers() if p.prog == "coursekit data").format_help().split())
    for layout in (COURSE_2024, COURSE_2025, LAPA_LAYOUT):
        assert f"{layout.title} {layout.tree}" in text
    assert "CelebAMask-HQ-mask-anno" in text
    assert "SmithCVPR2013_dataset_resized" in text


@pytest.mark.parametrize("call", [[], ["help"], ["--help"], ["-q"]])
def test_a_bare_call_shows_the_groups(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert main(call) == 0
    except SystemExit as done:
        assert done.code == 0
    lines = capsys.readouterr().out.splitlines()
    groups = ["  students", "  data", "  training", "  competition", "  instructors"]
    assert [line for line in lines if line in groups] == groups
    assert lines.index("  training") < next(
        i for i, x in enumerate(lines) if x.startswith("    train ")
    )


@pytest.mark.parametrize("call", [["data"], ["help", "data"], ["data", "--help"]])
def test_a_group_shows_its_commands(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert main(call) == 0
    except SystemExit as done:
        assert done.code == 0
    assert "suspects" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("trian", "coursekit: 'trian' is not a command; did you mean train?"),
        ("eval", "did you mean evaluate?"),
        ("suspects", "did you mean data suspects?"),
        ("data chek", "coursekit data: 'chek' is not a command; did you mean check?"),
        ("xyzzy", "'xyzzy' is not a command; there are: lab, check, demo"),
        ("train unet --data f --out o --epoch-s 3", "coursekit train: no option is called --epo"),
        ("train unet --data f --out o --epoch-s 3", "--epoch-s; did you mean --epochs?"),
        ("train unet --data f --out o --size=96 --bach-size=3", "did you mean --batch-size?"),
        ("train unet --data f --out o again", "'again' is one word too many"),
        ("--quite demo", "coursekit: no option is called --quite; did you mean --quiet?"),
        ("evaluate --data f --checkpoint c --split vall", "is not a choice; did you mean val?"),
        ("train", "the following arguments are required: model, --data, --out"),
    ],
)  # fmt: skip
def test_what_was_meant(call: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(call.split())
    assert done.value.code == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 2
    assert " --help shows" in error


def test_no_message_is_longer_than_three_lines() -> None:
    for path in Path(coursekit.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "CourseError":
                words = (c.value for c in ast.walk(node) if isinstance(c, ast.Constant))
                length = sum(len(word) for word in words if isinstance(word, str))
                assert length <= 220, f"{path}:{node.lineno}: {length}"  # a path comes to it


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("coursekit", "suspects", "batch-size", "celebamask"):
        assert word in script
    if shell == "bash":
        tried = f"{script}\nCOMP_WORDS=(coursekit tra)\nCOMP_CWORD=1\n_shtab_coursekit\n"
        done = subprocess.run(
            ["bash", "-c", tried + 'echo "${COMPREPLY[@]}"'], capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        assert done.stdout.split() == ["train"]
