"""Building twice gives the same bytes; what is stale, failing or unclean is named."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from PIL import Image

from coursekit.cli import main
from coursekit.errors import CourseError
from coursekit.lessons.build import build, stale
from coursekit.lessons.execution import execute
from coursekit.lessons.notebook import make_notebook, to_bytes
from coursekit.lessons.outputs import MOST_PICTURE, complaints, normalise
from coursekit.lessons.regions import Cell
from tests.lessons.test_source import EXERCISE

SOLVED = EXERCISE.replace("assert twice(2) == 4", "import sys\nprint('no', file=sys.stderr)")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "source").mkdir()
    (folder / "source" / "07_demo.py").write_text(SOLVED, encoding="utf-8")
    written = build(folder)
    assert [p.relative_to(folder).as_posix() for p in written] == [
        "07_demo.ipynb", "solved/07_demo.ipynb",
    ]  # fmt: skip
    return folder


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    for path in ("source/07_demo.py", "07_demo.ipynb", "solved/07_demo.ipynb"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes((built / path).read_bytes())
    return tmp_path


def change(path: Path, **cell: Any) -> None:
    """Change the second cell of a notebook, the answer."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][1].update(cell)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_both_notebooks_are_valid_and_fresh(built: Path) -> None:
    assert stale(built) == []
    for path in ("07_demo.ipynb", "solved/07_demo.ipynb"):
        notebook = nbformat.read(built / path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        assert notebook.metadata.language_info.name == "python"
        assert "version" not in notebook.metadata.language_info


def test_the_student_gets_no_solution_and_no_outputs(built: Path) -> None:
    text = (built / "07_demo.ipynb").read_text(encoding="utf-8")
    assert "y = x + x" not in text and "twice(3)" not in text and "SOLUTION" not in text
    cells = json.loads(text)["cells"]
    assert not any(cell.get("outputs") for cell in cells)
    folded = {"jupyter": {"source_hidden": True}}  # the code of a check would tell the answer
    assert cells[1]["metadata"] == {"coursekit": {"points": 3}, **folded}
    assert cells[2]["metadata"] == {"coursekit": {"points": 2}, "tags": ["kept"], **folded}


def test_a_folded_cell() -> None:
    (cell,) = make_notebook([Cell("check-twice", "code", "1", 1, tags=("folded",))])["cells"]
    assert cell["metadata"] == {"jupyter": {"source_hidden": True}, "tags": ["folded"]}


def test_the_solved_notebook_has_stdout_alone(built: Path) -> None:
    cells = json.loads((built / "solved/07_demo.ipynb").read_text(encoding="utf-8"))["cells"]
    assert [cell.get("execution_count") for cell in cells] == [None, 1, 2, 3]
    assert cells[2]["outputs"] == []  # it wrote to stderr
    assert cells[3]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["2\n"]}]


def test_building_twice_gives_the_same_bytes(copy: Path) -> None:
    before = (copy / "07_demo.ipynb").read_bytes()
    assert build(copy, ["07"], execute=False)[0] == copy / "07_demo.ipynb"
    assert (copy / "07_demo.ipynb").read_bytes() == before
    text = before.decode()
    assert text == nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"


def test_a_cell_that_is_folded_later_keeps_what_it_shows(copy: Path) -> None:
    path = copy / "solved/07_demo.ipynb"
    before = path.read_bytes()
    notebook = json.loads(before)
    check = next(cell for cell in notebook["cells"] if cell["id"] == "check-twice")
    del check["metadata"]["jupyter"]
    path.write_bytes(to_bytes(notebook))
    build(copy, ["07"], execute=False)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ({"source": ["pass"]}, "other cells"),
        ({"id": "thrice"}, "other cells"),
        ({"metadata": {}}, "other cells"),
        ({"execution_count": None}, "twice has not been executed"),
        (
            {"outputs": [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]},
            "twice shows an error",
        ),
        (
            {"outputs": [{"output_type": "stream", "name": "stdout", "text": "took 3 s"}]},
            "twice shows '3 s', a time",
        ),
    ],
)
def test_a_solved_notebook_is_stale(copy: Path, cell: dict[str, Any], words: str) -> None:
    change(copy / "solved/07_demo.ipynb", **cell)
    ((path, reason),) = stale(copy)
    assert path == copy / "solved/07_demo.ipynb" and words in reason


def test_other_kinds_of_stale(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    student, solved = copy / "07_demo.ipynb", copy / "solved/07_demo.ipynb"
    change(student, source=["pass"])
    solved.write_text("{}", encoding="utf-8")
    (copy / "06_old.ipynb").write_text("{}", encoding="utf-8")
    reasons = {path.name if path != solved else "solved": why for path, why in stale(copy)}
    assert "not what its source gives" in reasons["07_demo.ipynb"]
    assert "no notebook" in reasons["solved"]
    assert "no source" in reasons["06_old.ipynb"]
    student.unlink()
    solved.unlink()
    assert [why for _, why in stale(copy, ["07_demo"])] == ["is missing", "is missing"]
    assert main(["build", "--check", "--notebooks", str(copy)]) == 1
    assert "make build" in capsys.readouterr().out


def test_the_source_counts(copy: Path) -> None:
    source = copy / "source/07_demo.py"
    source.write_text(SOLVED.replace("# # A lesson", "# # The lesson"), encoding="utf-8")
    assert [path.parent.name for path, _ in stale(copy)] == [copy.name, "solved"]


def test_other_words_need_no_run(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solved, source = copy / "solved/07_demo.ipynb", copy / "source/07_demo.py"
    call = ["build", "--notebooks", str(copy), "--text-only"]
    before = solved.read_bytes()
    assert main(call) == 0 and solved.read_bytes() == before
    source.write_text(SOLVED.replace("# # A lesson", "# # The lesson"), encoding="utf-8")
    assert main(call) == 0 and not stale(copy)
    assert solved.read_bytes() == before.replace(b"# A lesson", b"# The lesson")
    assert "left" not in capsys.readouterr().out
    source.write_text(SOLVED.replace("print(", "print(1 + "), encoding="utf-8")
    assert main(call) == 0
    assert "left" in (told := capsys.readouterr().out) and "other cells" in told
    assert b"The lesson" in solved.read_bytes()
    solved.unlink()
    assert main(call) == 0 and "which is missing" in capsys.readouterr().out


def test_names_of_lessons(copy: Path) -> None:
    with pytest.raises(CourseError, match="no lesson 08; there are 07_demo"):
        build(copy, ["08"])
    with pytest.raises(CourseError, match="holds no lessons"):
        stale(copy / "solved")


def executed(*sources: str, timeout: float = 60) -> list[dict[str, Any]]:
    cells = [Cell(f"cell-{i}", "code", source, 1) for i, source in enumerate(sources)]
    cells.append(Cell("words", "markdown", "words", 1))
    return execute(make_notebook(cells), "07_demo", timeout)[0]["cells"]


def test_a_lesson_runs_on_the_quick_tier_in_a_folder_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", "elsewhere")
    monkeypatch.setenv("COURSEKIT_TIER", "full")
    code = (
        "import os, pathlib\nprint(*(os.environ.get(f'COURSEKIT_{n}') for n in ('TIER', 'DATA')),"
        " os.environ['OMP_WAIT_POLICY'])\nprint(list(pathlib.Path().iterdir()))"
    )
    assert executed(code)[0]["outputs"][0]["text"] == ["quick None PASSIVE\n", "[]\n"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "(?s)07_demo: cell cell-1 failed.*ZeroDivisionError"),
        ("import time; time.sleep(60)", "cell-1 took longer than 3 s"),
        ("import os; os._exit(3)", "cell-1 killed its kernel"),
        ("object()", "cell-1 shows '0x[0-9a-f]+', a memory address"),
    ],
)
def test_a_cell_that_fails_is_named(code: str, words: str) -> None:
    with pytest.raises(CourseError, match=words):
        executed("1", code, timeout=3)


def test_a_lesson_that_costs_too_much_is_refused() -> None:
    child = "import time\nwhile time.process_time() < 1: pass"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])\nprint(1)"
    notebook = make_notebook([Cell("cell-1", "code", code, 1)])
    executed, cost = execute(notebook, "07_demo")
    assert 1 <= cost.seconds < 30 and len(executed["cells"]) == 1
    assert 20 < cost.megabytes < 2000  # of a kernel that has loaded nothing else
    words = "07_demo: its replay took . s of processor time; at most 1: fewer faces"
    with pytest.raises(CourseError, match=words):
        execute(notebook, "07_demo", most=1)


def shown(text: str) -> list[str]:
    return complaints({"outputs": [{"output_type": "stream", "name": "stdout", "text": [text]}]})


@pytest.mark.parametrize(
    "text",
    [
        "<object at 0x7f3a2b>",
        "/home/ann/faces",
        "saved to '/tmp/x'",
        "C:\\faces",
        "3.2 s",
        "12ms",
        "took 4 seconds",
        "8.1it/s",
        "1:02:03",
        "2025-01-31",
    ],
)
def test_the_linter_refuses(text: str) -> None:
    assert len(shown(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "19 classes, 0.5 of 3 scores",
        "out/faces/train/images",
        "https://example.org/home/x",
        "1/2 and 3 / 4",
        "Conv2d(3, 16, kernel_size=(3, 3))",
        "4 steps, 3 sets, 2 minima",
        "0x1F",
        "<b>bold</b></root>",
    ],
)
def test_the_linter_allows(text: str) -> None:
    assert shown(text) == []


def picture(size: int, colours: int) -> dict[str, Any]:
    pixels = np.random.default_rng(0).integers(0, colours, (size, size, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    data = {"image/png": base64.b64encode(written.getvalue()).decode(), "text/plain": "a\nb"}
    output = {"output_type": "display_data", "metadata": {"w": 1}, "data": data}
    return {"metadata": {"execution": {}}, "outputs": [output]}


def test_pictures_are_made_small() -> None:
    cell = picture(350, 255)
    normalise(cell, "here")
    (output,) = cell["outputs"]
    assert len(base64.b64decode(output["data"]["image/png"])) < MOST_PICTURE
    assert output["data"]["text/plain"] == ["a\n", "b"] and output["metadata"] == {}
    assert cell["metadata"] == {}
    with pytest.raises(CourseError, match="here: its picture has"):
        normalise(picture(500, 255), "here")


def test_sharp_pictures_keep_their_shown_size_and_their_open_ground() -> None:
    for size, sharp in ((350, 350), (700, 350)):  # the larger one gets its shown pixels alone
        pixels = np.random.default_rng(0).integers(0, 255, (size, size, 4), dtype=np.uint8)
        pixels[:40, :, 3] = 0
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, "PNG")
        cell = picture(8, 2)
        (output,) = cell["outputs"]
        output["data"]["image/png"] = base64.b64encode(written.getvalue()).decode()
        output["metadata"] = shown = {"image/png": {"width": 350, "height": 350}}
        normalise(cell, "here")
        (output,) = cell["outputs"]
        assert output["metadata"] == shown
        with Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"]))) as kept:
            assert kept.size == (sharp, sharp)
            assert kept.convert("RGBA").getpixel((3, 3))[3] == 0  # type: ignore[index]


def test_a_kernel_shows_pyplots_figures_in_the_same_way() -> None:
    source = (
        "import matplotlib.pyplot as plt\nfrom coursekit import plots\n"
        "figure, axes = plt.subplots(figsize=(4, 2))\naxes.plot([1, 3])\nplt.close(figure)\nfigure"
    )
    (html,) = executed(source)[0]["outputs"][0]["data"]["text/html"]
    encoded, words, width = re.findall('"([^"]*)"', html)[:3]
    assert words == "Chart: from 1 at 0 to 3 at 1"
    with Image.open(io.BytesIO(base64.b64decode(encoded.partition(",")[2]))) as picture:
        assert picture.width > 700 and abs(picture.width - 2 * int(width)) <= 1
        assert picture.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_widgets_go_and_streams_are_joined() -> None:
    def stream(name: str, text: str) -> dict[str, Any]:
        return {"output_type": "stream", "name": name, "text": text}

    widget = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "  0%|"}
    cell = {
        "metadata": {},
        "outputs": [
            stream("stdout", "a\n"),
            stream("stderr", "epoch 1"),
            {"output_type": "display_data", "metadata": {}, "data": widget},
            stream("stdout", "b\n"),
        ],
    }
    normalise(cell, "here")
    assert cell["outputs"] == [{"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]}]


def test_building_needs_no_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys, coursekit.checks, coursekit.lessons.build, coursekit.lessons.execution;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
