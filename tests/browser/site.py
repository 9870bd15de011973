"""The site as its readers use it: what a search finds first, pictures on a telephone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote_plus

from playwright.sync_api import Browser

from tests.browser.chromium import WIDTHS

#: What is looked for, and the page that ought to come first.
_FIRST = {
    "IoU": "02_unet", "U-Net": "02_unet", "receptive field": "14_capstone",
    "whitening": "01_data", "class weights": "01_data", "dilation": "03_deeplabv3plus",
    "label maps": "00_welcome", "distillation": "11_self_regulation", "Losses": "06_losses",
}  # fmt: skip
_FOUND = "#search-results ul.search li a"
#: Pictures whose letters are made smaller than they can be read, or that cannot be scrolled to.
_SMALL = """[...document.querySelectorAll('.cell_output img')].filter(picture => {
    const around = picture.closest('.output'), shown = picture.getBoundingClientRect().width;
    const wide = shown > around.clientWidth;
    return shown < Math.min(0.75 * picture.getAttribute('width'), 600)
        || wide && (getComputedStyle(around).overflowX !== 'auto' || around.tabIndex !== 0);
}).map(picture => picture.id)"""

#: What a check says, where a telephone shows no more than its beginning.
_CUT = """[...document.querySelectorAll('.tag_check .output.stream pre')].filter(said =>
    said.scrollWidth > said.clientWidth + 1).map(said => said.innerText.slice(0, 40))"""


def look_at_site(chromium: Browser, folder: Path) -> list[str]:
    """What is wrong with a search on the site, and with the lessons' pictures on a telephone.

    Args:
        chromium: from `browser`.
        folder: of the site.
    """
    wrong: list[str] = []
    page = chromium.new_page(viewport={"width": min(WIDTHS), "height": 900})
    for asked, lesson in _FIRST.items():
        page.goto(f"{(folder / 'search.html').resolve().as_uri()}?q={quote_plus(asked)}")
        # Told when all results are there.
        page.wait_for_function("document.querySelectorAll('ul.search li').length > 3")
        first = page.locator(_FOUND).first.get_attribute("href") or ""
        if Path(first.partition("?")[0].partition("#")[0]).stem != lesson:
            wrong.append(f"serious: site: a search for {asked!r} finds {first} before {lesson}")
    for path in sorted((folder / "notebooks").glob("[0-9]*.html")):
        page.goto(path.resolve().as_uri())
        page.wait_for_timeout(1000)  # the theme makes what scrolls reachable by keys after a while
        wrong += [f"serious: {path.stem}: {name} is too small to read on a telephone"
                  for name in page.evaluate(_SMALL)]  # fmt: skip
        wrong += [f"serious: {path.stem}: a telephone cuts {said!r}"
                  for said in page.evaluate(_CUT)]  # fmt: skip
    page.close()
    return wrong
