"""Students under the names that six systems give them, with work of any honest size."""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from coursekit import zips
from coursekit.grading.submissions import find
from coursekit.grading.submissions.collect import collect
from coursekit.grading.submissions.platforms import platform_owner
from coursekit.grading.submissions.read import read_notebook
from tests.grading.six_systems import LOST, Unflagged, made_class, write_class
from tests.grading.submissions.test_collect import notebook, put, zipped


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Ann Lee_1234567_assignsubmission_file_", "Ann Lee"),
        ("Ann Lee_1234567_assignsubmission_file_02_unet.ipynb", "Ann Lee"),
        ("leeann_LATE_4711_815123_02_unet-1.ipynb", "leeann"),
        ("leeann_4711_815123_report.pdf", "leeann"),
        ("leeann_4711_text.html", "leeann"), ("leeann_LATE_4711_link.html", "leeann"),
        ("anon_x7Bq2_LATE_815123_02_unet.ipynb", "anon_x7Bq2"), ("anon_text.html", None),
        ("gradebook_FACE_101_Week201_alee_attempt_2026-10-12-11-22-33_02_unet.ipynb", "alee"),
        ("gradebook_FACE_101_Week202_alee_attempt_2026-10-12-11-22-33.txt", "alee"),
        ("Week 1_alee_attempt_2026-10-12-11-22-33_a_b.zip", "alee"),
        ("gradebook_C_W_eve_attempt_2026-10-12-11-22-33_bob_attempt_2026-10-12-11-22-34_x.ipynb",
         "eve"),
        ("Eve_13_assignsubmission_file_Bob_12_assignsubmission_file_x.ipynb", "Eve"),
        ("eve_LATE_4711_815123_bob_4712_815124_x.ipynb", "eve"),
        ("12345-67890 - Ann Lee - Oct 12, 2026 1122 AM", "Ann Lee"),
        ("12345-67890 - Anne-Marie O'Neil-Lee - 2 oktober, 2026 1122", "Anne-Marie O'Neil-Lee"),
        ("ann", None), ("02_unet.ipynb", None), ("week-2", None), ("Ann Lee - Oct 12", None),
        ("attempt_2.ipynb", None), ("x" * 400, None),
    ],
)  # fmt: skip
def test_names_that_platforms_give(name: str, student: str | None):
    owner = platform_owner(name)
    assert (owner and owner.name) == student


def class_of(number: int, folder: Path) -> list[Path]:
    made = made_class(number, lambda i: notebook(f"x = {i}"))
    return write_class(made, folder / "class")


@pytest.mark.parametrize("form", ["zips", "folder of zips", "folder of folders"])
def test_nobody_stands_twice_and_nobody_is_left_out(tmp_path: Path, form: str):
    paths = class_of(66, tmp_path)
    if form == "folder of folders":
        for path in paths:
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    put(tmp_path / "all" / path.stem / zips.entry_name(info), archive.read(info))
    given = {"zips": paths, "folder of zips": [tmp_path / "class"]}.get(form, [tmp_path / "all"])
    got = collect(*given)
    names = {s.student for s in got}
    assert len(names) == 66
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    assert {"Ngọc Trần", "学ærø", "s014", "s015", "José Müller", "José Wałęsa"} <= names
    broken = sorted(s.problem for s in got if s.problem)
    # What is wrong inside a notebook is found when it is read.
    unopened = [why for i, (_, why) in sorted(LOST.items()) if i in (4, 7, 8)]
    assert all(sum(why in problem for problem in broken) == 1 for why in unopened), broken
    assert len(broken) == 3
    # Blackboard's and Brightspace's attempts are one student's.
    attempts = [s.student for s in got if s.student in ("s015", "José Wałęsa")]
    assert attempts == ["José Wałęsa"] * 2 + ["s015"] * 2
    assert len({s.name for s in got}) == len(got)


@pytest.mark.parametrize("form", ["zips", "a folder of zips", "a folder of folders"])
def test_moodle_numbers_people_anew_for_each_assignment(tmp_path: Path, form: str):
    for week, numbers in (("1", (11, 12, 13, 14)), ("2", (25, 21, 22, 24))):
        who = ("Ann Lee", "Bob Ray", "Kim Same", "Kim Same") if week == "1" else (
            "Ann Lee", "Cem Öz", "Kim Same", "Kim Same")  # fmt: skip
        files = {
            f"{name}_{number}_assignsubmission_file/work.{kind}": notebook(f"{number}")
            for name, number, kind in zip(who, numbers, ["ipynb"] * 3 + ["zip"], strict=True)
        }  # fmt: skip
        if form == "a folder of folders":
            for name, content in files.items():
                put(tmp_path / f"week {week}" / name, content)
        else:
            put(tmp_path / f"week {week}.zip", zipped(files))
    got = collect(*sorted(tmp_path.iterdir()) if form == "zips" else [tmp_path])
    kims = [f"Kim Same ({number})" for number in (13, 14, 22, 24)]
    assert [s.student for s in got] == ["Ann Lee", "Ann Lee", "Bob Ray", "Cem Öz", *kims]
    assert not any(s.notes for s in got[:4]) and all("is called" in s.notes[0] for s in got[4:])


@pytest.mark.parametrize("names", [
    ["ann", "bob", "cem", "dan", "eve"], ["s1001", "s1002", "s1003", "s1004", "s1005"],
    ["Ann 2", "Ann 3", "Bob", "Cem", "Dan", "Eve", "Fay"],
])  # fmt: skip
def test_a_class_may_call_its_files_as_it_likes(tmp_path: Path, names: list[str]):
    called = ["00_welcome.ipynb", "00_welcome (1).ipynb", "me_00_welcome.ipynb", "mine.ipynb",
              "00_welcome-Copy1.ipynb.txt", "00_welcome.ipynb", "00_WELCOME.ipynb"]  # fmt: skip
    files = {f"{n}/{c}": notebook(n) for n, c in zip(names, called, strict=False)}
    put(tmp_path / "group.zip", zipped({f"a group/{name}": c for name, c in files.items()}))
    put(tmp_path / "moodle.zip", zipped({"Zoe_12_assignsubmission_file/a.ipynb": notebook()}))
    for place in (tmp_path, tmp_path / "group.zip"):
        assert {s.student for s in collect(place)} >= set(names)


def test_a_login_of_blackboard_may_hold_an_underscore(tmp_path: Path):
    for start, login in (("HW1_a_lee", "a_lee"), ("HW1_b_lee", "b_lee"), ("HW2_a_lee", "a_lee"),
                         ("HW1_lee", "lee"), ("HW1_zoe", "(x) (")):  # fmt: skip
        name = f"gradebook_C_{start}_attempt_2026-10-12-11-22-33"
        put(tmp_path / f"{name}_x.ipynb")
        put(tmp_path / f"{name}.txt", f"Name: A Lee ({login})\nAssignment: x\n".encode())
    assert [s.student for s in collect(tmp_path)] == ["a_lee", "a_lee", "b_lee", "lee", "zoe"]


def test_a_student_s_own_file_is_no_form(tmp_path: Path):
    name = "gradebook_C_W_x_eve_attempt_2026-10-12-11-22-33"
    put(tmp_path / f"{name}_a.ipynb")
    put(tmp_path / f"{name}_b_attempt_2026-10-12-11-22-33.txt", b"Name: Bob (eve)")
    put(tmp_path / f"{name}.txt", b"Name: Eve (x_eve)")
    assert [s.student for s in collect(tmp_path)] == ["x_eve"]


@pytest.mark.parametrize("inside", ["", "submitted/"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_one_hands_in_for_others_is_said(tmp_path: Path, inside: str, packed: bool):
    files = {f"{inside}{n}/02_unet.ipynb": notebook(f"eve's {n}") for n in ("bob", *"cdefg")}
    put(tmp_path / "bob" / "02_unet.ipynb", notebook("bob's"))
    put(tmp_path / "ann" / "02_unet.ipynb", notebook("ann's"))
    if packed:
        put(tmp_path / "eve.zip", zipped(files))
    for name, content in {} if packed else {f"eve.zip/{n}": c for n, c in files.items()}.items():
        put(tmp_path / name, content)
    bobs = [s for s in collect(tmp_path) if s.student == "bob"]
    assert [s.name for s in bobs] == ["bob/02_unet.ipynb", "eve.zip/bob/02_unet.ipynb"]
    said = "Some of it is from eve.zip, which was read as a class of its own: is it theirs?"
    assert all(said in s.notes for s in bobs)


def test_a_folder_around_a_class_may_have_any_name(tmp_path: Path):
    files = {f"week one/{name}/02_unet.ipynb": notebook(name) for name in ("ann", "bob")}
    assert {s.student for s in collect(put(tmp_path / "z.zip", zipped(files)))} == {"ann", "bob"}
    for name, content in files.items():
        put(tmp_path / "all" / name, content)
    assert {s.student for s in collect(tmp_path / "all")} == {"ann", "bob"}


def test_a_student_of_blackboard_who_handed_in_nothing(tmp_path: Path):
    put(tmp_path / "gradebook_C_W_alee_attempt_2026-10-12-11-22-33.txt", b"Name: Ann Lee (alee)")
    (ann,) = collect(tmp_path)
    assert ann.student == "alee" and ann.problem == "nothing was handed in"


def by_finder(files: dict[str, bytes]) -> bytes:
    """A zip as Finder makes it: decomposed names without the flag, and what macOS leaves."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in {"work/.DS_Store": b"\0", **files}.items():
            name = unicodedata.normalize("NFD", name)
            archive.writestr(Unflagged(name), content)
            archive.writestr(Unflagged(f"__MACOSX/{name.replace('/', '/._')}"), b"\0\5\x16\7")
    return memory.getvalue()


@pytest.mark.parametrize(
    ("name", "inside", "beside"),
    [
        ("week 2", "week 2/José/02_unet.ipynb week 2/Zoë/02_unet.ipynb", "Eve Ó.zip"),
        ("Archive 2", "José/02_unet.ipynb José/note.pdf Zoë/other/02_unet (1).ipynb", "Eve Ó.zip"),
        ("02_unet", "José/x.zip José/02_unet.ipynb Zoë/José_02_unet.ipynb", "Eve Ó.ipynb"),
        ("rest of the class", "mine/José/02_unet.ipynb mine/Zoë/02_unet.ipynb", "Eve Ó.zip"),
        ("my class", "my class/José/02_unet.ipynb", "Eve Ó.zip"),
        ("group a", "José/02_unet.ipynb Zoë/02_unet.ipynb", "Eve Ó_12_assignsubmission_file.zip"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_few_students_zipped_by_hand(
    tmp_path: Path, name: str, inside: str, beside: str, packed: bool
):
    paths = re.split(r" (?=José|Zoë|week 2|mine|my class)", inside)
    files = {path: notebook(path) if path.endswith("b") else b"%PDF" for path in paths}
    if "assign" in beside:  # a class beside which few are a class, too
        content = {f"Eve Ó_{i}_assignsubmission_file/a.ipynb": notebook(f"{i}") for i in (11, 12)}
        put(tmp_path / "all" / "moodle.zip", zipped(content))
    elif beside.endswith("zip"):
        put(tmp_path / "all" / beside, by_finder({"Eve Ó/02_unet.ipynb": notebook("e")}))
    else:
        put(tmp_path / "all" / beside, notebook("e"))
    if packed:
        put(tmp_path / "all" / f"{name}.zip", by_finder(files))
    else:
        for path, content in files.items():
            put(tmp_path / "all" / name / unicodedata.normalize("NFD", path), content)
            put(tmp_path / "all" / name / ".DS_Store", b"\0")
    people = {"José"} | ({"Zoë"} if "Zoë" in inside else set())
    got = collect(tmp_path / "all")
    assert {s.student.partition(" (")[0] for s in got} == people | {"Eve Ó"}
    assert not any("if it is a class" in note for s in got for note in s.notes)


_PEOPLE = ("Ann Lee", "Bob Ray", "Cem Su", "Dee Kim", "Eve Poe", "Flo Orr")


@pytest.mark.parametrize("number", [3, 6])
@pytest.mark.parametrize(
    ("path", "shown", "least"),
    [
        ("week1-submissions/week1-{login}/{lesson}", "week1-{login}", 5),  # GitHub Classroom
        ("02-unet-{login}/{lesson}", "02-unet-{login}", 3),
        ("week 1/{name} - {lesson}", "{name}", 3),  # Google Classroom
        ("week 1/Copy of {lesson}", "x", 99),
        (
            "Week 1/{login}({login})/Submission attachment(s)/{lesson}",
            "{login}({login})",
            3,
        ),  # Sakai
        ("Übung 1/Abgaben/{login}_1234/20261012_{lesson}", "{login}_1234", 5),  # ILIAS
        ("Submitted files/{name}/Week 1/Version 1/{lesson}", "{name}", 5),  # Teams
        ("{name} {login}/2026-10-12-11-22-33/{lesson}", "{name} {login}", 3),  # VPL
    ],
)
def test_other_systems_classes(tmp_path: Path, path: str, shown: str, least: int, number: int):
    """Few are a class, or it is said that they may be one."""
    files = {"Week 1/grades.csv": b"x"} if path.startswith("Week") else {}
    people = [{"name": n, "login": n.lower().replace(" ", "")} for n in _PEOPLE[:number]]
    for one in people:
        for lesson in ("02_unet.ipynb", "README.md"):
            content = notebook(one["name"]) if lesson.endswith("b") else b"# mine"
            files[path.format(**one, lesson=lesson)] = content
    got = collect(put(tmp_path / "all.zip", zipped(files)))
    if number >= least:
        assert [s.student for s in got] == [shown.format(**one) for one in people]
        assert not any(s.problem or s.notes for s in got)
    elif least < 99:
        assert len({s.student for s in got}) == 1
        assert all("if it is a class" in s.notes[0] for s in got)


@pytest.mark.parametrize(
    "inside",
    ["02_unet/02_unet.ipynb 02_unet-Copy1/02_unet.ipynb", "06_losses/a.ipynb 06_losses (1)/a.ipynb",
     "02_unet.ipynb 02_unet-old.ipynb", "02_unet_new/a.ipynb 02_unet_old/a.ipynb",
     "hw/2026-10-12-11-22-33/a.ipynb hw/2026-10-13-11-22-33/a.ipynb",
     "00_welcome/00_welcome.ipynb 01_data/01_data.ipynb 02_unet/02_unet.ipynb"],
)  # fmt: skip
def test_one_student_s_zip_of_several_notebooks(tmp_path: Path, inside: str):
    files = {name: notebook(name) for name in re.split(r" (?=\d|hw)", inside)}
    got = collect(put(tmp_path / "ann.zip", zipped(files)))
    assert {s.student for s in got} <= {"ann", "hw"} and len({s.student for s in got}) == 1
    assert not any("if it is a class" in note for s in got for note in s.notes)


def test_few_folders_that_may_be_a_class_are_told(tmp_path: Path):
    put(tmp_path / "all" / "cem.zip", zipped({"ann/02_unet.ipynb": notebook("a"),
                                              "bob/02_unet.ipynb": notebook("b")}))  # fmt: skip
    put(tmp_path / "all" / "eve.ipynb", notebook("e"))
    for places in ([tmp_path / "all"], [tmp_path / "all", put(tmp_path / "dan.ipynb")]):
        cem = [s for s in collect(*places) if s.student == "cem"]
        assert len(cem) == 2 and "if it is a class" in cem[0].notes[0]


def test_a_small_class_has_the_limits_of_each_of_its_students(tmp_path: Path):
    files = {f"week 1/{name}/{i:02}_lesson.ipynb": notebook(f"{name} {i}")
             for name in ("ann", "bob", "cem") for i in range(14)}  # fmt: skip
    put(tmp_path / "all" / "week 1.zip", by_finder(files))
    put(tmp_path / "all" / "eve.ipynb", notebook("e"))
    got = collect(tmp_path / "all")
    assert len(got) == 43 and not any(s.problem for s in got)


@pytest.mark.parametrize(
    "inside", ["ann/02_unet.ipynb", "submission/02_unet.ipynb", "week-1/a.ipynb week-2/a.ipynb",
               "old/a.ipynb new/a.ipynb final/a.ipynb",
               "week-1/a.ipynb week-2/a.ipynb week-3/a.ipynb week-4/a.ipynb week-5/a.ipynb",
               " ".join(f"{year}-10-12/a.ipynb" for year in range(2021, 2026)),
               "unet/02_a.ipynb deep/03_b.ipynb fast/04_c.ipynb seg/05_d.ipynb data/01_e.ipynb"]
)  # fmt: skip
def test_a_students_own_folders_are_no_class(tmp_path: Path, inside: str):
    files = {name: notebook(name) for name in inside.split(" ")}
    put(tmp_path / "a" / "ann.zip", zipped(files))
    put(tmp_path / "a" / "bob.ipynb")
    for name, content in files.items():
        put(tmp_path / "b" / "ann" / name, content)
    put(tmp_path / "b" / "bob.ipynb")
    for place in "ab":
        got = collect(tmp_path / place)
        assert {s.student for s in got} == {"ann", "bob"}
        noted = any("if it is a class" in note for s in got for note in s.notes)
        assert noted == (inside.count(" ") == 4), inside


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("José Núñez".encode(), "José Núñez"),
        (unicodedata.normalize("NFD", "José Núñez").encode(), "José Núñez"),
        ("学生".encode(), "学生"),
        ("José Núñez".encode("cp437"), "José Núñez"),
        ("Jørgen Ãlvares".encode("cp850"), "Jørgen Ãlvares"),
        ("José Þór".encode("cp1252"), "José Þór"),
        (b"ann", "ann"),
    ],
)  # fmt: skip
def test_names_arrive_whatever_zipped_them(tmp_path: Path, written: bytes, name: str):
    class Entry(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:
            return written + b"/02_unet.ipynb", 0

    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(Entry("x"), notebook())
    (one,) = collect(put(tmp_path / "class.zip", memory.getvalue()))
    assert one.student == name and one.content is not None and not one.notes


def test_the_flag_for_utf_8_is_believed(tmp_path: Path):
    path = put(tmp_path / "class.zip", zipped({"Ré├/02_unet.ipynb": notebook()}))
    assert [s.student for s in collect(path)] == ["Ré├"]
    assert Unflagged("ä").flag_bits == 0


def test_an_accent_of_its_own_makes_no_second_student(tmp_path: Path):
    put(tmp_path / "Jose\u0301_00_welcome.ipynb")
    put(tmp_path / "Jos\u00e9_01_data.ipynb")
    assert [s.student for s in collect(tmp_path)] == ["Jos\u00e9"] * 2


# --- honest size ---


def with_outputs(outputs: list[object], **more: object) -> bytes:
    made = json.loads(notebook("answer = '\"outputs\": ['"))
    made["cells"][0]["outputs"] = outputs
    return json.dumps(made | more).encode()


PICTURE = {"output_type": "display_data", "data": {"image/png": "A" * 5_500_000}}
LINE, STATES = 'with \\ and " in it\n', dict.fromkeys(map(str, range(100_000)), "]}")


@pytest.mark.parametrize(
    "make",
    [
        lambda: with_outputs([PICTURE] * 5),
        lambda: with_outputs([{"output_type": "stream", "text": [LINE] * 100_000}]),
        lambda: with_outputs([], metadata={"widgets": {"state": STATES}}),
        lambda: with_outputs([[[[{}, []]]]] * 80_000),
    ],
    ids=["pictures", "lines", "widgets", "parts"],
)  # fmt: skip
def test_what_a_notebook_shows_can_be_of_any_size(tmp_path: Path, make: Callable[[], bytes]):
    content = make()
    put(tmp_path / "ada.ipynb", content)
    put(tmp_path / "bob.zip", zipped({"02_unet.ipynb": content}))
    for one in collect(tmp_path):
        assert one.content is not None and len(one.content) < 1000, one.problem
        assert read_notebook(one.content)["cells"][0]["source"] == "answer = '\"outputs\": ['"


def test_pictures_in_texts_cost_nothing():
    picture = "![face](data:image/png;base64," + "A" * 5_000_000 + ") a face"
    made = json.loads(notebook())
    made["cells"] += [{"cell_type": "markdown", "metadata": {}, "source": picture}]
    made["cells"] += [{"cell_type": "markdown", "source": "", "attachments": {"a": {"b": "}"}}}]
    cells = read_notebook(json.dumps(made).encode())["cells"]
    assert cells[1]["source"] == "![face](data:,) a face" and len(cells) == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32-be"])
def test_outputs_are_passed_over_in_every_encoding(encoding: str):
    content = with_outputs([{"text": ["ä]"]}]).decode().encode(encoding)
    assert len(read_notebook(content)["cells"]) == 1


def test_a_cut_notebook_is_still_none():
    content = with_outputs([{"text": ["a", "b"]}, [[1]]])
    start = content.index(b'"outputs": [{')
    for cut in range(start, len(content)):
        with pytest.raises(ValueError, match=r"not JSON|more than|has no"):
            read_notebook(content[:cut])


def test_endless_outputs_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("coursekit.grading.submissions.read._MOST_PASSED", 1000)
    with pytest.raises(ValueError, match="too many parts"):
        read_notebook(with_outputs([[]] * 1001))


def test_pictures_before_a_notebook_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(find, "_IN_MEMORY", 1000)  # the zip in the zip goes to disk
    folder = zipped({f"data/{i}.png": b"PNG" for i in range(5200)} | {"z.ipynb": notebook("bob")})
    put(tmp_path / "bob.zip", folder)
    put(tmp_path / "class.zip", zipped({f"1-2 - {n} - Oct 1, 2026/all.zip": folder for n in "cd"}))
    for i in range(300):
        put(tmp_path / "ada" / "a" / f"{i}.png", b"PNG")
    put(tmp_path / "ada" / "z.ipynb", notebook("ada"))
    got = collect(tmp_path)
    assert [s.student for s in got] == ["ada", "bob", "c", "d"]
    assert all(s.content is not None and not s.notes for s in got), got
    put(tmp_path / "eve.zip", zipped({f"{i}.png": b"PNG" for i in range(1100)}))
    (eve,) = (s for s in collect(tmp_path) if s.student == "eve")
    assert eve.problem.endswith("only 0.png, 1.png, 10.png, 100.png, 1000.png and more")


def test_the_notebooks_on_top_are_read_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(find, "MOST_NOTEBOOKS", 2)
    files = {f"a/lib/{i}.ipynb": notebook(str(i)) for i in range(5)} | {"z.ipynb": notebook("z")}
    put(tmp_path / "ada.zip", zipped(files))
    for name, content in files.items():
        put(tmp_path / "bob" / name, content)
    got = {s.name for s in collect(tmp_path) if s.content}
    assert {"ada.zip/z.ipynb", "bob/z.ipynb"} <= got and len(got) == 4
