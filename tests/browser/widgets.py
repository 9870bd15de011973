"""Every widget in a real JupyterLab: shown, moved by keys, in both themes, wide and narrow."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from tests.browser.chromium import WIDTHS, faults
from tests.browser.lab import OURS, THEMES, command, lab, notebook, run_all

_FACES = """import numpy as np
from coursekit import synthfaces, widgets
faces = [synthfaces.render(0, i, 64) for i in range(4)]
images, truths = [f.image for f in faces], [f.label_map for f in faces]
def blurred(label_map, far):  # a network that is behind by some pixels
    return np.roll(label_map, far, axis=1)
"""
_COUNTS = """[375099645, 333172471, 27015905, 3467864, 2937773, 2928618, 5572580, 5433404,
    6164110, 5049695, 3896683, 5417555, 8898431, 411175974, 12651045, 3102372, 196952, 54031542,
    44507381]"""
_ATTENTION = """rng = np.random.default_rng(0)
grids = {f'stage {n}': rng.random((2, s * s, s * s)) ** 9 for n, s in ((1, 16), (2, 8))}
widgets.attention_explorer(images[0], {k: g / g.sum(-1, keepdims=True) for k, g in grids.items()})
"""
_COMPARE = """said = {'fresh': 9, 'trained': 3}
widgets.compare(images, truths, {k: [blurred(t, far) for t in truths] for k, far in said.items()})
"""
_REPAIRS = """cycles = [[blurred(t, far) for t in truths] for far in (2, 1, 0)]
widgets.repairs(images, cycles[0], truths, cycles)
"""
_EDGES = """from coursekit.losses import binary_edges
def cost_map(target, width, λ3, λ4):  # all pixels alike, and those on an edge λ3 times more
    return 1 + λ3 * (binary_edges(target, width=width)[0] == 1) + λ4 * (target[0] > 13)
widgets.edge_explorer(images, truths, cost_map)
"""
_TRAINING = """import torch
from coursekit import create_model
from coursekit.data import SynthDataset
from coursekit.training import FitConfig
def fresh():
    torch.manual_seed(0)
    return create_model('unet', widths=(8, 12, 16))
settings = FitConfig(size=48, epochs=120, batch_size=4, cpu=True)
widgets.training_dashboard(
    fresh, SynthDataset(0, 24, 48), SynthDataset(1, 4, 48), settings, kept='browser')
"""
#: By name: the cell that shows a widget, and what is moved in it: role, name, keys.
WIDGETS: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "faces": ("widgets.face_explorer()", (("slider", "index", "ArrowRight"),)),
    "compare": (
        _COMPARE,
        (
            ("combobox", "layer", "e"), ("combobox", "class", "h"), ("combobox", "network", "f"),
            ("slider", "face", "ArrowRight"), ("slider", "opacity", "End"),
            ("application", "pixel", "Shift+ArrowUp"),
        ),
    ),
    "weights": (
        f"widgets.class_weights_explorer({_COUNTS})",
        (("slider", "exponent", "ArrowRight"), ("combobox", "class", "h")),
    ),
    "fields": (
        "widgets.receptive_fields()",
        (("combobox", "network", "End"), ("application", "pixel", "Shift+ArrowLeft")),
    ),
    "attention": (
        _ATTENTION,
        (
            ("application", "asks", "ArrowDown"), ("slider", "head", "ArrowRight"),
            ("combobox", "layer", "ArrowDown"),
        ),
    ),
    "pipeline": (
        "widgets.optimiser_pipeline({'never better': [2.0] + [3.0] * 60})",
        (
            ("slider", "patience", "ArrowLeft"), ("slider", "epoch", "ArrowRight"),
            ("slider", "SGD's first", "ArrowRight"), ("combobox", "log", "n"),
            ("slider", "SGD's least", "End"),
        ),
    ),
    "repairs": (
        _REPAIRS,
        (("slider", "cycle", "ArrowRight"), ("combobox", "shown", "l")),
    ),
    "budget": (
        "widgets.budget_designer()",
        (
            ("slider", "width, eighths", "ArrowLeft"), ("slider", "depth", "ArrowLeft"),
            ("combobox", "family", "f"),
        ),
    ),
    "edges": (
        _EDGES,
        (
            ("slider", "width", "ArrowRight"), ("slider", "λ3", "ArrowRight"),
            ("slider", "λ4", "End"), ("combobox", "shown", "e"), ("combobox", "class", "h"),
            ("slider", "face", "ArrowRight"),
        ),
    ),
    "dashboard": (_TRAINING, ()),
}  # fmt: skip
#: What is shown, but for the controls: they move by themselves.
_STATE = """output => [...output.querySelectorAll(
    '.coursekit-note, .coursekit-picture, .coursekit-picker-said, img')]
    .map(part => part.src ?? part.innerHTML).join()"""
#: A box that is wider than its place can be scrolled, which few find.
_SCROLLED = """[...document.querySelectorAll('.widget-box, .jp-OutputArea-output')].filter(shown =>
    shown.scrollWidth > shown.clientWidth + 1).map(shown => shown.innerText.slice(0, 40))"""


def look_at_widgets(chromium: Browser, out: Path) -> list[str]:
    """What is wrong with the course's widgets; pictures of each go into `out`."""
    wrong: list[str] = []
    cells = [_FACES, *(source for source, _ in WIDGETS.values())]
    with (
        tempfile.TemporaryDirectory() as folder,
        lab(Path(folder), {"98_widgets": notebook(cells)}) as address,
    ):
        page = chromium.new_page(viewport={"width": WIDTHS[0], "height": 900})
        said: list[str] = []
        page.on("console", lambda it: said.append(it.text) if it.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.set_default_timeout(120_000)  # also on a busy machine
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        command(page, "docmanager:open", {"path": "notebooks/98_widgets.ipynb"})
        run_all(page, "98_widgets", len(WIDGETS))
        command(page, "application:toggle-left-area")
        for number, name in enumerate(WIDGETS, 1):
            wrong += _moved(page, number, name)
        wrong += _pointed_at(page, 1 + list(WIDGETS).index("fields"))
        wrong += _trained(page, 1 + list(WIDGETS).index("dashboard"))
        for theme, title in THEMES.items():
            command(page, "apputils:change-theme", {"theme": title})
            for width in (*WIDTHS, 400):
                wrong += _looked_at(page, theme, width, out)
        wrong += [f"critical: widgets: the console says {text}" for text in said]
        page.close()
    return wrong


def _pointed_at(page: Page, number: int) -> list[str]:
    """A mouse over a picture is told the place; a click asks for it."""
    output = _cell(page, number)
    said, note = (output.locator(f".coursekit-{name}") for name in ("picker-said", "note"))
    before, frame = note.inner_html(), output.get_by_role("application")
    frame.scroll_into_view_if_needed()
    frame.hover(position={"x": 41, "y": 21})
    told = said.inner_text()
    frame.click(position={"x": 41, "y": 21})
    for _ in range(40):
        page.wait_for_timeout(250)
        if note.inner_html() != before:
            break
    else:
        return ["critical: widgets: a click into a picture changes nothing"]
    return [] if told == "row 10, column 20" else [f"critical: widgets: a mouse is told {told!r}"]


def _trained(page: Page, number: int) -> list[str]:
    """Start a run by its button, stop it and go on with it, all by keys."""
    output = _cell(page, number)
    note, cells = output.locator(".coursekit-note"), page.locator(".jp-Cell").count()
    reached = []
    try:
        for name, key in (("Start", "Enter"), ("Resume", "Space")):
            output.get_by_role("button", name=name, exact=True).press(key)
            for _ in range(4):  # it is told of epoch after epoch
                expect(note).not_to_have_text(note.text_content() or "", timeout=60_000)
            stop = output.get_by_role("button", name="Stop")
            stop.press(key)
            expect(note).to_contain_text("browser.safetensors keeps it", timeout=60_000)
            expect(stop).to_be_focused()
            reached.append(int(note.inner_text().split()[1]))
    except (TimeoutError, AssertionError) as error:
        return [f"critical: widgets: dashboard: {error}"]
    if not 0 < reached[0] < reached[1]:
        return [
            f"critical: widgets: dashboard: stopped after epoch {reached[0]}, then {reached[1]}"
        ]
    if page.locator(".jp-Cell").count() != cells:
        return ["critical: widgets: dashboard: a key reaches the notebook"]
    return []


def _looked_at(page: Page, theme: str, width: int, out: Path) -> list[str]:
    """What is wrong with how they look, in a theme and a width."""
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(2000)
    for number, name in enumerate(WIDGETS, 1):
        _cell(page, number).screenshot(path=f"{out}/{name}-{theme}-{width}.png")
    where = f"widgets {theme} {width}"
    cut = page.evaluate(_SCROLLED)
    wrong = [f"serious: {where}: is cut at the right: {text!r}" for text in cut]
    return wrong + faults(page, where, OURS)


def _cell(page: Page, number: int) -> Locator:
    """What a cell of the notebook shows."""
    cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")
    return cells.nth(number).locator(".jp-Cell-outputArea")


def _moved(page: Page, number: int, name: str) -> list[str]:
    """Move each control by its keys; each must change what is shown, and no cell."""
    output, wrong = _cell(page, number), []
    cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").count()
    for role, called, keys in WIDGETS[name][1]:
        try:
            control = output.get_by_role(role, name=called).first  # type: ignore[arg-type]
            before = output.evaluate(_STATE)
            control.press(keys, timeout=20_000)
            for _ in range(40):
                page.wait_for_timeout(250)
                if output.evaluate(_STATE) != before:
                    break
            else:
                wrong.append(f"critical: widgets: {name}: {called} changes nothing")
        except TimeoutError as error:
            wrong.append(f"critical: widgets: {name}: {called}: {error}")
    if page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").count() != cells:
        wrong.append(f"critical: widgets: {name}: a key reaches the notebook")
    return wrong
