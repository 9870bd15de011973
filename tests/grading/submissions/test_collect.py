"""Students' files are found in whatever form they came, and nothing in them does harm."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.grading.submissions import find
from coursekit.grading.submissions.collect import collect
from coursekit.grading.submissions.read import read_notebook
from tests.growth import grows_linearly


def notebook(text: str = "x = 1", outputs: str = "") -> bytes:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": [text]}
    cell |= {"execution_count": 1, "outputs": [{"output_type": "stream", "text": outputs}]}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    ).encode()


def put(path: Path, content: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook(path.as_posix()) if content is None else content)
    return path


def zipped(files: dict[str, bytes], **options: int) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return memory.getvalue()


def found(path: Path) -> list[tuple[str, str]]:
    return [(s.student, s.name) for s in collect(path) if s.content is not None]


def problems(path: Path) -> dict[str, str]:
    return {s.student: s.problem for s in collect(path) if s.content is None}


# --- honest ---


def test_folders_zips_and_notebooks_side_by_side(tmp_path: Path):
    put(tmp_path / "ada" / "02_unet.ipynb")
    put(tmp_path / "ada" / "figures" / "plot.png", b"PNG")
    put(tmp_path / "bob.zip", zipped({"homework/02_unet.ipynb": notebook("bob")}))
    put(tmp_path / "cleo.ipynb")
    put(tmp_path / "dan_02_unet.ipynb")
    put(tmp_path / "dan_01_data (1).ipynb")
    put(tmp_path / "README.txt", b"not a student")
    assert found(tmp_path) == [
        ("ada", "ada/02_unet.ipynb"),
        ("bob", "bob.zip/homework/02_unet.ipynb"),
        ("cleo", "cleo.ipynb"),
        ("dan", "dan_01_data (1).ipynb"),
        ("dan", "dan_02_unet.ipynb"),
    ]
    assert not problems(tmp_path)
    assert not any(s.notes for s in collect(tmp_path))


def test_moodle(tmp_path: Path):
    folder = "Ada Lovelace_12345_assignsubmission_"
    put(tmp_path / f"{folder}file_" / "02_unet.ipynb")
    put(tmp_path / f"{folder}onlinetext_" / "onlinetext.html", b"<p>done</p>")
    put(tmp_path / "Bob Ross_7_assignsubmission_file_02_unet.ipynb")
    put(tmp_path / "Ada Lovelace_99_assignsubmission_file" / "abgabe.zip",
        zipped({"02_unet.ipynb": notebook("another Ada")}))  # fmt: skip
    got = collect(tmp_path)
    assert [s.student for s in got] == [
        "Ada Lovelace (12345)", "Ada Lovelace (99)", "Bob Ross",
    ]  # fmt: skip
    assert all("nearly so" in s.notes[0] for s in got[:2])
    assert not got[2].notes


def test_canvas(tmp_path: Path):
    put(tmp_path / "lovelaceada_12345_67890_02_unet.ipynb")
    put(tmp_path / "lovelaceada_12345_67891_01_data-1.ipynb")
    put(tmp_path / "rossbob_LATE_222_99999_my_work.ipynb")
    put(tmp_path / "cleo_333_88888_all.zip", zipped({"02_unet.ipynb": notebook("cleo")}))
    got = collect(tmp_path)
    assert [s.student for s in got] == ["cleo", "lovelaceada", "lovelaceada", "rossbob"]
    assert got[3].notes == ("Canvas says that it came late.",)


def test_nbgrader(tmp_path: Path):
    for student in ("alice", "bob"):
        put(tmp_path / "submitted" / student / "ps1" / "02_unet.ipynb")
        put(tmp_path / "submitted" / student / "ps1" / "timestamp.txt", b"2026-01-01")
    expected = [(s, f"{s}/ps1/02_unet.ipynb") for s in ("alice", "bob")]
    assert found(tmp_path / "submitted") == expected
    assert found(tmp_path) == expected  # one level too high is still clear


def test_a_zip_of_a_whole_class(tmp_path: Path):
    inner = zipped({"02_unet.ipynb": notebook("bob")})
    for around in ("", "submissions/", "class/submissions/"):
        files = {
            "ada/02_unet.ipynb": notebook("ada"),
            "bob.zip": inner,
            "cleo_02_unet.ipynb": notebook("cleo"),
            "dan/": b"",
            "__MACOSX/ada/._02_unet.ipynb": b"junk",
        }
        path = put(tmp_path / "class.zip", zipped({around + k: v for k, v in files.items()}))
        assert [student for student, _ in found(path)] == ["ada", "bob", "cleo"], around
        assert problems(path) == {"dan": "nothing was handed in: the folder is empty"}


@pytest.mark.parametrize("inside", ["02_unet.ipynb", "alice/02_unet.ipynb"])
def test_one_zip_of_one_student(tmp_path: Path, inside: str):
    path = put(tmp_path / "alice.zip", zipped({inside: notebook()}))
    assert [student for student, _ in found(path)] == ["alice"]


def test_one_notebook(tmp_path: Path):
    assert found(put(tmp_path / "alice_02_unet.ipynb")) == [("alice", "alice_02_unet.ipynb")]
    assert found(put(tmp_path / "02_unet.ipynb")) == [("02_unet", "02_unet.ipynb")]


def test_names_that_browsers_give(tmp_path: Path):
    put(tmp_path / "ada" / "02_unet.ipynb.txt")
    put(tmp_path / "bob" / "02_UNET.IPYNB")
    put(tmp_path / "cleo" / "02_unet.ipynb.json")
    assert [student for student, _ in found(tmp_path)] == ["ada", "bob", "cleo"]


def test_checkpoints_and_hidden_files_are_passed_over(tmp_path: Path):
    put(tmp_path / "ada" / ".ipynb_checkpoints" / "02_unet-checkpoint.ipynb")
    put(tmp_path / "ada" / "02_unet-checkpoint.ipynb")
    put(tmp_path / "ada" / "._02_unet.ipynb")
    put(tmp_path / "ada" / "__MACOSX" / "02_unet.ipynb")
    put(tmp_path / ".git" / "02_unet.ipynb")
    put(tmp_path / "ada" / "report.pdf", b"%PDF")
    assert problems(tmp_path) == {"ada": "no notebook (.ipynb) was handed in, only report.pdf"}
    assert found(tmp_path) == []


def test_the_same_notebook_twice_is_one_submission(tmp_path: Path):
    for name in ("02_unet.ipynb", "backup/02_unet.ipynb"):
        put(tmp_path / "ada" / name, notebook())
    (one,) = collect(tmp_path)
    assert one.notes == ("Handed in again, the same, as ada/backup/02_unet.ipynb.",)


def test_large_outputs_do_not_count(tmp_path: Path):
    path = put(tmp_path / "ada.ipynb", notebook("answer = 42", "x" * 5_000_000))
    (one,) = collect(path)
    assert one.content is not None and len(one.content) < 1000
    assert read_notebook(one.content)["cells"][0]["source"] == "answer = 42"


def test_a_large_class_in_an_order_of_its_own(tmp_path: Path):
    for place, files in (("some", 75), ("all", 600)):
        for i in range(files):
            put(tmp_path / place / f"student{i % 200}" / f"{i}_02_unet.ipynb")
    assert grows_linearly(lambda n: collect(tmp_path / ("all" if n == 600 else "some")), 600)
    got = collect(tmp_path / "all")
    assert len(got) == 600 and got == collect(tmp_path / "all")
    keys = [(s.student, s.name) for s in got]
    assert keys == sorted(keys) and len({s.name for s in got}) == 600


# --- nothing to read ---


def test_nothing_there(tmp_path: Path):
    with pytest.raises(CourseError, match="no such file"):
        collect(tmp_path / "nowhere")
    with pytest.raises(CourseError, match="holds no submissions"):
        collect(tmp_path)
    put(tmp_path / "grades.csv", b"a,b")
    with pytest.raises(CourseError, match="holds no submissions"):
        collect(tmp_path)
    with pytest.raises(CourseError, match="no zip that can be read"):
        collect(put(tmp_path / "class.zip", b"PK\x03\x04 not really"))
    with pytest.raises(CourseError, match="holds no submissions"):
        collect(put(tmp_path / "work.pdf", b"%PDF"))


def test_every_bad_student_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(find, "LARGEST_NOTEBOOK", 2 << 20)
    put(tmp_path / "good.ipynb")
    (tmp_path / "empty").mkdir()
    put(tmp_path / "broken.zip", b"PK\x03\x04 cut off")
    put(tmp_path / "script" / "unet.py", b"print()")
    put(tmp_path / "rar.rar", b"Rar!")
    put(tmp_path / "huge.ipynb", b" " * (find.LARGEST_NOTEBOOK + 1))
    put(tmp_path / "nested.zip", zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": b""})})}))
    assert found(tmp_path) == [("good", "good.ipynb")]
    said = problems(tmp_path)
    for student, words in {
        "empty": "folder is empty", "broken": "no zip that can be read", "script": "only unet.py",
        "rar": "ask for a zip", "huge": "larger than 2 MB",
        "nested": "a zip within a zip within a zip",
    }.items():  # fmt: skip
        assert words in said[student], said


def test_a_readable_and_an_unreadable_notebook_are_two_submissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(find, "LARGEST_NOTEBOOK", 2 << 20)
    put(tmp_path / "ada" / "01_data.ipynb")
    put(tmp_path / "ada" / "02_unet.ipynb", b" " * (find.LARGEST_NOTEBOOK + 1))
    put(tmp_path / "ada" / "rest.zip", b"broken")
    good, bad = collect(tmp_path)
    assert good.content and "rest.zip is no zip" in good.notes[0]
    assert (
        bad.content is None and "larger than" in bad.problem and bad.name.endswith("02_unet.ipynb")
    )


# --- hostile ---


def test_links_and_devices_are_not_followed(tmp_path: Path):
    secret = put(tmp_path / "secret.ipynb", notebook("the solution"))
    put(tmp_path / "class" / "bob" / "02_unet.ipynb")
    (tmp_path / "class" / "ada").mkdir()
    (tmp_path / "class" / "ada" / "02_unet.ipynb").symlink_to(secret)
    (tmp_path / "class" / "mallory").symlink_to(tmp_path / "class" / "bob")
    (tmp_path / "class" / "loop").mkdir()
    (tmp_path / "class" / "loop" / "loop").symlink_to(tmp_path / "class")
    (tmp_path / "class" / "fifo").mkdir()
    os.mkfifo(tmp_path / "class" / "fifo" / "02_unet.ipynb")
    assert found(tmp_path / "class") == [("bob", "bob/02_unet.ipynb")]
    said = problems(tmp_path / "class")
    assert all("is a link" in said[s] for s in ("ada", "mallory", "loop")), said
    assert "no ordinary file" in said["fifo"]


def test_what_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put(tmp_path / "ada" / "02_unet.ipynb")
    put(tmp_path / "bob" / "02_unet.ipynb")
    real = os.open

    def refuse(path: Path, flags: int, *more: int) -> int:
        if "ada" in str(path):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)
    assert [student for student, _ in found(tmp_path)] == ["bob"]
    assert "cannot be read (Permission denied)" in problems(tmp_path)["ada"]


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_links_in_a_zip_and_paths_out_of_it(tmp_path: Path):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(entry("02_unet.ipynb", stat.S_IFLNK | 0o777), b"/etc/passwd")
        for name in ("../bob/02_unet.ipynb", "/tmp/x.ipynb", "C:\\x.ipynb", "a\\..\\..\\y.ipynb"):
            archive.writestr(name, notebook("evil"))
    put(tmp_path / "ada.zip", memory.getvalue())
    put(tmp_path / "bob" / "02_unet.ipynb")
    (ada, bob) = collect(tmp_path)
    assert ada.content is None and bob.content is not None
    assert "a link or device" in ada.problem and "paths that lead out of it (4)" in ada.problem
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["02_unet.ipynb", "ada.zip", "bob"]


def test_a_hostile_zip_of_a_class_says_so(tmp_path: Path):
    path = put(tmp_path / "class.zip", zipped({
        "../ada/x.ipynb": notebook(), "bob\\02_unet.ipynb": notebook("bob")}))  # fmt: skip
    assert found(path) == [("bob", "bob/02_unet.ipynb")]
    assert "lead out of it" in problems(path)["class"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name(tmp_path: Path):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("02_unet.ipynb", notebook("first"))
        archive.writestr("02_unet.ipynb", notebook("last"))
    (one,) = collect(put(tmp_path / "ada.zip", memory.getvalue()))
    assert b"last" in (one.content or b"") and "several entries of one name" in one.notes[0]


def test_bombs_end_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(find, "LARGEST_NOTEBOOK", 2 << 20)
    monkeypatch.setattr(find, "_LARGEST_INNER", 10 << 20)
    zeros = zipped({"02_unet.ipynb": bytes(8 << 20)}, compression=zipfile.ZIP_DEFLATED)
    put(tmp_path / "ada.zip", zeros)
    put(tmp_path / "bob.zip", zipped({"in.zip": zeros}))
    # Says that it is small, and is not.
    put(tmp_path / "cleo.zip", zeros.replace(struct.pack("<L", 8 << 20), struct.pack("<L", 99)))
    many = {f"{i}.ipynb": notebook(str(i)) for i in range(find.MOST_NOTEBOOKS + 10)}
    put(tmp_path / "dan.zip", zipped(many))
    put(tmp_path / "eve.zip", zipped({"x.zip": bytes(12 << 20)}, compression=zipfile.ZIP_DEFLATED))
    put(tmp_path / "fay.zip", zipped({"a.ipynb": notebook()}, compression=zipfile.ZIP_LZMA))
    got = collect(tmp_path)
    assert len([s for s in got if s.student == "dan" and s.content]) == find.MOST_NOTEBOOKS
    said = problems(tmp_path)
    for student, words in {
        "ada": "larger than 2 MB", "bob": "larger than 2 MB", "cleo": "cannot be unpacked",
        "eve": "larger than 10 MB", "fay": "unusual way", "dan": "was not looked at",
    }.items():  # fmt: skip
        assert words in said[student], said


def test_a_zip_that_is_all_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(find, "_LONGEST_LIST", 4000)
    put(tmp_path / "ada.zip", zipped({f"{i}.txt": b"" for i in range(200)}))
    assert "too many entries" in problems(tmp_path)["ada"]


def test_a_locked_zip(tmp_path: Path):
    content = bytearray(zipped({"02_unet.ipynb": notebook()}))
    for start in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[start] |= 1
    assert "password" in problems(put(tmp_path / "ada.zip", bytes(content)))["ada"]


def test_a_student_with_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(find, "_MOST_FILES", 50)
    for i in range(80):
        put(tmp_path / "ada" / f"{i}.txt", b"")
    put(tmp_path / "bob" / "02_unet.ipynb")
    deep = tmp_path / "cleo" / "/".join("abcdefghijklmnop") / "02_unet.ipynb"
    put(deep)
    assert found(tmp_path) == [("bob", "bob/02_unet.ipynb")]
    assert "more than 50 files" in problems(tmp_path)["ada"]
    assert "too deep" in problems(tmp_path)["cleo"]


def test_names_that_play_tricks(tmp_path: Path):
    put(tmp_path / "ada\x1b[31m\u202egpj.ipynb")
    put(tmp_path / "b\nob" / "02_unet.ipynb")
    put(tmp_path / "\u200b\u200b" / "02_unet.ipynb")
    put(tmp_path / ("x" * 250) / "02_unet.ipynb")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/c\xff.ipynb")).write_bytes(notebook("cleo"))
    got = collect(tmp_path)
    assert [s.student for s in got] == ["ada[31mgpj", "b ob", "c", "no name", "x" * 80]
    assert all(s.student.isprintable() and s.name.isprintable() for s in got)
    assert all("could not be shown" in s.notes[0] for s in got)


def test_students_whose_names_collide_stay_apart(tmp_path: Path):
    for name in ("Ada", "ada", "ada (2)", "a\u200bda", "Jose\u0301", "Jos\u00e9"):
        put(tmp_path / name / "02_unet.ipynb")
    got = collect(tmp_path)
    names = [s.student.casefold() for s in got]
    # An accent that is a character of its own makes no other name.
    assert len(set(names)) == 5 and names.count("jos\u00e9") == 2, names
    assert sum(any("nearly so" in note for note in s.notes) for s in got) == 3
    assert {s.student for s in got} >= {"Ada", "ada (2)"}


def test_any_zip_is_survived(tmp_path: Path):
    good = zipped({"ada/02_unet.ipynb": notebook(), "bob.zip": zipped({"a.ipynb": notebook()})})
    put(tmp_path / "zoe.ipynb")
    for position in range(0, len(good), 7):
        broken = bytearray(good)
        broken[position] ^= 0xFF
        put(tmp_path / "mallory.zip", bytes(broken))
        assert ("zoe", "zoe.ipynb") in found(tmp_path)
        put(tmp_path / "mallory.zip", good[:position])
        assert ("zoe", "zoe.ipynb") in found(tmp_path)
