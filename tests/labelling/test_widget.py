"""The tool in a notebook: the page's module, its calls as messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from coursekit import labelling
from coursekit.errors import CourseError
from coursekit.labelling import page
from tests.labelling.folders import folder, moved, sent


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    widget = labelling.tool(folder(tmp_path))
    answers: list[tuple[Any, Any]] = []
    monkeypatch.setattr(widget, "send", lambda said, buffers=None: answers.append((said, buffers)))

    def ask(method: Any, said: Any = None) -> tuple[Any, Any]:
        widget._handle_custom_msg({"id": "1 7", "method": method, "said": said}, [])
        return answers.pop()

    return ask


def test_messages_are_the_calls_of_a_page(asked: Any) -> None:
    picture = asked("picture", {"name": "0"})[0]["found"]
    assert picture["source"] == "the mean face"
    edit = sent(picture, **moved(picture, 54, 2))
    assert asked("keep", edit)[0]["found"]["moved"] == 1
    told, _ = asked("keep", {**edit, "window": "two"})
    assert (told["id"], told["kind"]) == ("1 7", "conflict")
    _, buffers = asked("image", {"name": "0"})
    assert buffers[0][:3] == b"\xff\xd8\xff"
    assert asked("none of these")[0]["kind"] == "course"


def test_a_folder_without_photographs(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="holds no photograph"):
        labelling.tool(tmp_path)


def test_the_modules_are_joined_to_one() -> None:
    text = page.bundle()
    assert not re.findall(r"^import\b", text, re.MULTILINE)
    assert re.findall(r"^export.*", text, re.MULTILINE) == [
        "export default { render, mount, failed };"
    ]
    there = {path.stem for path in Path(page.__file__).parent.glob("*.js")}
    assert there == {*page.MODULES, "page"}
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", text, re.MULTILINE)
    assert len(names) == len(set(names))  # one module has one name for one thing


def test_nothing_comes_from_elsewhere() -> None:
    """The tool works without a network."""
    for path in Path(page.__file__).parent.iterdir():
        if path.suffix in {".js", ".css", ".html", ".svg"}:
            text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert "//cdn" not in text
            assert "http" not in text.replace("HTTP", ""), path
