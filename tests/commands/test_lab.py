"""What `coursekit lab` starts, and in which environment."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path

import pytest

from coursekit.cli import main
from coursekit.commands import lab


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tmp_path / "a cöurse with spaces"
    (root / "notebooks" / "solved").mkdir(parents=True)
    for name in ("00_welcome", "01_data"):
        (root / "notebooks" / f"{name}.ipynb").write_text("{}")
    (root / "pyproject.toml").write_text("")
    return root


def started(call: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, str]]:
    """The command and the environment that JupyterLab would be started with."""
    seen = []

    def become(path: str, command: list[str], environment: dict[str, str]) -> None:
        seen.append((command, environment))
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", become)
    with pytest.raises(SystemExit):
        main(["lab", *call])
    return seen[0]


def test_the_first_lesson_opens_in_the_course(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course)
    command, _ = started([], monkeypatch)
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={course}" in command
    assert "--LabApp.default_url=/lab/tree/notebooks/00_welcome.ipynb" in command
    hidden = {w.partition("=")[2] for w in command if w.startswith("--ContentsManager.hide_globs")}
    assert hidden >= {"solved", "source", "conftest.py", "INSTRUCTORS.md", "tests"}
    assert not any(w.startswith("--ContentsManager") for w in started(["--all"], monkeypatch)[0])


def test_the_lesson_that_is_named_opens(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(course)
    command, _ = started(["notebooks/01_data.ipynb", "--port", "9000"], monkeypatch)
    assert "--LabApp.default_url=/lab/tree/notebooks/01_data.ipynb" in command
    assert "--port=9000" in command
    assert not any(word.startswith("notebooks/") for word in command)
    assert main(["lab", "notebooks/09.ipynb"]) == 2
    assert "is no notebook in" in capsys.readouterr().err


def test_a_folder_outside_a_course_is_its_own_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    command, _ = started(["--notebooks", str(tmp_path / "mine")], monkeypatch)
    assert f"--ServerApp.root_dir={tmp_path / 'mine'}" in command


def test_what_is_jupyters_is_passed_on(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course)
    own = ["--ip", "0.0.0.0", "--ServerApp.allow_origin=*", "--no-b"]
    for call in (own, ["--", *own]):
        assert started(call, monkeypatch)[0][-4:] == own
    assert "--no-browser" not in started(own, monkeypatch)[0]
    assert "--log-level=ERROR" in started(["--quiet"], monkeypatch)[0]


@pytest.mark.parametrize("user", [0, 1000])
def test_root_is_allowed(user: int, course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert ("--allow-root" in started([], monkeypatch)[0]) == (user == 0)


def test_coursekit_is_found_in_a_terminal_and_in_a_cell(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("COURSEKIT_DATA", "faces")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/mine")
    command, environment = started([], monkeypatch)
    # A login shell would begin with a PATH of its own.
    assert "--ServerApp.terminado_settings=shell_command=['/bin/bash']" in command
    first = environment["PATH"].split(os.pathsep)[0]
    assert Path(first, "coursekit").is_file()
    assert environment["PATH"].endswith("/usr/bin:/bin")
    assert environment["COURSEKIT_DATA"] == str(course / "faces")
    assert environment["JUPYTER_CONFIG_PATH"].endswith(":/mine")


def test_no_question_about_news() -> None:
    place = Path(lab.server_environment()["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0])
    (file,) = (place / "labconfig").iterdir()
    said = json.loads(file.read_text("utf-8"))["@jupyterlab/apputils-extension:notification"]
    assert said == {"fetchNews": "false", "checkForUpdates": False}


def test_jupyterlab_finds_what_keeps_words_whole() -> None:
    place = Path(sysconfig.get_path("data"), "share", "jupyter", "labextensions", "coursekit")
    told = json.loads((place / "package.json").read_text("utf-8"))
    entry = told["jupyterlab"]["_build"]["load"]
    ours = Path(lab.__file__).parent / "jupyter" / "labextension"
    assert (place / entry).read_bytes() == (ours / entry).read_bytes(), "make setup copies it anew"
    assert "word-break: normal" in (ours / entry).read_text("utf-8")


@pytest.mark.parametrize("why", ["", "full"])
def test_a_home_that_cannot_be_written(
    why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "none" if why == "full" else tmp_path))
    monkeypatch.delenv("IPYTHONDIR", raising=False)
    environment = lab.server_environment()
    assert ("IPYTHONDIR" in environment) == bool(why)
    assert ("Your home cannot be written" in capsys.readouterr().err) == bool(why)
    if why:
        place = Path(environment["JUPYTER_RUNTIME_DIR"]).parent
        assert place == Path(environment["JUPYTER_DATA_DIR"]).parent
        place.rmdir()
