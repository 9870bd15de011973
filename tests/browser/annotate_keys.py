"""`coursekit annotate` under unlucky hands: every key, pictures opened again, drags cut short."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.annotate import TIP, Tool, drag, open_page, photographs, status, tool

_READY = ".ck-stage[data-name='{}']:not(.ck-opening)"
_FACE = """() => ({ points: [...document.querySelectorAll('.ck-dot')].map(dot =>
      ['cx', 'cy'].map(key => Number(dot.getAttribute(key)))),
    chosen: document.querySelectorAll('.ck-chosen').length,
    selected: Number(document.querySelector('.ck-selected')?.dataset.point ?? -1),
    hidden: document.querySelectorAll('.ck-hidden').length,
    zoom: document.querySelector('.ck-stage svg > g').transform.baseVal[0].matrix.a,
    opacity: document.querySelector('.ck-slider input').value,
    classes: document.querySelector('.ck-stage').className,
    message: document.querySelector('.ck-message').textContent,
    name: document.querySelector('.ck-stage').dataset.name })"""


def look_at_keys(chromium: Browser) -> list[str]:
    """What is wrong with the tool, as an unlucky person would meet it."""
    wrong: list[str] = []
    for check in (
        _each_key,
        _other_keyboards,
        _opened_again,
        _cut_short,
        _no_picture,
        _left_here,
        _replaced,
    ):
        print(f"annotating: {check.__name__[1:].replace('_', ' ')}", flush=True)
        with tempfile.TemporaryDirectory() as place:
            folder = photographs(Path(place))
            wrong += [f"critical: annotate: {told}" for told in check(chromium, folder)]
    return wrong


def _face(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(_FACE)
    return found


def _at(page: Page, name: str) -> None:
    page.wait_for_selector(_READY.format(name))


def _each_key(chromium: Browser, folder: Path) -> Iterator[str]:
    """What each key of the help does, from the keyboard alone."""
    with tool(folder) as started:
        page = open_page(chromium, started.address)
        press = page.keyboard.press
        first = _face(page)

        def after(*keys: str) -> dict[str, Any]:
            for key in keys:
                press(key)
            return _face(page)

        now = after("Space")
        order = [now["selected"], after("Space")["selected"], after(".")["selected"]]
        if len(set(order)) < 3 or after(",")["selected"] != order[1]:
            yield f"the keys for points lead to {order}"
        if after("Shift+Space")["selected"] != order[0]:
            yield "shift and space do not lead back"
        point = order[0]
        for keys, dx, dy in (
            (["ArrowRight"], 1, 0), (["Shift+ArrowDown"], 1, 10), (["Alt+ArrowLeft"], 0.9, 10),
            (["z", "z", "Control+z"], 0, 0), (["y"], 1, 0), (["Control+y"], 1, 10),
            (["Shift+Z"], 0.9, 10), (["z", "z", "z", "Control+Shift+Z"], 1, 0),
        ):  # fmt: skip
            x, y = after(*keys)["points"][point]
            there = (x - first["points"][point][0], y - first["points"][point][1])
            if max(abs(there[0] - dx), abs(there[1] - dy)) > 0.01:
                yield f"{keys} moves a point by {there}"
        if [after("h")["hidden"], after("h")["hidden"]] != [1, 0]:
            yield "h does not hide a point, or not show it"
        counts = [after("2")["chosen"], after("3")["chosen"], after("1")["chosen"]]
        if not 1 < counts[0] < 106 or counts[1:] != [106, 1]:
            yield f"2, 3 and 1 choose {counts} points"
        after("3")
        size = [_size(after(*keys)) for keys in ((), ("]",), ("[", "["), ("]", "}", "{"))]
        if not size[1] > size[0] > size[2] or abs(size[3] - size[0]) > 1e-6:
            yield f"the brackets make a face of {size}"
        zoom = [after(*keys)["zoom"] for keys in ((), ("+",), ("-", "-"), ("0",), ("9",), ("0",))]
        if not zoom[1] > zoom[0] > zoom[2] or not zoom[4] > zoom[3] == zoom[0] == zoom[5]:
            yield f"the keys for the view zoom to {zoom}"
        shown = [float(after(key)["opacity"]) for key in ("o", "Shift+O", "Shift+O")]
        if not shown[0] > shown[1] > shown[2]:
            yield f"o shows the label map with {shown}"
        for key, name in (("l", "ck-no-map"), ("v", "ck-no-dots")):
            if name not in after(key)["classes"] or name in after(key)["classes"]:
                yield f"{key} does not switch {name}"
        after("1", "Escape")
        if _face(page)["selected"] != -1:
            yield "escape chooses a point"
        jaw = after("Space", "Shift+ArrowRight")["points"][0][0]
        press("f")
        page.wait_for_function(
            "x => document.querySelector('.ck-dot').cx.baseVal.value > x + 5", arg=jaw
        )
        after("m")
        page.wait_for_function("document.querySelectorAll('.ck-moved').length === 0")
        press("?")
        page.wait_for_selector(".ck-dialog[open]")
        press("d")  # of the dialog, not of the tool
        press("Escape")
        status(page, "kept")
        for key, name in (
            ("PageDown", "face1"), ("d", "face2"), ("PageUp", "face1"), ("a", "face0"),
            ("u", "face1"), ("Enter", "face2"), ("u", "face0"),
        ):  # fmt: skip
            press(key)
            _at(page, name)
        if not started.record("face1")["saved"]:
            yield "enter does not save"
        press("s")
        status(page, "saved")
        press("d")
        _at(page, "face1")
        press("c")
        page.wait_for_function("document.querySelector('.ck-status').textContent === 'kept'")
        page.evaluate("document.activeElement.blur()")
        press("d")
        _at(page, "face2")
        page.fill(".ck-tool input[type=number]", "1")
        press("Enter")
        _at(page, "face0")
        press("d")
        _at(page, "face1")
        page.context.close()


def _size(face: dict[str, Any]) -> float:
    xs = [x for x, _ in face["points"]]
    return float(max(xs) - min(xs))


def _other_keyboards(chromium: Browser, folder: Path) -> Iterator[str]:
    """Other alphabets, capitals that are locked, and keys that a finger rests on."""
    with tool(folder) as started:
        page = open_page(chromium, started.address)

        def press(key: str, code: str, **more: Any) -> None:
            page.evaluate(
                "said => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
                "{ bubbles: true, cancelable: true, ...said }))", {"key": key, "code": code} | more,
            )  # fmt: skip

        page.keyboard.press("Space")
        for key, code, more in (
            ("2", "Digit2", {}), ("1", "Digit1", {"shiftKey": True}), ("Р", "KeyH", {}),
            ("р", "KeyH", {}), ("H", "KeyH", {}), ("h", "KeyH", {}),
        ):  # fmt: skip
            press(key, code, **more)
        if (now := _face(page))["hidden"] or now["chosen"] != 1:
            yield f"other keyboards hide {now['hidden']} and choose {now['chosen']}"
        press("3", "Digit3")
        before = _size(_face(page))
        altgr = {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}
        press("]", "Digit9", **altgr)
        if not _size(_face(page)) > before:
            yield "a bracket that is typed with AltGr does nothing"
        press("Enter", "Enter", repeat=True)
        press("s", "KeyS", repeat=True)
        status(page, "kept")
        if _face(page)["name"] != "face0" or started.record("face0")["saved"]:
            yield "a finger that rests on a key saves"
        page.context.close()


def _opened_again(chromium: Browser, folder: Path) -> Iterator[str]:
    """What the hand does when it comes back to a picture is kept as what it did before."""
    with tool(folder) as started:
        page = open_page(chromium, started.address)
        for _ in range(3):
            drag(page, TIP, 14, 5)
            status(page, "kept")
        page.keyboard.press("PageDown")
        _at(page, "face1")
        page.keyboard.press("PageUp")
        _at(page, "face0")
        drag(page, 16, 9, 9)
        status(page, "kept")
        there = [round(v, 3) for v in _face(page)["points"][16]]
        if started.record("face0")["points"][16] != there:
            yield "what is dragged when a picture is opened again is not kept"
        page.context.close()


def _cut_short(chromium: Browser, folder: Path) -> Iterator[str]:
    """Keys while a button is down: a point goes no farther than the hand."""
    with tool(folder) as started:
        page = open_page(chromium, started.address)
        for key, off in (("ArrowRight", 1), ("z", 0), ("Escape", 0)):
            before = _face(page)["points"][TIP]
            drag(page, TIP, 30, 0, drop=False)
            far = _face(page)["points"][TIP][0] - before[0]
            page.keyboard.press(key)
            box = page.locator(f"[data-point='{TIP}']").bounding_box()
            assert box is not None
            page.mouse.move(box["x"] + 60, box["y"])
            page.mouse.up()
            there = _face(page)["points"][TIP][0] - before[0]
            expected = far + off if off else 0
            if abs(there - expected) > 0.01:
                yield f"{key} in the middle of a drag by {far} puts the point {there} away"
            page.keyboard.press("m")
            page.wait_for_function("document.querySelectorAll('.ck-moved').length === 0")
        page.context.close()


def _no_picture(chromium: Browser, folder: Path) -> Iterator[str]:
    """A photograph that cannot be read: the keys lead on, and nothing else does anything."""
    (folder / "images/face1.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    with tool(folder) as started:
        page = open_page(chromium, started.address)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.keyboard.press("PageDown")
        page.wait_for_selector(".ck-none")
        if "face1.png" not in _face(page)["message"]:
            yield "it is not said which photograph cannot be read"
        for key in ("Enter", "s", "c", "p", "m", "Space", "1", "2", "3", "]", "f", "h", "z", "y",
                    "Escape", "+", "0", "9", "o", "l", "l", "v", "v", "ArrowLeft"):  # fmt: skip
            page.keyboard.press(key)
        page.mouse.click(300, 300)
        page.mouse.wheel(0, 100)
        for button in page.locator(".ck-tool button:visible").all():
            text = button.text_content() or ""
            if text not in ("‹", "›", "?", "train again", "next open") and "face" not in text:
                box = button.bounding_box()
                assert box is not None
                page.mouse.click(box["x"] + 9, box["y"] + 9)
        if errors:
            yield f"without a picture: {errors}"
        if (folder / "annotation/face1.json").exists():
            yield "something is kept of a picture that cannot be read"
        page.keyboard.press("PageDown")
        _at(page, "face2")
        page.context.close()


def _left_here(chromium: Browser, folder: Path) -> Iterator[str]:
    """What lies in a browser does not overwrite what was done elsewhere since."""
    first = Tool(folder)
    page = open_page(chromium, first.address)
    first.end(signal.SIGKILL)
    drag(page, TIP, 20, 0)
    status(page, "not kept yet, tries again")
    with tool(folder, first.port) as second:
        page.goto("about:blank")
        other = open_page(chromium, second.address)
        drag(other, 16, 0, 9)
        status(other, "kept")
        kept = second.record("face0")["points"]
        page.goto(second.address)
        page.wait_for_selector(".ck-quarrel[open]")
        if second.record("face0")["points"] != kept:
            yield "points that lay in a browser have overwritten newer ones"
        page.click(".ck-mine")
        status(page, "kept")
        there = [round(v, 3) for v in _face(page)["points"][TIP]]
        if second.record("face0")["points"][TIP] != there or there == kept[TIP]:
            yield "points that lay in a browser are not kept when the hand wants them"
        stored = json.loads(page.evaluate("JSON.stringify(Object.keys(localStorage))"))
        if stored:
            yield f"what is kept still lies in the browser: {stored}"
        page.context.close()
        other.context.close()


def _replaced(chromium: Browser, folder: Path) -> Iterator[str]:
    """A photograph is replaced by a smaller one while it is open, with a move that nobody kept."""
    with tool(folder) as started:
        page = open_page(chromium, started.address)
        drag(page, TIP, 30, 12)
        status(page, "kept")
        place = folder / "images/face0.png"
        with Image.open(place) as picture:
            picture.resize((128, 128)).save(place)
        far = [(v + 0.5) / 2 - 0.5 for v in _face(page)["points"][TIP]]
        page.keyboard.press("s")
        page.wait_for_function(
            "document.querySelector('.ck-message').textContent.includes('is 128×128 now')"
        )
        if (folder / "labels/face0.png").exists():
            yield "a label map is drawn for a photograph that is gone"
        status(page, "kept")
        page.keyboard.press("d")
        _at(page, "face1")
        page.keyboard.press("a")
        _at(page, "face0")
        now = _face(page)
        if max(abs(a - b) for a, b in zip(now["points"][TIP], far, strict=True)) > 0.01:
            yield f"of a photograph at half its size the tip lies at {now['points'][TIP]}"
        if "scaled with it" not in now["message"]:
            yield f"it is not said that points were scaled, but {now['message']!r}"
        wide = "(async () => { const image = new Image(); image.src = document.querySelector("
        wide += (
            "'.ck-stage image').getAttribute('href'); await image.decode(); return image.width })()"
        )
        if page.evaluate(wide) != 128:
            yield "the photograph that is gone is still shown"
        page.keyboard.press("s")
        status(page, "saved")
        page.context.close()
