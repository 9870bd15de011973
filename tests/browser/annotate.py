"""`coursekit annotate` under a hand: drags, keys, touch, two windows, and what kills it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from coursekit.data.landmark_files import read_landmarks
from coursekit.synthfaces import render
from tests.browser.chromium import THEMES, WIDTHS, faults

_READY = ".ck-stage[data-name='{}']"
_WIDER = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
_PLACE = """index => { const box = document.querySelector(`[data-point="${index}"]`)
    .getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2] }"""
#: The tip of the nose.
TIP = 54


class Tool:
    """`coursekit annotate` on a folder, in a process of its own."""

    def __init__(self, folder: Path, port: int = 0, *more: str) -> None:
        call = [sys.executable, "-m", "coursekit", "annotate", str(folder), "--no-browser",
                "--port", str(port), *more]  # fmt: skip
        self.folder = folder
        self.process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()
        self.address = self.process.stdout.readline().strip()
        self.port = int(self.address.split(":")[2].split("/")[0])

    def end(self, how: int = signal.SIGINT) -> str:
        """End it, and give what it said."""
        self.process.send_signal(how)
        return self.process.communicate(timeout=60)[0]

    def record(self, name: str) -> dict[str, Any]:
        """What is kept of a picture."""
        known: dict[str, Any] = json.loads((self.folder / f"annotation/{name}.json").read_text())
        return known


@contextmanager
def tool(folder: Path, port: int = 0, *more: str) -> Iterator[Tool]:
    """A tool that is ended."""
    started = Tool(folder, port, *more)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.end(signal.SIGKILL)


def photographs(folder: Path, count: int = 3, size: int = 256) -> Path:
    """Rendered faces in a folder."""
    images = folder / "train/images"
    images.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(render(5, index, size).image).save(images / f"face{index}.png")
    return images.parent


def open_page(chromium: Browser, address: str, name: str = "face0", **options: Any) -> Page:
    """The page, with a picture on it; what goes wrong in it is an error here."""
    context = chromium.new_context(
        **{"viewport": {"width": 1200, "height": 900}, "bypass_csp": True} | options
    )
    page = context.new_page()
    page.set_default_timeout(120_000)  # also on a busy machine
    page.on("pageerror", lambda error: print(f"critical: annotate: {error}"))
    page.goto(address)
    page.wait_for_selector(_READY.format(name))
    return page


def status(page: Page, text: str) -> None:
    """Wait until the tool says so."""
    page.wait_for_function(
        "text => document.querySelector('.ck-status').textContent === text", arg=text
    )


def drag(page: Page, index: int, dx: float, dy: float, *, drop: bool = True) -> None:
    """Drag a point with the mouse, by pixels of the screen."""
    x, y = page.evaluate(_PLACE, index)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(x + dx * step / 5, y + dy * step / 5)
    if drop:
        page.mouse.up()


def _point(page: Page, index: int) -> list[float]:
    found: list[float] = page.evaluate(
        "i => { const dot = document.querySelector(`[data-point='${i}']`);"
        " return [Number(dot.getAttribute('cx')), Number(dot.getAttribute('cy'))] }", index,
    )  # fmt: skip
    return found


def look_at_annotating(chromium: Browser, out: Path) -> list[str]:
    """What is wrong with the tool, as a person would meet it."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        folder = photographs(Path(place))
        for check in (_by_hand, _killed, _two_windows, _left_in_mid_drag, _touched, _refused):
            print(f"annotating: {check.__name__[1:].replace('_', ' ')}", flush=True)
            wrong += [f"critical: annotate: {told}" for told in check(chromium, folder, out)]
        wrong += _looks(chromium, folder, out)
    return wrong


def _by_hand(chromium: Browser, folder: Path, out: Path) -> Iterator[str]:
    """Open, drag, undo, redo, hide, save, next, reload."""
    with tool(folder) as started:
        page = open_page(chromium, started.address)
        before = _point(page, TIP)
        drag(page, TIP, 2, 0)
        if _point(page, TIP) != before:
            yield "a hand that trembles moves a point"
        drag(page, TIP, 30, 12)
        status(page, "kept")
        moved = _point(page, TIP)
        if started.record("face0")["points"][TIP] != [round(v, 3) for v in moved]:
            yield "a drag is not kept"
        page.keyboard.press("z")
        status(page, "kept")
        if _point(page, TIP) != before or started.record("face0")["moved"]:
            yield "undo does not bring a point back"
        page.keyboard.press("y")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("h")
        page.keyboard.press("Enter")
        page.wait_for_selector(_READY.format("face1"))
        kept = started.record("face0")
        if not kept["saved"] or kept["hidden"] != [TIP] or kept["moved"] != 1:
            yield f"what is saved is {kept['saved'], kept['hidden'], kept['moved']}"
        there = read_landmarks(folder / "landmarks/face0.txt")
        if abs(there[TIP, 0] - (moved[0] - 1)) > 0.02:
            yield "the landmark file does not hold the point"
        if len(np.unique(np.array(Image.open(folder / "labels/face0.png")))) < 8:
            yield "the label map has no parts"
        page.reload()
        page.wait_for_selector(_READY.format("face1"))
        said = started.end()
        if "1 of 3 photographs are saved" not in said:
            yield f"at its end it says {said!r}"
        page.context.close()


def _killed(chromium: Browser, folder: Path, out: Path) -> Iterator[str]:
    """kill -9: what the hand does while nobody answers is kept when it runs again."""
    first = Tool(folder)
    page = open_page(chromium, first.address, "face1")
    drag(page, 66, -9, 7)
    status(page, "kept")
    first.end(signal.SIGKILL)
    drag(page, 79, 9, 7)
    status(page, "not kept yet, tries again")
    moved = {index: _point(page, index) for index in (66, 79)}
    with tool(folder, first.port) as second:
        if second.port != first.port:
            yield "it does not come back at its port"
        if second.record("face1")["points"][66] != [round(v, 3) for v in moved[66]]:
            yield "a point was lost by kill -9"
        page.goto("about:blank")
        page.goto(second.address)
        page.wait_for_selector(_READY.format("face1"))
        status(page, "kept")
        if [_point(page, index) for index in moved] != list(moved.values()):
            yield "what the hand did meanwhile was lost"
        page.context.close()


def _two_windows(chromium: Browser, folder: Path, out: Path) -> Iterator[str]:
    """Two windows on one picture: nobody overwrites anybody without being asked."""
    with tool(folder) as started:
        first, second = (open_page(chromium, started.address, "face1") for _ in range(2))
        drag(first, 33, -8, -8)
        status(first, "kept")
        kept = started.record("face1")["points"]
        drag(second, 46, 8, -8)
        second.wait_for_selector(".ck-quarrel[open]")
        second.screenshot(path=f"{out}/annotate-two-windows.png")
        if started.record("face1")["points"] != kept:
            yield "the second window overwrote the first one's points"
        second.keyboard.press("Enter")  # was meant for saving
        if not second.locator(".ck-quarrel[open]").count():
            yield "a key that was meant for saving answers whose points count"
        second.click(".ck-theirs")
        second.wait_for_function(
            "text => document.querySelector('.ck-status').textContent === text", arg="begun"
        )
        if [round(v, 3) for v in _point(second, 33)] != kept[33]:
            yield "theirs are not shown"
        drag(second, 46, 8, -8)
        status(second, "kept")
        drag(first, 16, 0, 6)
        first.wait_for_selector(".ck-quarrel[open]")
        first.click(".ck-mine")
        status(first, "kept")
        if started.record("face1")["points"][16] != [round(v, 3) for v in _point(first, 16)]:
            yield "mine are not kept"
        first.context.close()
        second.context.close()


def _left_in_mid_drag(chromium: Browser, folder: Path, out: Path) -> Iterator[str]:
    """The page is closed with the button down."""
    with tool(folder) as started:
        page = open_page(chromium, started.address, "face1")
        page.keyboard.press("PageDown")
        page.wait_for_selector(_READY.format("face2"))
        drag(page, 90, 12, 4, drop=False)
        there = [round(v, 3) for v in _point(page, 90)]
        page.close(run_before_unload=True)
        for _ in range(100):
            if (folder / "annotation/face2.json").is_file():
                break
            time.sleep(0.1)
        else:
            yield "a drag is lost when the page closes"
            return
        if started.record("face2")["points"][90] != there:
            yield "the point that was dragged is elsewhere"


def _touched(chromium: Browser, folder: Path, out: Path) -> Iterator[str]:
    """A finger drags a point; two zoom and move none."""
    with tool(folder) as started:
        page = open_page(
            chromium, started.address, "face2", viewport={"width": 390, "height": 800},
            has_touch=True, is_mobile=True,
        )  # fmt: skip
        touch = page.context.new_cdp_session(page)

        def at(kind: str, *fingers: tuple[float, float]) -> None:
            points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(fingers)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        before = _point(page, 16)
        x, y = page.evaluate(_PLACE, 16)
        at("touchStart", (x + 6, y + 6))
        for step in range(1, 7):
            at("touchMove", (x + 6 + 4 * step, y + 6))
        at("touchEnd")
        status(page, "kept")
        if not _point(page, 16)[0] > before[0] + 5:
            yield "a finger does not drag a point"
        points = [_point(page, index) for index in range(106)]
        at("touchStart", (x, y), (x + 40, y - 200))
        at("touchMove", (x - 30, y), (x + 70, y - 200))
        at("touchMove", (x - 60, y), (x + 100, y - 200))
        at("touchEnd")
        if [_point(page, index) for index in range(106)] != points:
            yield "two fingers move points"
        if page.evaluate(_PLACE, 16) == [x, y]:
            yield "two fingers do not zoom"
        page.context.close()


def _refused(chromium: Browser, folder: Path, out: Path) -> Iterator[str]:
    """The folder cannot be written any more: it is said, and kept when it can be again."""
    with tool(folder) as started:
        page = open_page(chromium, started.address, "face2")
        place, away = folder / "annotation", folder / "away"
        place.rename(away)
        place.write_text("in the way")
        drag(page, 87, 0, -6)
        status(page, "not kept yet, tries again")
        page.screenshot(path=f"{out}/annotate-not-kept.png")
        if "annotation" not in page.text_content(".ck-message"):
            yield "it is not said which file cannot be written"
        place.unlink()
        away.rename(place)
        status(page, "kept")
        if started.record("face2")["points"][87] != [round(v, 3) for v in _point(page, 87)]:
            yield "what could not be kept is lost"
        page.context.close()


def _looks(chromium: Browser, folder: Path, out: Path) -> list[str]:
    """Pictures in both themes and widths, and what axe-core says."""
    wrong: list[str] = []
    with tool(folder) as started:
        for theme in THEMES:
            for width in WIDTHS:
                page = open_page(
                    chromium, started.address, "face2", color_scheme=theme,
                    viewport={"width": width, "height": 900},
                )  # fmt: skip
                where = f"annotate {theme} {width}"
                page.keyboard.press("2")
                page.keyboard.press("Space")
                page.wait_for_timeout(500)
                page.screenshot(path=f"{out}/annotate-{theme}-{width}.png", full_page=True)
                wrong += faults(page, where)
                if (wider := page.evaluate(_WIDER)) > 0:
                    wrong.append(f"serious: {where}: {wider} px wider than the window")
                page.keyboard.press("?")
                page.wait_for_selector(".ck-dialog[open]")
                page.screenshot(path=f"{out}/annotate-help-{theme}-{width}.png")
                wrong += faults(page, f"{where} help")
                page.context.close()
    return wrong
