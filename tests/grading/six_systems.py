"""A made-up class, as six systems hand it out: `python -m tests.grading.six_systems OUT 200`."""

from __future__ import annotations

import random
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
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


def made_class(number: int, answers: Callable[[int], bytes]) -> list[Student]:
    """Students with names from all over; the first, the fifth and the eighth lost their files.

    Args:
        number: of students.
        answers: the notebook of each.
    """
    made = []
    for i in range(number):
        name = f"{_FIRST[i % 11]} {_LAST[i % 10]}" + (f" {i // 110 + 1}" if i >= 110 else "")
        files: Files = {NOTEBOOK: answers(i)}
        if i in (0, 4, 7):
            name = f"Lost {name}"
            lost: list[Files] = [
                {NOTEBOOK: answers(i)[:300]},
                {"lost.zip": b"PK\x03\x04 cut"},
                {"essay.pdf": b"%PDF"},
            ]
            files = lost[i // 3]
        earlier = {NOTEBOOK: answers(i + 1)} if i % 6 in (3, 4) and i > 8 else {}
        made.append(Student(name, f"s{i:03}", 1000 + i, files, earlier))
    return made


def moodle(students: list[Student]) -> Iterator[tuple[str, bytes]]:
    for s in students:
        for name, content in s.files.items():
            yield f"{s.name}_{s.number}_assignsubmission_file_/{name}", content


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


def write_class(students: list[Student], out: Path) -> list[Path]:
    """A zip for each system, with an equal share of the class."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for i, system in enumerate(SYSTEMS):
        paths.append(out / f"{system.__name__}.zip")
        with zipfile.ZipFile(paths[-1], "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in system(students[i :: len(SYSTEMS)]):
                archive.writestr(Unflagged(name) if system is finder else name, content)
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
