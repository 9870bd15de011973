"""Grades entries of the corpus, as a class's submissions are graded, and judges the grader."""

from __future__ import annotations

import base64
import codecs
import contextlib
import html
import html.parser
import io
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from coursekit.grading.batch import best_of_each
from coursekit.grading.grader import Grader
from coursekit.grading.records import Grade, HandedIn
from coursekit.grading.report import feedback
from coursekit.grading.run.executor import Timeouts
from coursekit.grading.submissions.collect import collect
from coursekit.grading.task import Conditions, make_task
from tests.grading.corpus.around import AROUND
from tests.grading.corpus.borrowed import BORROWED_PARTS, HONEST_BORROWED
from tests.grading.corpus.carried import CARRIED
from tests.grading.corpus.files import FILES
from tests.grading.corpus.forged import FORGERIES
from tests.grading.corpus.honest import HONEST
from tests.grading.corpus.kinds import EXERCISES, POINTS, Bait, Entry, assignment
from tests.grading.corpus.lies import LIES
from tests.grading.corpus.messages import MESSAGES
from tests.grading.corpus.own import ATTACKS_OWN, HONEST_OWN
from tests.grading.corpus.shared import SHARED
from tests.grading.corpus.theft import THEFT
from tests.grading.corpus.violence import VIOLENCE

ATTACKS: tuple[Entry, ...] = (
    *LIES, *FORGERIES, *THEFT, *CARRIED, *SHARED, *VIOLENCE, *MESSAGES, *FILES, *ATTACKS_OWN,
    *BORROWED_PARTS,
)  # fmt: skip
ENTRIES: tuple[Entry, ...] = (*ATTACKS, *HONEST, *AROUND, *HONEST_OWN, *HONEST_BORROWED)
TIMEOUTS = Timeouts(cell=8.0, notebook=24.0, submission=72.0)
COLD_TIMEOUTS = Timeouts(cell=20.0, notebook=60.0, submission=150.0)

_SECRET = "corpus-secret"
#: What no page may hold, and what it is a part of.
CANARY = "canary-of-the-hidden-text"
CANARIES = {CANARY: "hidden text", "canary-of-the-inputs": "an input"}
_GRACE = 40.0  # seconds that a grade may take beyond what a submission may


@dataclass(frozen=True)
class Outcome:
    """How an entry went.

    Attributes:
        name: of the entry.
        expected: the verdict, in words.
        got: what came.
        passed: the checks that did, but for those of exercises that may or may not.
        seconds: that it took.
        wrong: what is not as it should be, one sentence each; nothing, when all is.
    """

    name: str
    expected: str
    got: str
    passed: tuple[str, ...]
    seconds: float
    wrong: tuple[str, ...]


def grader(isolation: str, timeouts: Timeouts = TIMEOUTS, *, cold: bool = False) -> Grader:
    """Where the corpus is graded."""
    return Grader([assignment()], _SECRET, Conditions(isolation, timeouts, cold=cold))


def play(place: Grader, entry: Entry, timeouts: Timeouts = TIMEOUTS) -> Outcome:
    """Hand an entry in, have it graded, write its page, and look at all three."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, _bait(Path(scratch, "bait")) as (bait, harm):
        _lay_out(Path(scratch, "class"), entry, bait)
        grade = _grade(place, Path(scratch, "class"))
        took = time.monotonic() - started
        page = feedback.write([grade], feedback.read_lessons([assignment()]), Path(scratch, "out"))
        wrong = [*_wrong_verdicts(entry, grade), *_wrong_on_page(page), *harm()]
        if entry.says not in html.unescape(page.read_text(encoding="utf-8")):
            wrong.append(f"the page does not say {entry.says!r}")
    if took > timeouts.submission + _GRACE:
        wrong.append(f"took {took:.0f} s")
    got = " ".join(f"{c.check.removeprefix('check-')}:{c.status}" for c in grade.checks)
    passed = tuple(
        c.check for c in grade.checks if c.status == "passed" and c.exercise not in entry.free
    )
    return Outcome(entry.name, _expected(entry), got or grade.problem, passed, took, tuple(wrong))


def _lay_out(folder: Path, entry: Entry, bait: Bait) -> None:
    for name, content in entry.make(bait).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)


def _grade(place: Grader, folder: Path) -> Grade:
    grades = [_grade_one(place, submission) for submission in collect(folder)]
    return max(best_of_each(grades), key=lambda grade: grade.earned)


def _grade_one(place: Grader, submission: HandedIn) -> Grade:
    task = make_task(submission, [assignment()], _SECRET, Conditions())
    return task if isinstance(task, Grade) else place.grade(task)


# --- the verdict ---


def _expected(entry: Entry) -> str:
    if not entry.loses:
        return "full marks"
    lost = "all" if len(entry.loses) == len(EXERCISES) else " ".join(sorted(entry.loses))
    return f"no points for {lost}" + (
        f"; any for {' '.join(sorted(entry.free))}" * bool(entry.free)
    )


def _wrong_verdicts(entry: Entry, grade: Grade) -> Iterator[str]:
    for exercise in EXERCISES:
        checks = [c for c in grade.checks if c.exercise == exercise]
        passed = bool(checks) and all(c.status == "passed" for c in checks)
        if exercise in entry.loses and passed:
            yield f"{exercise} passed"
        if exercise not in entry.loses | entry.free and not passed:
            said = "; ".join(f"{c.status} {' '.join(c.reasons)}" for c in checks)
            yield f"{exercise} did not pass ({said or grade.problem})"
        for check in checks:
            if exercise in entry.loses and entry.statuses and check.status not in entry.statuses:
                yield f"{check.check} is {check.status}, not {' or '.join(sorted(entry.statuses))}"
    if entry.earned is not None and grade.earned != entry.earned:
        yield f"{grade.earned} points, not {entry.earned}"
    if not entry.loses and grade.earned != sum(POINTS.values()):
        yield f"{grade.earned} points"


# --- the page ---


class _Page(html.parser.HTMLParser):
    """Finds what may not be on a page that holds strangers' text."""

    _ADDRESSES = ("href", "src", "srcset", "action", "data", "xlink:href", "background", "poster")
    _TAGS = ("script", "iframe", "object", "embed", "svg", "link", "base", "form", "math", "applet")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.pictures: list[bytes] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._TAGS:
            self.found.append(f"the page has a <{tag}>")
        for name, value in attrs:
            if name.startswith("on"):
                self.found.append(f"the page has {name}=")
            if name in self._ADDRESSES:
                self._address(value or "")

    def _address(self, address: str) -> None:
        if address.startswith("data:image/png;base64,"):
            self.pictures.append(base64.b64decode(address.partition(",")[2]))
        elif not address.startswith("#"):
            self.found.append(f"the page leads to {address[:40]}")


def _wrong_on_page(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    yield from page.found
    if odd := re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text):
        yield f"the page has {odd[0]!r}"
    pixels = b"".join(Image.open(io.BytesIO(p)).convert("L").tobytes() for p in page.pictures)
    said = text + pixels.decode("latin-1") + "".join(p.decode("latin-1") for p in page.pictures)
    for canary, what in CANARIES.items():
        for name, disguise in _disguises(canary):
            if disguise in said:
                yield f"the page has {what} ({name})"


def _disguises(canary: str) -> Iterator[tuple[str, str]]:
    yield "plain", canary
    yield "backwards", canary[::-1]
    yield "rot13", codecs.encode(canary, "rot13")
    yield "hexadecimal", canary.encode().hex()
    for offset in range(3):
        encoded = base64.b64encode(b" " * offset + canary.encode()).decode()
        yield "base64", encoded[4:-4]


# --- the bait ---


@contextlib.contextmanager
def _bait(folder: Path) -> Iterator[tuple[Bait, Any]]:
    """Lay bait out; the second value tells what was touched."""
    folder.mkdir()
    (folder / "secret.txt").write_text("bait-secret")
    with contextlib.ExitStack() as stack:
        inet = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        name = f"coursekit-bait-{inet.getsockname()[1]}"
        unix.bind(f"\0{name}")
        unix.listen()
        victim = stack.enter_context(subprocess.Popen(["sleep", "600"]))
        stack.callback(victim.kill)

        def harm() -> Iterator[str]:
            for listener in (inet, unix):
                listener.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    listener.accept()[0].close()
                    yield "somebody reached a listener outside"
            if victim.poll() is not None:
                yield "a process outside was killed"
            places = (folder, Path(tempfile.gettempdir()))
            if any((place / "arrived").exists() for place in places):
                yield "a file outside was written"
            if len(list(folder.iterdir())) != 1:
                yield "the bait's folder was written to"

        yield Bait(folder, inet.getsockname()[1], name, victim.pid), harm
