"""A made-up class, as six systems hand it out: `python -m tests.grading.six_systems OUT 200`."""

from __future__ import annotations

import io
import random
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from coursekit.lessons.course import read_assignments
from coursekit.lessons.notebook import make_notebook, to_bytes
from tests.grading.report.made_class import SOURCES, WAYS, honest_answer

_FIRST = ["José", "Zoë", "Łukasz", "Bjørn", "Çağla", "Ngọc", "Anna", "Seán", "Mária", "Ян", "学"]
_LAST = ["Núñez", "Müller", "Wałęsa", "Ærø", "Ó Briain", "Trần", "O'Neil", "D’Souza", "Ким", "生"]
NOTEBOOK = "00_welcome.ipynb"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Student:
    """One of the class.

    Attributes:
        name: in full, one of its kind.
        login: letters and digits.
        number: that a system gives.
        files: what they handed in; of several attempts the last.
        earlier: an attempt before that, or nothing.
    """

    name: str
    login: str
    number: int
    files: Mapping[str, bytes]
    earlier: Mapping[str, bytes]


class Unflagged(zipfile.ZipInfo):
    """An entry with a name in UTF-8 that does not say so, as Finder writes it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(), self.flag_bits


class CodePage(zipfile.ZipInfo):
    """An entry with a name in cp437 where that has its letters, as Windows writes it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        try:
            return self.filename.encode("cp437"), self.flag_bits
        except UnicodeEncodeError:
            return self.filename.encode(), self.flag_bits | 0x800


def zipped(files: Iterable[tuple[str, bytes]], entry: type = zipfile.ZipInfo) -> bytes:
    """A zip of these, with its names as some system writes them."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in files:
            archive.writestr(entry(name), content, zipfile.ZIP_DEFLATED)
    return memory.getvalue()


#: What became of somebody's notebook, by their number: a file, and what is said of it.
LOST: dict[int, tuple[Callable[[bytes], Files], str]] = {
    0: (lambda own: {NOTEBOOK: own[:300]}, "is not JSON"),
    4: (lambda own: {"work.zip": zipped([(NOTEBOOK, own)])[:-100]}, "is no zip that can be read"),
    7: (lambda own: {"essay.pdf": b"%PDF"}, "no notebook (.ipynb) was handed in"),
    8: (
        lambda own: {"work.rar": b"Rar!\x1a\7"},
        "is an archive of a kind that cannot be opened here",
    ),
    9: (lambda own: {NOTEBOOK: b""}, "is empty"),
    11: (lambda own: {NOTEBOOK: b"<!doctype html>"}, "a web page"),
}
#: Ways to hand it in, from the ninth student on.
WAYS_TO_HAND_IN: list[Callable[[bytes], Files]] = [
    lambda own: {NOTEBOOK: own},
    lambda own: {"00_welcome-Copy1 (2).ipynb": own, "data.csv": b"1,2"},
    lambda own: {"Übung.zip": zipped([(f"Übung é/{NOTEBOOK}", own)], CodePage)},
    lambda own: {
        "my work.zip": zipped(
            [(f"Mappe é/{NOTEBOOK}", own), (f"__MACOSX/._{NOTEBOOK}", b"\0")], Unflagged
        )
    },
    lambda own: {"FINAL final.ipynb.txt": own},
]  # fmt: skip


def made_class(number: int, answers: Callable[[int], bytes]) -> list[Student]:
    """Students with names from all over; the files of those in `LOST` broke.

    Args:
        number: of students.
        answers: the notebook of each.
    """
    made = []
    for i in range(number):
        name = f"{_FIRST[i % 11]} {_LAST[i % 10]}" + (f" {i // 110 + 1}" if i >= 110 else "")
        name = "Anna Same" if i in (12, 18) else name  # both in Moodle, one name
        hand_in = LOST[i][0] if i in LOST else WAYS_TO_HAND_IN[i % len(WAYS_TO_HAND_IN)]
        earlier = {NOTEBOOK: answers(i + 1)} if i % 6 in (3, 4) and i > 11 else {}
        made.append(Student(name, f"s{i:03}", 1000 + i, hand_in(answers(i)), earlier))
    return made


def moodle(students: list[Student]) -> Iterator[tuple[str, bytes]]:
    for s in students:
        for name, content in s.files.items():
            yield f"{s.name}_{s.number}_assignsubmission_file/{name}", content
        yield f"{s.name}_{s.number}_assignsubmission_onlinetext/onlinetext.html", b"<p>done</p>"


def canvas(students: list[Student]) -> Iterator[tuple[str, bytes]]:
    for i, s in enumerate(students):
        for name, content in s.files.items():
            plain = "".join(c for c in s.name.lower() if c.isalnum())
            yield f"{plain}{'_LATE' if i % 5 == 0 else ''}_{s.number}_{90000 + i}_{name}", content


def nbgrader(students: list[Student]) -> Iterator[tuple[str, bytes]]:
    for s in students:
        for name, content in s.files.items():
            yield f"submitted/{s.login}/00_welcome/{name}", content
        yield f"submitted/{s.login}/00_welcome/timestamp.txt", b"2026-10-12 11:22:33 UTC"


def blackboard(students: list[Student]) -> Iterator[tuple[str, bytes]]:
    for s in students:
        for day, files in ((11, s.earlier), (12, s.files)):
            start = f"gradebook_FACE_101_Week201_{s.login}_attempt_2026-10-{day}-11-22-33"
            for name, content in files.items():
                yield f"{start}_{name}", content
            if files:
                yield f"{start}.txt", f"Name: {s.name} ({s.login})\nAssignment: Week 1\n".encode()


def brightspace(students: list[Student]) -> Iterator[tuple[str, bytes]]:
    yield "Week 1/index.html", b"<html>"
    for s in students:
        for day, files in ((11, s.earlier), (12, s.files)):
            for name, content in files.items():
                start = f"Week 1/{s.number}-5005 - {s.name} - Oct {day}, 2026 1122 AM"
                yield f"{start}/{name}", content


def finder(students: list[Student]) -> Iterator[tuple[str, bytes]]:
    for s in students:
        folder = unicodedata.normalize("NFD", s.name)
        for name, content in s.files.items():
            yield f"my class/{folder}/{name}", content
            yield f"__MACOSX/my class/{folder}/._{name}", b"\0\5\x16\7"


SYSTEMS = (moodle, canvas, nbgrader, blackboard, brightspace, finder)
_ENTRIES: dict[object, type] = {finder: Unflagged, brightspace: CodePage}


def write_class(students: list[Student], out: Path) -> list[Path]:
    """A zip for each system, with an equal share of the class."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for i, system in enumerate(SYSTEMS):
        paths.append(out / f"{system.__name__}.zip")
        entries = system(students[i :: len(SYSTEMS)])
        paths[-1].write_bytes(zipped(entries, _ENTRIES.get(system, zipfile.ZipInfo)))
    return paths


def main(out: str, number: str) -> None:
    """A class that did lesson 00, most of it well."""
    rng = random.Random(0)
    (given,) = read_assignments(SOURCES, ["00_welcome"])

    def notebook(i: int) -> bytes:
        answers = {name: honest_answer(name, rng) for name in WAYS}
        if i % 7 == 2:
            answers["mirror"] = answers["mirror"].replace("pairs:", "[]:")
        if i % 9 == 1:
            del answers["count-pixels"]
        cells = [replace(c, source=answers.get(c.id, c.source)) for c in given.lesson.student()]
        return to_bytes(make_notebook(cells))

    for path in write_class(made_class(int(number), notebook), Path(out)):
        print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
