"""Each kind of leak is planted in a good release, and named; nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coursekit.lessons.course import Assignment, read_assignments
from coursekit.lessons.source import Lesson, read_lesson
from coursekit.release.lint import MOST_FILE, lint
from coursekit.release.release import release
from tests.release.demo_course import write_course

NOTEBOOK = "notebooks/week-3.ipynb"
HIDDEN = 'number = probe.given("number", lambda rng: rng.integers(-99, 0) * 1.5)'
SOLUTION = "return math.fsum([doubled])"


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_course(tmp_path_factory.mktemp("course") / "notebooks")


@pytest.fixture(scope="module")
def assignments(notebooks: Path) -> list[Assignment]:
    return read_assignments(notebooks)


@pytest.fixture(scope="module")
def lessons(notebooks: Path) -> list[Lesson]:
    return [read_lesson(notebooks / "source" / "07_sums.py")]


@pytest.fixture(scope="module")
def good(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = release(tmp_path_factory.mktemp("out") / "students", notebooks).folder
    for path in [*(folder / "coursekit").rglob("*.py"), folder / "uv.lock"]:
        if path.parent.name != "models":  # a few files of the package are enough here
            path.unlink()
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "students"))


def test_a_good_release_has_no_complaints(
    good: Path, lessons: list[Lesson], assignments: list[Assignment]
) -> None:
    assert lint(good, lessons, assignments) == []


def cell(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Change a cell, in both copies of the notebook."""

    def plant(folder: Path) -> None:
        for path in (folder / NOTEBOOK, folder / ".released" / "week-3.ipynb"):
            notebook = json.loads(path.read_text(encoding="utf-8"))
            (found,) = (c for c in notebook["cells"] if c["id"] == name)
            change(found)
            path.write_text(json.dumps(notebook), encoding="utf-8")

    return plant


def notebook(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Change a notebook, in both copies."""

    def plant(folder: Path) -> None:
        for path in (folder / NOTEBOOK, folder / ".released" / "week-3.ipynb"):
            read = json.loads(path.read_text(encoding="utf-8"))
            change(read)
            path.write_text(json.dumps(read), encoding="utf-8")

    return plant


def file(name: str, content: str | bytes = "x\n") -> Callable[[Path], None]:
    """Add a file, or text to one that is there."""

    def plant(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.is_file() else b""
        path.write_bytes(before + (content.encode() if isinstance(content, str) else content))

    return plant


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "data" / "more.md")


def link(folder: Path) -> None:
    (folder / "data" / "more.md").symlink_to("/etc/hostname")


def output(text: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": [text]}]


def duplicate(read: dict[str, Any]) -> None:
    read["cells"].append(read["cells"][-1])


def drop(*names: str) -> Callable[[dict[str, Any]], None]:
    def change(read: dict[str, Any]) -> None:
        read["cells"] = [c for c in read["cells"] if c["id"] not in names]

    return change


def swap(read: dict[str, Any]) -> None:
    read["cells"][-1], read["cells"][-2] = read["cells"][-2], read["cells"][-1]


def add(kind: str, name: str, source: str) -> Callable[[dict[str, Any]], None]:
    def change(read: dict[str, Any]) -> None:
        made: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {}, "source": [source]}
        read["cells"].append(
            made | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        )

    return change


def tell(about: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda c: c["metadata"]["coursekit"].update(about)


TOKEN = "ghp_" + "a" * 36
STUB = 'def twice(x):\n    """Two times x."""\n'

PLANTED: dict[str, tuple[Callable[[Path], None], str]] = {
    # solutions and hidden tests, anywhere
    "solution in a stub": (
        cell("twice", lambda c: c["source"].append(f"\n    {SOLUTION}")),
        "cell twice: does not hold exactly what its source shows",
    ),
    "solution in a stub, found": (
        cell("twice", lambda c: c["source"].append(f"\n    {SOLUTION}")),
        f"{NOTEBOOK}: holds a part of the solution of twice",
    ),
    "solution in another cell, reformatted": (
        cell("lesson-07-2", lambda c: c["source"].append("\nif x:\n  self . values[ (0) ]")),
        "lesson-07-2: does not hold exactly",
    ),
    "solution in prose": (
        cell("lesson-07-5", lambda c: c["source"].append(f" Solution: `{SOLUTION}`")),
        "holds a part of the solution of twice",
    ),
    "solution in metadata": (
        cell("twice", tell({"note": SOLUTION})),
        "holds a part of the solution of twice",
    ),
    "solution in a key of the metadata": (
        notebook(lambda n: n["metadata"].update({SOLUTION: 1})),
        "holds a part of the solution of twice",
    ),
    "solution in an attachment": (
        cell("lesson-07-5", lambda c: c.update(attachments={"a": {"text/plain": SOLUTION}})),
        "holds a part of the solution of twice",
    ),
    "solution of practice": (
        file("README.md", "self.values = shift(values, len(values) - 1)\n"),
        "README.md: holds a part of the solution of last",
    ),
    "solution in the README": (file("README.md", SOLUTION), "the solution of twice"),
    "solution in the Makefile": (file("Makefile", f"# {SOLUTION}"), "Makefile: holds a part"),
    "solution in a new module": (
        file("coursekit/models/sums.py", f"def f():\n    {SOLUTION}\n"),
        "coursekit/models/sums.py: holds a part of the solution of twice",
    ),
    "solution in a module of the package": (
        file("coursekit/models/unet.py", f"\n\ndef f():\n    {SOLUTION}\n"),
        "coursekit/models/unet.py: is not what the package has",
    ),
    "solution in a picture": (file("data/demo.png", SOLUTION), "data/demo.png: holds a part"),
    "hidden test in a check": (
        cell("check-twice", lambda c: c["source"].append(f"\n{HIDDEN}")),
        "holds a part of the hidden tests of check-twice",
    ),
    "hidden test's comment": (
        cell("last", lambda c: c["source"].append("\n# somebody will take the absolute value")),
        "holds a part of the hidden tests of check-twice",
    ),
    "hidden test in the package": (
        file("coursekit/models/unet.py", f"\n# {HIDDEN}\n"),
        "coursekit/models/unet.py: holds a part of the hidden tests",
    ),
    "hidden test told beyond `about`": (
        cell("twice", tell({"also_tried": ["a negative number", "from -148.5 to 0"]})),
        "twice: tells more of its hidden tests than `about` says",
    ),
    "about of another exercise": (
        cell("twice", tell({"also_tried": ["three steps"]})),
        "twice: tells more of its hidden tests than `about` says",
    ),
    "marker": (
        cell("twice", lambda c: c["source"].append("\n### END SOLUTION")),
        "holds a region's marker",
    ),
    "marker in prose": (file("README.md", "# begin hidden tests\n"), "holds a region's marker"),
    "source": (file("notebooks/source/07_sums.py"), "is a program outside of the package"),
    "solved notebook": (file("notebooks/solved/07_sums.ipynb", "{}"), "the notebook of no assignm"),
    "notebook of no assignment": (file("notebooks/08.ipynb", "{}"), "the notebook of no assignm"),
    # what was run
    "outputs": (cell("twice", lambda c: c.update(outputs=output("4"))), "cell twice: has outputs"),
    "execution count": (
        cell("check-twice", lambda c: c.update(execution_count=3)),
        "check-twice: has been executed",
    ),
    "attachment": (
        cell("lesson-07-5", lambda c: c.update(attachments={"a": {"text/plain": "x"}})),
        "cell lesson-07-5: has attachments",
    ),
    "time stamps": (
        cell("twice", lambda c: c["metadata"].update(execution={"iopub.status.idle": "2026"})),
        "cell twice: has metadata that no release gives: execution",
    ),
    "a cell that Jupyter is told of": (
        cell("twice", lambda c: c["metadata"].update(jupyter={"source_hidden": "x + 1"})),
        "cell twice: has metadata for Jupyter that no release gives",
    ),
    "widgets": (
        notebook(lambda n: n["metadata"].update(widgets={"state": {}})),
        "other metadata than a release gives",
    ),
    "kernel of the instructor": (
        notebook(lambda n: n["metadata"]["kernelspec"].update(display_name="anns-env")),
        "other metadata than a release gives",
    ),
    "author": (
        notebook(lambda n: n["metadata"].update(authors=[{"name": "A"}])),
        "other metadata than a release gives",
    ),
    "another due date": (
        notebook(lambda n: n["metadata"]["coursekit"].update(due="2026-12-02T00:00:00+00:00")),
        "other metadata than a release gives",
    ),
    # what a notebook must be
    "cell of no source": (notebook(add("code", "more", "1")), "cell more: is in no source"),
    "code of our own": (notebook(add("code", "lesson-07-more", "1")), "is in no source"),
    "prose of our own under another name": (
        notebook(add("markdown", "lesson-07-more", "x")), "cell lesson-07-more: is in no source",
    ),
    "cell twice": (notebook(duplicate), "has no id of its own"),
    "changed prose": (
        cell("lesson-07-5", lambda c: c.update(source=["Otherwise."])),
        "lesson-07-5: does not hold exactly",
    ),
    "other kind": (
        cell("lesson-07-5", lambda c: c.update(cell_type="code", outputs=[])),
        "is code, not markdown",
    ),
    "cell left out": (notebook(drop("lesson-07-5")), "lacks cells of its source"),
    "other order": (notebook(swap), "lacks cells of its source, or has them in another order"),
    "no answer cell": (notebook(drop("twice")), "the answer cell of twice is missing"),
    "no check": (notebook(drop("check-twice")), "twice: has no public check"),
    "stub that does not raise": (
        cell("twice", lambda c: c.update(source=[STUB + "    pass"])),
        "twice: its stub raises 0 times",
    ),
    "stub that raises once of twice": (
        cell("last", lambda c: c.update(source="".join(c["source"]).replace("raise", "str,", 1))),
        "last: its stub raises 1 times",
    ),
    "stub that raises something else": (
        cell("twice", lambda c: c.update(source=[f"{STUB}    raise NotImplementedError('todo')"])),
        "twice: its stub raises 0 times",
    ),
    "stub that is no Python": (
        cell("twice", lambda c: c.update(source=["def twice(x):"])),
        "twice: its stub is not Python",
    ),
    "points of a check": (
        cell("check-twice", tell({"points": 2})),
        "check-twice: is worth 2, the assignment says otherwise",
    ),
    "points of an exercise": (
        cell("twice", tell({"points": 6})),
        "its exercises are worth 6 points, the assignment 5",
    ),
    "points of practice": (cell("check-last", tell({"points": 4})), "check-last: is worth 4"),
    "more in a check's metadata": (
        cell("check-twice", tell({"expected": 6})),
        "check-twice: its metadata are not what the assignment says",
    ),
    "metadata in another cell": (
        cell("lesson-07-2", lambda c: c["metadata"].update(coursekit={"expected": 6})),
        "lesson-07-2: has the metadata of an exercise",
    ),
    "what is tried of what is given": (
        cell("shift", tell({"also_tried": ["three steps"]})),
        "shift: its metadata are not what the assignment says",
    ),
    "another assignment": (
        cell("twice", tell({"assignment": "week-2"})),
        "twice: its metadata are not what the assignment says",
    ),
    "no notebook": (
        lambda folder: (folder / NOTEBOOK).unlink(),
        f"{NOTEBOOK}: is missing",
    ),
    "broken notebook": (file(NOTEBOOK, "}"), f"{NOTEBOOK}: is no notebook"),
    "list for a notebook": (
        lambda folder: (folder / NOTEBOOK).write_text("[]") and None,
        f"{NOTEBOOK}: is no notebook",
    ),
    "other pristine copy": (
        file(".released/week-3.ipynb", " "),
        f".released/week-3.ipynb: differs from {NOTEBOOK}",
    ),
    "no README": (lambda folder: (folder / "README.md").unlink(), "README.md: does not say"),
    "README with other points": (
        lambda folder: (folder / "README.md").write_text("| twice | 4 | x |\n") and None,
        "README.md: does not say what twice of week-3 is worth",
    ),
    # files
    "byte-code": (
        file("coursekit/models/__pycache__/unet.cpython-311.pyc", b"\0"),
        "lies in a hidden folder or a cache",
    ),
    "byte-code beside": (file("coursekit/unet.pyc", b"\0"), "is of a kind that no release has"),
    "checkpoint": (file("data/unet.safetensors", b"\0"), "is of a kind that no release has"),
    "pickle": (file("notebooks/model.pt", b"\0"), "is of a kind that no release has"),
    "archive": (file("data/solved.zip", b"PK"), "is of a kind that no release has"),
    "Jupyter's checkpoints": (
        file("notebooks/.ipynb_checkpoints/week-3-checkpoint.ipynb", "{}"),
        "lies in a hidden folder",
    ),
    "git": (file(".git/config"), "lies in .git/, which no release has"),
    "environment": (file(".env", "A=1\n"), "is of a kind that no release has"),
    "key": (file("id_rsa"), "is of a kind that no release has"),
    "tests": (file("tests/test_x.py"), "lies in tests/, which no release has"),
    "course file": (file("notebooks/course.toml"), "has the name of something that is the instr"),
    "secret by name": (file("data/grading-secret.json"), "has the name of something"),
    "secret by content": (file("README.md", TOKEN), "README.md: holds a token of GitHub"),
    "private key": (file("data/README.md", "-----BEGIN RSA PRIVATE KEY-----"), "a private key"),
    "password": (file("Makefile", "# https://ann:pa55@example.org/x\n"), "a password in an addr"),
    "link": (link, "data/more.md: is a link"),
    "pipe": (pipe, "data/more.md: is no file"),
    "size": (file("data/faces/big.jpg", b"\0" * (MOST_FILE + 1)), "bytes; at most"),
    # the machine
    "home": (file("README.md", f"{Path.home()}/faces\n"), "a path of the machine that made it"),
    "working folder": (file("README.md", f"see {Path.cwd()}.\n"), "a path of the machine"),
    "python": (file("Makefile", f"# {sys.prefix}/bin\n"), "Makefile: holds a path of the machine"),
    "temporary folder": (
        cell("lesson-07-5", lambda c: c.update(source=["/tmp/build-7/x"])),
        "a path of the machine that made it: /tmp",
    ),
    "somebody's home": (file("README.md", "/home/ann/faces\n"), "a path into somebody's home"),
    "somebody's home on Windows": (file("README.md", "C:\\Users\\ann\n"), "into somebody's home"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_leak_is_named(
    name: str, folder: Path, lessons: list[Lesson], assignments: list[Assignment]
) -> None:
    plant, words = PLANTED[name]
    plant(folder)
    found = lint(folder, lessons, assignments)
    assert any(words in complaint for complaint in found), "\n".join(found) or "no complaint"


@pytest.mark.parametrize("text", ["see data/tmp/x", "in /tmp, as a rule", "/tmpfs/x", "a/home/b/c"])
def test_what_is_no_path_of_this_machine(
    text: str, folder: Path, lessons: list[Lesson], assignments: list[Assignment]
) -> None:
    file("data/README.md", text)(folder)
    assert lint(folder, lessons, assignments) == []


def test_many_files_are_too_much(
    folder: Path, lessons: list[Lesson], assignments: list[Assignment]
) -> None:
    for number in range(11):
        file(f"data/faces/{number}.jpg", b"\0" * (MOST_FILE - 1))(folder)
    (complaint,) = lint(folder, lessons, assignments)
    assert complaint.startswith("the release has 2")


def test_the_grading_secret_is_known(
    folder: Path, lessons: list[Lesson], assignments: list[Assignment]
) -> None:
    secret = "0123456789abcdef"
    assert lint(folder, lessons, assignments, secret) == []
    file("data/README.md", f"seed {secret}\n")(folder)
    (complaint,) = lint(folder, lessons, assignments, secret)
    assert complaint == "data/README.md: holds the secret that hidden inputs are drawn from"


def test_finding_nothing_proves_nothing_when_nothing_was_looked_for(
    good: Path, lessons: list[Lesson], assignments: list[Assignment]
) -> None:
    found = lint(good, [], assignments)
    assert any("no solution was looked for" in complaint for complaint in found)
    assert any("the solution of twice was not looked for" in complaint for complaint in found)
    assert "nothing is released" in lint(good, lessons, [])


def test_what_one_assignment_gives_and_another_grades_is_a_leak(
    good: Path, lessons: list[Lesson], assignments: list[Assignment]
) -> None:
    other = replace(assignments[0], name="week-2", exercises=lessons[0].exercises[1:2], given=())
    found = lint(good, lessons, [*assignments, other])
    assert any("holds a part of the solution of shift" in complaint for complaint in found)
