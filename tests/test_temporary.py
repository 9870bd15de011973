"""Folders that a killed process left go; all others stay."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit import temporary
from coursekit.temporary import TemporaryFolder, in_memory, temporary_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")

OWNER = """
import sys
from coursekit.temporary import TemporaryFolder
folder = TemporaryFolder(sys.argv[1])
(folder.path / "expected").write_text("results")
(folder.path / "locked").mkdir(mode=0o500)
print(folder.path, flush=True)
sys.stdin.read()
"""


def start(place: Path, code: str = OWNER) -> tuple[subprocess.Popen[str], Path]:
    """A process that holds a folder in `place`."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(place)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def sweep(place: Path) -> None:
    """What the next process does first."""
    temporary._sweep.cache_clear()
    with temporary_folder(place):
        pass


def names(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def test_what_a_killed_process_left_goes_and_what_lives_stays(tmp_path: Path) -> None:
    (killed, left), (living, held) = start(tmp_path), start(tmp_path)
    killed.kill()
    killed.communicate()
    assert (left / "expected").is_file()
    sweep(tmp_path)
    assert not left.exists() and (held / "expected").is_file()
    living.communicate("")
    assert not held.exists()  # it ended by itself


def test_a_fork_that_outlives_its_parent_keeps_the_folder(tmp_path: Path) -> None:
    forks = (
        "import os\n"
        + OWNER.replace("sys.stdin.read()", "os.fork() and os._exit(0)\n")
        + ("sys.stdin.read()\nos.kill(os.getpid(), 9)")
    )
    process, folder = start(tmp_path, forks)
    assert process.wait() == 0
    sweep(tmp_path)
    assert (folder / "expected").is_file()
    process.communicate("")  # and now the fork is gone
    sweep(tmp_path)
    assert not folder.exists()


def test_a_fork_that_ends_removes_nothing(tmp_path: Path) -> None:
    folder = TemporaryFolder(tmp_path)
    if os.fork() == 0:
        del folder
        gc.collect()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
    assert folder.path.is_dir()
    folder.remove()
    folder.remove()
    assert not folder.path.exists()


def test_the_next_program_in_this_process_keeps_what_was_handed_over(tmp_path: Path) -> None:
    becomes = """
import os, sys
from coursekit.temporary import TemporaryFolder
print(TemporaryFolder(sys.argv[1]).hand_over(), flush=True)
os.execv("/bin/cat", ["cat"])
"""
    process, folder = start(tmp_path, becomes)
    sweep(tmp_path)
    assert folder.is_dir()
    process.communicate("")
    sweep(tmp_path)
    assert not folder.exists()


def test_links_files_others_names_and_other_users_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aim = tmp_path / "aim"
    aim.mkdir()
    (aim / "kept").touch()
    place = tmp_path / "place"
    place.mkdir()
    (place / ".coursekit-linklink").symlink_to(aim)
    (place / ".coursekit-filefile").touch()
    (place / ".coursekit.new-earlyone").mkdir()
    for own in ("own", ".coursekit-own", ".coursekit-My_Notes", ".coursekit.unlocked-somebody"):
        (place / own).mkdir()
    inside = place / ".coursekit-leftleft"
    inside.mkdir()
    (inside / "out").symlink_to(aim)
    before = names(place)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        sweep(place)
    assert names(place) == before
    sweep(place)
    assert names(place) == before - {".coursekit-leftleft"}
    assert (aim / "kept").is_file()


def test_a_killed_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "grade.json").write_text("old")
    code = """
import pathlib, sys
from coursekit.files import atomic_path
with atomic_path(pathlib.Path(sys.argv[1], "grade.json")) as new:
    new.write_text("half")
    print(new, flush=True)
    sys.stdin.read()
"""
    process, half = start(tmp_path, code)
    assert half.suffix == ".json" and half.read_text() == "half"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    sweep(tmp_path)
    assert names(tmp_path) == {"grade.json"}
    assert (tmp_path / "grade.json").read_text() == "old"


def test_what_could_not_be_locked_is_never_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without_descriptors:
        without_descriptors.setattr(temporary, "_lock", lambda folder: None)
        folder = temporary.TemporaryFolder(tmp_path)
    temporary._sweep.cache_clear()
    with temporary.temporary_folder(tmp_path):
        assert folder.path.is_dir()
    folder.remove()
    assert not [*tmp_path.iterdir()]


def test_where_locks_do_nothing_nothing_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some network disks, and in a student's kernel."""
    import fcntl

    process, held = start(tmp_path)
    with monkeypatch.context() as lockless:
        lockless.setattr(fcntl, "flock", lambda *_: None)
        sweep(tmp_path)
        folder = TemporaryFolder(tmp_path)
    assert held.is_dir()
    sweep(tmp_path)
    assert folder.path.is_dir()
    process.communicate("")
    folder.remove()
    assert names(tmp_path) == set()


def test_one_that_was_killed_before_it_had_its_lock_leaves_nothing_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".coursekit.new-abcdefgh").mkdir()
    sweep(tmp_path)
    assert names(tmp_path) == {".coursekit.new-abcdefgh"}
    monkeypatch.setattr(temporary, "_AN_HOUR", 0.0)
    sweep(tmp_path)
    assert names(tmp_path) == set()


def test_however_deep_it_is_it_goes(tmp_path: Path) -> None:
    aim = tmp_path / "aim"
    aim.mkdir()
    (aim / "kept").touch()
    place = tmp_path / "place"
    place.mkdir()
    folder = TemporaryFolder(place)
    top = os.open(folder.path, os.O_RDONLY)
    for _ in range(1200):  # deeper than Python calls itself, and than files may be open
        for name in ("d", "e"):
            os.mkdir(name, dir_fd=top)
        os.symlink(aim, "link", dir_fd=top)
        below = os.open("d", os.O_RDONLY, dir_fd=top)
        os.close(os.open("file", os.O_CREAT, dir_fd=below))
        os.close(top)
        top = below
    os.close(top)
    folder.path.chmod(0o500)
    folder.remove()
    assert names(place) == set() and (aim / "kept").is_file()


def test_a_place_in_memory_is_one_only_with_room() -> None:
    assert in_memory(2**60) is None
    place = in_memory(0)
    assert place is None or os.access(place, os.W_OK)
