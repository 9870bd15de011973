"""A release: what is in it, the same bytes each time, and what it refuses to replace."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest

from coursekit.cli import main
from coursekit.errors import CourseError
from coursekit.release import release as release_module
from coursekit.release.release import release
from tests.release.demo_course import LESSON, write_course

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_course(tmp_path_factory.mktemp("course") / "notebooks")


@pytest.fixture(scope="module")
def released(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("out") / "students", notebooks).folder


def cells_of(released: Path, name: str = "week-3") -> dict[str, dict[str, Any]]:
    notebook = json.loads((released / "notebooks" / f"{name}.ipynb").read_bytes())
    return {cell["id"]: cell for cell in notebook["cells"]}


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def content(folder: Path) -> dict[str, bytes]:
    paths = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


def test_what_a_student_gets(released: Path) -> None:
    top = sorted(path.name for path in released.iterdir())
    assert top == [
        ".gitignore", ".released", "LICENSE", "Makefile", "README.md", "coursekit", "data",
        "environment.yml", "notebooks", "pyproject.toml", "released-by-coursekit.json", "uv.lock",
    ]  # fmt: skip
    names = set(content(released))
    assert [n for n in names if n.startswith("notebooks/")] == ["notebooks/week-3.ipynb"]
    assert {"coursekit/models/unet.py", "coursekit/py.typed", "data/README.md"} <= names
    assert not [n for n in names if "__pycache__" in n or n.startswith(("tests", "benchmarks"))]
    assert json.loads((released / "released-by-coursekit.json").read_bytes())["files"] == sorted(
        names
    )


def test_the_package_can_be_installed_from_it(released: Path) -> None:
    project = tomllib.loads((released / "pyproject.toml").read_text(encoding="utf-8"))
    assert (released / project["project"]["readme"]).is_file()
    assert all((released / name).is_file() for name in project["project"]["license-files"])
    for folder in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        ours = {n: c for n, c in content(ROOT / folder).items() if "__pycache__" not in n}
        assert content(released / folder) == ours


def test_the_notebook(released: Path) -> None:
    path = released / "notebooks" / "week-3.ipynb"
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert dict(notebook.metadata.coursekit) == {
        "assignment": "week-3", "lesson": "07_sums", "due": "2026-12-01T23:59:00+01:00",
    }  # fmt: skip
    cells = cells_of(released)
    assert cells["twice"]["metadata"] == {
        "coursekit": {
            "assignment": "week-3",
            "exercise": "twice",
            "points": 5,
            "also_tried": ["a negative number", "a positive number"],
        },
        "deletable": False,
    }
    assert cells["check-twice"]["metadata"]["coursekit"]["points"] == 5
    assert text(cells["twice"]).startswith("# exercise: twice\ndef twice")
    assert (released / ".released" / "week-3.ipynb").read_bytes() == path.read_bytes()


def test_what_is_not_graded(released: Path) -> None:
    cells = cells_of(released)
    assert "rest + first" in text(cells["shift"]) and "# exercise" not in text(cells["shift"])
    assert cells["shift"]["metadata"]["coursekit"] == {
        "assignment": "week-3", "exercise": "shift", "points": 0, "given": True,
    }  # fmt: skip
    assert cells["last"]["metadata"]["coursekit"]["practice"] is True
    assert cells["check-last"]["metadata"]["coursekit"]["points"] == 0
    assert text(cells["last"]).count("NotImplementedError") == 2
    order = list(cells)
    assert order.index("lesson-07-given-shift") == order.index("shift") - 1
    assert order.index("lesson-07-practice-last") == order.index("last") - 1
    card = text(cells["lesson-07-assignment"])
    assert "5 points · 2026-12-01 23:59 (UTC+01:00)" in card and "| twice | 5 |" in card


def test_the_readme(released: Path) -> None:
    readme = (released / "README.md").read_text(encoding="utf-8")
    assert "| [week-3.ipynb](notebooks/week-3.ipynb) | 5 | 2026-12-01 23:59 (UTC+01:00) |" in readme
    assert "| twice | 5 | three becomes six |" in readme and "| shift |" not in readme
    assert "For practice, without points: last." in readme
    assert "Given, with the solution: shift." in readme
    for link in re.findall(r"\]\((?!http)(.+?)\)", readme):
        assert (released / link).exists(), link


def test_make_lab_knows_what_to_do(released: Path) -> None:
    for call in (["lab"], ["check", "NOTEBOOK=notebooks/week-3.ipynb"]):
        done = subprocess.run(
            ["make", "-n", *call], cwd=released, capture_output=True, text=True, check=True
        )
        assert "uv sync --locked" in done.stdout and f"coursekit {call[0]}" in done.stdout


def test_both_makefiles_set_up_alike(released: Path) -> None:
    ours, theirs = (
        {
            block.split("\n")[0]: block.replace(" --no-dev", "")
            for block in (folder / "Makefile").read_text(encoding="utf-8").strip().split("\n\n")
        }
        for folder in (ROOT, released)
    )
    shared = [head for head in ours if re.match(r"# Byte|(lab|demo|setup|\$\(\w+\)):", head)]
    assert len(shared) == 6
    assert [ours[head] for head in shared] == [theirs[head] for head in shared]


def test_the_same_bytes_each_time(notebooks: Path, released: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        call = [
            "release",
            str(tmp_path / name / "students"),
            "--notebooks",
            str(notebooks),
            "--zip",
        ]
        assert main(call) == 0
        assert content(tmp_path / name / "students") == content(released)
    first, second = (tmp_path / name / "students.zip" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as packed:
        assert packed.testzip() is None
        assert set(packed.namelist()) == {f"students/{name}" for name in content(released)}


def test_without_a_course_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_course(tmp_path / "notebooks", course="")
    out = tmp_path / "students"
    call = ["release", str(out), "--notebooks", str(folder), "--assignment", "07"]
    assert main(call) == 0
    printed = capsys.readouterr().out
    assert "07_sums: 3 exercises, 7 points, due never" in printed
    assert "note: 07_sums: check-last is worth 4 and has no hidden tests" in printed
    assert "no due date" in (out / "README.md").read_text(encoding="utf-8")
    assert cells_of(out, "07_sums")["last"]["metadata"]["coursekit"]["points"] == 4


def test_the_grading_secret_stays_at_home(tmp_path: Path) -> None:
    folder = write_course(tmp_path / "notebooks")
    (folder / ".secret").write_text("three becomes six\n", encoding="utf-8")  # the README says it
    with pytest.raises(CourseError, match=r"README\.md: holds the secret"):
        release(tmp_path / "students", folder)


def test_a_release_that_leaks_is_not_written(tmp_path: Path) -> None:
    leaky = LESSON.replace(
        "def shift", "# probe.emit('far', shift([5, 6, 7, 8], 3), about='three steps')\ndef shift"
    )
    # It is public then, by the author's own hand: no leak. In a file that is handed out it is one.
    folder = write_course(tmp_path / "notebooks", lesson=leaky)
    release(tmp_path / "fine", folder)
    course = '[[assignment]]\nname = "{}"\nlesson = "07_sums"\n{} = ["{}"]\n'
    text = course.format("a", "given", "twice") + course.format("b", "exercises", "twice")
    (folder / "course.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=r"not written; .*\n.*a\.ipynb: holds a part of the sol"):
        release(tmp_path / "students", folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fine", "notebooks"]
    release(tmp_path / "students", folder, ["a"])
    release(tmp_path / "others", folder, ["b"])


class TestReplacing:
    @pytest.fixture
    def out(self, released: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(released, tmp_path / "students"))

    def test_only_when_told(self, out: Path, notebooks: Path) -> None:
        with pytest.raises(CourseError, match="--force"):
            release(out, notebooks)

    def test_git_stays(self, out: Path, notebooks: Path) -> None:
        (out / ".git").mkdir()
        (out / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        before = content(out)
        (out / "LICENSE").unlink()
        release(out, notebooks, force=True)
        assert content(out) == before

    def test_nothing_that_was_added_is_lost(self, out: Path, notebooks: Path) -> None:
        (out / "notebooks" / "grades.csv").write_text("ann,5\n", encoding="utf-8")
        with pytest.raises(CourseError, match=r"notebooks/grades\.csv did not come with"):
            release(out, notebooks, force=True)
        assert (out / "notebooks" / "grades.csv").is_file()

    def test_a_failure_leaves_the_old_one(
        self, out: Path, notebooks: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (out / ".git").mkdir()
        before = content(out)
        real = Path.replace

        def replace(self: Path, target: Path) -> Path:
            if self.name == "new":
                raise OSError(28, "No space left on device")
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        with pytest.raises(CourseError, match="No space left"):
            release(out, notebooks, force=True)
        assert content(out) == before and (out / ".git").is_dir()
        assert [p.name for p in out.parent.iterdir()] == ["students"]

    def test_other_folders_and_files_are_left_alone(self, notebooks: Path, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.tex").touch()
        with pytest.raises(CourseError, match="no release"):
            release(tmp_path / "mine", notebooks, force=True)
        with pytest.raises(CourseError, match="is a file"):
            release(tmp_path / "mine" / "thesis.tex", notebooks, force=True)
        (tmp_path / "empty.zip").touch()
        call = ["release", str(tmp_path / "empty"), "--notebooks", str(notebooks), "--zip"]
        assert main(call) == 2


def test_outside_of_a_checkout(
    notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        release_module.coursekit, "__file__", str(tmp_path / "site" / "coursekit" / "__init__.py")
    )
    with pytest.raises(CourseError, match=r"has no LICENSE, .*in a checkout of the course"):
        release(tmp_path / "students", notebooks)


def test_the_course_itself_can_be_released(tmp_path: Path) -> None:
    made = release(tmp_path / "students", ROOT / "notebooks")
    assert len(made.assignments) >= 3
    assert made.notes == (), "every check that brings points has hidden tests"
