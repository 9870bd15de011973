"""A real browser: pages in both themes, wide and narrow and on paper, and what axe-core says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

THEMES = ("light", "dark")
#: Of a laptop's window, and of a telephone.
WIDTHS = (1200, 390)
#: What axe-core calls a fault that shuts people out.
GRAVE = ("serious", "critical")
#: Pixels of a picture of a page: Chromium gives up on longer ones.
_LONGEST = 16_000
_WIDER = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"

_OPEN = "document.querySelectorAll('article details').forEach(folded => { folded.open = true; })"
_TALL = "document.scrollingElement.scrollHeight"


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium: the machine's own, or the one that `playwright install chromium` brought."""
    here = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=here, args=["--no-sandbox"])
        yield started
        started.close()


def faults(
    page: Page, where: str, inside: str | None = None, outside: str | None = None
) -> list[str]:
    """What axe-core finds in a page, the grave first in each line.

    Args:
        page: as it is shown now.
        where: what to call it.
        inside: a selector of the parts that are looked at; None for the whole page.
        outside: of what in them is not.
    """
    parts = {"include": inside, "exclude": outside}
    context = {name: [[selector]] for name, selector in parts.items() if selector}
    found = Axe().run(page, context or None).response["violations"]
    return [
        f"{rule['impact']}: {where}: {rule['id']} ({len(rule['nodes'])}): {rule['help']}: "
        f"{rule['nodes'][0]['html'][:160]}"
        for rule in found
    ]


def look(chromium: Browser, address: str, out: Path) -> list[str]:
    """Look at a page in both themes and widths and on paper.

    Args:
        chromium: from `browser`.
        address: of the page.
        out: where pictures go; their names begin with its name.

    Returns:
        What is wrong with it.
    """
    wrong: list[str] = []
    for theme in THEMES:
        for width in WIDTHS:
            # A colour that is on its way to another theme's is no fault of the page.
            options: dict[str, Any] = {
                "color_scheme": theme, "bypass_csp": True, "reduced_motion": "reduce",
            }  # fmt: skip
            scale = 2 if width == min(WIDTHS) else 1
            page = chromium.new_page(
                viewport={"width": width, "height": 900}, device_scale_factor=scale, **options
            )
            said: list[ConsoleMessage] = []
            page.on("console", lambda message, said=said: said.append(message))
            page.goto(address)
            where = f"{out.name} {theme} {width}"
            wrong += [f"critical: {where}: the console says {message.text}" for message in said
                      if message.type in ("error", "warning")]  # fmt: skip
            if (wider := page.evaluate(_WIDER)) > 0:
                wrong.append(f"serious: {where}: {wider} px wider than the window")
            wrong += faults(page, where)
            tall = min(page.evaluate(_TALL), _LONGEST // scale)
            page.screenshot(path=f"{out}-{theme}-{width}.png", full_page=True,
                            clip={"x": 0, "y": 0, "width": width, "height": tall})  # fmt: skip
            if theme == "dark" and width == max(WIDTHS):
                page.pdf(path=f"{out}.pdf", format="A4")
            page.close()
    return wrong


def too_wide(chromium: Browser, folder: Path) -> list[str]:
    """The pages below a folder that are wider than a telephone, all that is folded opened."""
    wrong: list[str] = []
    page = chromium.new_page(viewport={"width": min(WIDTHS), "height": 900})
    for path in sorted(folder.rglob("*.html")):
        page.goto(path.resolve().as_uri())
        page.evaluate(_OPEN)
        if (wider := page.evaluate(_WIDER)) > 0:
            wrong.append(f"serious: {path.relative_to(folder)}: {wider} px wider than a telephone")
    page.close()
    return wrong
