"""The first lesson as `coursekit lab` opens it, and solved and run, with all widgets."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, TimeoutError

from tests.browser.annotate import TIP, drag, photographs, status
from tests.browser.chromium import WIDTHS, faults

ROOT = Path(__file__).parents[2]
#: What is ours in JupyterLab: text, and what cells show.
OURS = ".jp-RenderedMarkdown, .jp-OutputArea-output"
#: The course's widgets and cards, below the solved lesson.
_WIDGETS = (
    "from coursekit.widgets import face_explorer\nface_explorer()",
    (
        "import numpy as np\nfrom coursekit.widgets import sliders\n"
        "def draw(width, share):\n    grey = np.full((60, 90, 3), 20 * width, np.uint8)\n"
        "    return grey, f'width {width}, share {share}'\n"
        "sliders(draw, width=(2, 1, 6), share=(0.5, 0.0, 1.0))"
    ),
    "from coursekit.health import card\ncard()",
    "import matplotlib.pyplot as plt\nplt.plot([1, 4, 9], label='squares')\nplt.show()",
    "from coursekit.labelling import tool\ntool('../mine/train')",
)
#: What is wider than a telephone, and scrolls: keys have to reach it.
_WIDE = "|" + 12 * " a wide table |" + "\n|" + 12 * "---|" + "\n|" + 12 * " `0.123456789` |"
_PROMPTS = """[...document.querySelectorAll(
    '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-InputPrompt')].map(prompt => prompt.innerText)"""
_BEGUN = f"""title => document.title.includes(title)
    && {_PROMPTS}.some(text => text.includes('*'))"""
_RUN = f"""least => !{_PROMPTS}.some(text => text.includes('*'))
    && document.querySelectorAll('.coursekit-slider output').length >= least"""
_UP = """document.querySelector(
    '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer').scrollTop = 0"""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDER = """[...document.querySelectorAll('.jp-OutputArea-output')].filter(shown =>
    shown.scrollWidth > shown.clientWidth + 1).map(shown => shown.innerText.slice(0, 40))"""
#: Lines that stand for folded cells, where they go on beyond the cell.
_FOLDED = """[...document.querySelectorAll(
    '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-InputPlaceholder')].flatMap(line => {
    const ends = line.closest('.jp-Cell').getBoundingClientRect().right;
    const dots = line.querySelector('svg').getBoundingClientRect().right;
    return dots > ends ? [line.innerText] : [];
})"""
#: JupyterLab by itself breaks a message in the midst of a word, wherever its line ends.
_BROKEN = """[...document.querySelectorAll('.jp-OutputArea-output pre')].filter(text =>
    getComputedStyle(text).wordBreak !== 'normal').map(text => text.innerText.slice(0, 40))"""
#: What surrounds the button that keys have reached.
_RING = """(({outlineStyle, outlineWidth}) => `${outlineStyle} ${outlineWidth}`)(
    getComputedStyle(document.activeElement))"""


@contextmanager
def lab(folder: Path, more: dict[str, str] | None = None) -> Iterator[str]:
    """Start `coursekit lab` in a course, and give its address.

    As in a container: plain C, no settings of a user's, spaces in the path.

    Args:
        folder: an empty one.
        more: other notebooks, by their names.
    """
    course = folder / "a course with späces"
    shutil.copytree(ROOT / "notebooks", course / "notebooks")
    shutil.copy(ROOT / "pyproject.toml", course)
    shutil.copy(ROOT / "README.md", course)
    photographs(course / "mine")
    solved = json.loads((ROOT / "notebooks/solved/00_welcome.ipynb").read_text())
    solved["cells"] += [_code(n, source) for n, source in enumerate(_WIDGETS)]
    wide = {"cell_type": "markdown", "id": "wide", "metadata": {}, "source": _WIDE}
    solved["cells"] += [wide]
    (course / "notebooks/99_solved.ipynb").write_text(json.dumps(solved))
    for name, text in (more or {}).items():
        (course / f"notebooks/{name}.ipynb").write_text(text)
    settings = folder / "config/lab/user-settings/@jupyterlab/notebook-extension"
    settings.mkdir(parents=True)
    # All cells are in the page, and not only those in sight.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    environment = os.environ | {
        "LC_ALL": "C", "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "COURSEKIT_CACHE": str(folder / "cache"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),  # nor a list of fonts that is out of date
    }  # fmt: skip
    call = [sys.executable, "-m", "coursekit", "lab", "--no-browser", "--port", "0",
            "--LabApp.expose_app_in_browser=True"]  # fmt: skip
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(call, cwd=course, env=environment, stdout=log, stderr=log)
        try:
            yield _address(server, folder)
        finally:
            server.terminate()
            server.wait(60)


def notebook(sources: list[str]) -> str:
    """A notebook of code cells that none has run."""
    cells = [_code(n, source) for n, source in enumerate(sources)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def _code(number: int, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": f"widget-{number}", "metadata": {}, "source": source,
        "execution_count": None, "outputs": [],
    }  # fmt: skip


def _address(server: subprocess.Popen[bytes], folder: Path) -> str:
    while server.poll() is None:
        time.sleep(0.2)
        for file in (folder / "runtime").glob("jpserver-*.json"):
            if text := file.read_text():
                said = json.loads(text)
                return f"{said['url']}?token={said['token']}"
    raise SystemExit(f"coursekit lab ended: {(folder / 'log').read_text()}")


def look_at_lesson(chromium: Browser, out: Path) -> list[str]:
    """What is wrong with the first lesson: its list of files, its terminal, both themes."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder)) as address:
        page = chromium.new_page(
            viewport={"width": WIDTHS[0], "height": 900}, device_scale_factor=2
        )
        page.set_default_timeout(180_000)  # also on a busy machine
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector(".jp-DirListing-item")
        page.wait_for_timeout(5000)
        page.screenshot(path=f"{out}/lab-opened.png")
        if "00_welcome" not in page.title():
            wrong.append(f"critical: lab: opens {page.title()!r}")
        wrong += _terminal(page, Path(folder) / "a course with späces" / "found.txt", out)
        command(page, "docmanager:open", {"path": "notebooks/99_solved.ipynb"})
        run_all(page, "99_solved")
        wrong += [f"serious: lab: words are broken in {text!r}" for text in page.evaluate(_BROKEN)]
        wrong += _by_name(page)
        wrong += _labels(page, Path(folder) / "a course with späces/mine/train/annotation")
        command(page, "application:toggle-left-area")
        for theme, name in THEMES.items():
            command(page, "apputils:change-theme", {"theme": name})
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 12_000})
                page.evaluate(_UP)
                page.wait_for_timeout(4000)
                where = f"lesson {theme} {width}"
                wrong += faults(page, where, OURS)
                shown = page.evaluate(WIDER)
                wrong += [f"moderate: {where}: is cut at the right: {text!r}" for text in shown]
                shown = page.evaluate(_FOLDED)
                wrong += [f"serious: {where}: ends out of sight: {text!r}" for text in shown]
                page.screenshot(path=f"{out}/lesson-{theme}-{width}.png")
        page.close()
    return wrong


def run_all(page: Page, title: str, least: int = 1) -> None:
    """Run all cells of what was opened: until it is in front, an order goes to another notebook.

    Args:
        page: of JupyterLab.
        title: of the notebook that was opened.
        least: sliders that there are in the end.
    """
    for second in range(300):
        page.wait_for_timeout(1000)
        # Asked from here: a page that asks itself is laid out anew each time, and does little else.
        if page.evaluate(_RUN, least):
            return
        if second % 10 == 3 and not page.evaluate(_BEGUN, title):
            command(page, "notebook:run-all-cells")
    raise TimeoutError(f"the cells do not end: {page.evaluate(_PROMPTS)}")


def _by_name(page: Page) -> list[str]:
    """Move a slider, answer the quiz and find a picture by keys and names, as if unseen."""
    try:
        page.get_by_role("slider", name="width").press("ArrowRight")
        page.get_by_text("width 3, share 0.5", exact=True).wait_for()
        for letter, key in (("A", "Space"), ("B", "Enter")):
            page.locator(f"button[title^='Question 1, {letter}:']").press(key)
            page.locator("[role=status]").get_by_text(re.compile(f"^{letter}: ")).wait_for()
            if (ring := page.evaluate(_RING)) != "solid 3px":
                return [f"serious: lab: a button that keys have reached has a ring: {ring}"]
        page.get_by_role("img", name="Chart: squares: from 1 at 0 to 9 at 2").wait_for()
    except TimeoutError as error:
        return [f"critical: lab: {error}"]
    return []


def _labels(page: Page, records: Path) -> list[str]:
    """Label a face; no key that is pressed there is the notebook's."""
    page.wait_for_selector(".ck-stage[data-name='face0']:not(.ck-opening)")
    page.locator(".ck-stage").scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    drag(page, TIP, 20, 5)
    status(page, "kept")
    for key in ("b", "x", "d", "d", "PageUp", "PageUp", "0", "0", "Shift+Enter"):
        page.keyboard.press(key)
    wrong = []
    if page.locator(".jp-Notebook .jp-Cell").count() != cells or page.locator(".jp-Dialog").count():
        wrong.append(
            "critical: lab: keys that are pressed in the labelling tool reach the notebook"
        )
    if not (records / "face0.json").is_file():
        wrong.append("critical: lab: what is dragged in the labelling tool is not kept")
    return wrong


def command(page: Page, name: str, arguments: dict[str, Any] | None = None) -> None:
    call = "([name, given]) => void jupyterapp.commands.execute(name, given)"  # no wait for its end
    page.evaluate(call, [name, arguments or {}])


def _terminal(page: Page, found: Path, out: Path) -> list[str]:
    """Type `coursekit` into JupyterLab's terminal."""
    command(page, "terminal:create-new")
    page.wait_for_selector(".jp-Terminal .xterm-screen")
    page.wait_for_timeout(3000)
    page.keyboard.type("command -v coursekit > found.txt; coursekit --version\n")
    page.wait_for_timeout(8000)
    page.screenshot(path=f"{out}/lab-terminal.png")
    there = found.is_file() and found.read_text().strip().endswith("coursekit")
    return [] if there else ["critical: lab: `coursekit` is not found in the terminal"]
