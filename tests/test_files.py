"""Files are written whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from coursekit import files
from coursekit.errors import CourseError
from coursekit.files import atomic_folder, atomic_path, write_text


def test_content_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_keeps_the_old_content(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "file.txt"
    write_text(target, "old")
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CourseError, match="could not be written"):
        write_text(tmp_path / "file" / "inside.txt", "x")


def test_a_folder_takes_the_place_of_another_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "faces"
    for text in ("first", "second"):
        with atomic_folder(target, keep=".git") as folder:
            (folder / text).touch()
            assert text not in {p.name for p in target.glob("*")}
        (target / ".git").mkdir(exist_ok=True)
    assert {p.name for p in target.iterdir()} == {"second", ".git"}
    link = tmp_path / "link"
    link.symlink_to(target)
    with atomic_folder(link, keep=".git") as folder:
        (folder / "third").touch()
    assert link.is_symlink() and {p.name for p in target.iterdir()} == {"third", ".git"}
    moves = Path.replace

    def full(self: Path, there: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return moves(self, there)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CourseError, match="nothing was changed"), atomic_folder(target, ".git"):
        pass
    assert {p.name for p in target.iterdir()} == {"third", ".git"}
    assert {p.name for p in tmp_path.iterdir()} == {"faces", "link"}


def test_sockets_of_processes_fit_below_a_long_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from multiprocessing import process
    from multiprocessing.connection import Listener

    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(process.current_process(), "_config", {"authkey": b"a"})
    with pytest.raises(OSError, match="AF_UNIX path too long"):
        Listener(family="AF_UNIX").close()
    monkeypatch.setattr(process.current_process(), "_config", {"authkey": b"a"})
    files.shorten_sockets()
    Listener(family="AF_UNIX").close()
    assert tempfile.gettempdir() == str(long)  # what needs room stays where the user has it


@pytest.mark.parametrize("name", ["x" * 80, "x\udcff"])
def test_a_short_link_to_a_long_folder_is_too_long_for_sockets(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ZeroMQ is given the folder's own path, and writes it in UTF-8."""
    (tmp_path / name).mkdir()
    with tempfile.TemporaryDirectory() as short:
        link = Path(short, "l")
        link.symlink_to(tmp_path / name)
        monkeypatch.setattr(tempfile, "tempdir", str(link))
        assert files.socket_folder() in ("/tmp", "/var/tmp")


def test_no_folder_for_sockets_or_for_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("x" * 80)))
    monkeypatch.setattr(files.os, "access", lambda *_: False)
    with pytest.raises(CourseError, match="set TMPDIR to a folder below 60 characters"):
        files.socket_folder()

    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(CourseError, match="free some space, or set TMPDIR"):
        files.check_temporary()


def test_a_name_that_is_no_text_is_written_escaped(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a.csv", "\udcff.jpg")
    assert (tmp_path / "a.csv").read_text("utf-8") == "\\udcff.jpg"


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    assert files.home_folder() == Path.home()
    monkeypatch.setattr(Path, "home", lambda: Path("~nobody-here").expanduser())
    assert files.home_folder() == Path(tempfile.gettempdir())


def test_why_a_folder_is_refused(tmp_path: Path) -> None:
    assert files.why_refused(tmp_path) == ""
    assert files.why_refused(tmp_path / "none") == "No such file or directory"
    assert list(tmp_path.iterdir()) == []
