"""What a made site must be: whole, light, in words too, without a network, with nothing hidden."""

from __future__ import annotations

import html
import os
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from coursekit.release.leaks import Secrets
from coursekit.release.reread import SourceCell, read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Bytes of a page with all that it loads, be it scrolled to or not.
MOST = 2_000_000

_LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src",
          "audio": "src", "embed": "src", "object": "data"}  # fmt: skip
_LINKED = {"stylesheet", "icon", "preload", "modulepreload", "shortcut", "manifest"}
_URL = re.compile(r"""(?:url\(|@import\s+)\s*["']?([^"')\s;]+)""")
#: A script that fetches something by an address of its own.
_FETCHES = re.compile(r"""(?:fetch|import|importScripts)\(\s*["'`](https?:)?//""")
#: How the instructors' page shows a hidden test.
_EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL)


@dataclass
class Page:
    """What a page names.

    Attributes:
        ids: places in it that a link can lead to.
        links: where its links lead.
        loads: what a browser loads with it.
        silent: pictures without words.
    """

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        page = self.page
        page.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            page.links.append(given["href"])
        if tag in _LOADS and _LOADS[tag] in given:
            page.loads.append(given[_LOADS[tag]])
        if tag == "link" and _LINKED & set(given.get("rel", "").split()):
            page.loads.append(given.get("href", ""))
        if tag == "img" and not given.get("alt", "").strip():
            page.silent.append(given.get("src", "")[:80])


def read_page(text: str) -> Page:
    """What a page's HTML names."""
    reader = _Reader()
    reader.feed(text)
    return reader.page


def complaints(folder: Path) -> Iterator[str]:
    """What is wrong with the pages of a site, a sentence each.

    Args:
        folder: with the made pages.
    """
    folder = folder.resolve()
    paths = sorted(folder.rglob("*.html"))
    pages = {path: read_page(path.read_text(encoding="utf-8")) for path in paths}
    weights = _Weights()
    for path, page in pages.items():
        where = path.relative_to(folder).as_posix()
        yield from (f"{where}: a picture without words: {source}" for source in page.silent)
        for target in page.links:
            if complaint := _broken(path, target, pages):
                yield f"{where}: {complaint}"
        loaded = {path: path.stat().st_size} | weights.of(path, page.loads)
        if (weight := sum(loaded.values())) > MOST:
            most = max(loaded, key=loaded.__getitem__).relative_to(folder).as_posix()
            yield (
                f"{where}: weighs {weight:,} bytes with what it loads, at most {MOST:,}; most are "
                f"of {most}: show fewer or smaller pictures"
            )
        yield from (f"{where}: {found}" for found in weights.outside(path, page.loads))
    for script in sorted(folder.rglob("*.js")):
        if _FETCHES.search(script.read_text(encoding="utf-8", errors="replace")):
            yield f"{script.relative_to(folder).as_posix()}: fetches something from the network"


def _broken(path: Path, target: str, pages: dict[Path, Page]) -> str:
    """What is wrong with a link; "" for nothing, and for one that leads out of the site."""
    split = urlsplit(target)
    if split.scheme or split.netloc:
        return ""
    there = _local(path, target) if split.path else path
    known = pages.get(there)
    if not known and not there.is_file():
        return f"a link leads to {target}, which is not there"
    place = unquote(split.fragment)
    if known and place and place not in known.ids:
        return f"a link leads to {target}, a page without this place"
    return ""


class _Weights:
    """What files weigh with what they load, each looked through once."""

    def __init__(self) -> None:
        self._inside: dict[Path, list[str]] = {}

    def of(self, path: Path, loads: Iterable[str]) -> dict[Path, int]:
        """Bytes of each file that a page loads."""
        return {file: file.stat().st_size for file in self._files(path, loads)}

    def outside(self, path: Path, loads: Iterable[str]) -> Iterator[str]:
        """What a page loads from a network, or what is missing."""
        files = {path: list(loads)}
        files |= {f: self._named(f) for f in self._files(path, files[path]) if f.suffix == ".css"}
        for file, names in files.items():
            for name in names:
                split = urlsplit(name)
                if split.netloc or split.scheme in ("http", "https"):
                    yield f"loads {name} from the network"
                elif split.path and not split.scheme and not _local(file, name).is_file():
                    yield f"loads {name}, which is not there"

    def _files(self, path: Path, loads: Iterable[str]) -> set[Path]:
        found: set[Path] = set()
        for name in loads:
            split = urlsplit(name)
            file = _local(path, name)
            if not split.scheme and not split.netloc and file.is_file() and file not in found:
                found.add(file)
                if file.suffix == ".css":
                    found |= self._files(file, self._named(file))
        return found

    def _named(self, file: Path) -> list[str]:
        if file not in self._inside:
            self._inside[file] = _URL.findall(file.read_text(encoding="utf-8"))
        return self._inside[file]


def _local(path: Path, name: str) -> Path:
    return Path(os.path.normpath(path.parent / unquote(urlsplit(name).path)))


def hidden_halves(notebooks: Path) -> Secrets:
    """What of the lessons' sources no page may hold: hidden tests. Solutions are shown.

    Args:
        notebooks: the folder with source/, and with INSTRUCTORS.md, whose examples are no secret.
    """
    cells = [c for path in sorted((notebooks / "source").glob("*.py")) for c in read_source(path)]
    regions = [region for cell in cells for region in cell.regions if region.hidden]
    shown = [
        replace(c, public=(*c.public, *(line for r in c.solutions for line in r.lines)))
        for c in cells
    ]
    page = notebooks / "INSTRUCTORS.md"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    examples = [SourceCell("", "code", tuple(hit.splitlines())) for hit in _EXAMPLE.findall(text)]
    return Secrets([*shown, *examples], regions)


def leaks(folder: Path, secrets: Secrets) -> Iterator[str]:
    """Where a made page shows something of a hidden test.

    Args:
        folder: with the made pages.
        secrets: from `hidden_halves`.
    """
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".html", ".js", ".txt"):
            continue
        where = path.relative_to(folder)
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".html":
            text = html.unescape(_UNSEEN.sub("", text))
        # The package's own documentation may hold a short line by chance.
        lesson = where.parts[0] == "notebooks"
        for complaint in secrets.find(text, library=not lesson):
            yield f"{where.as_posix()}: {complaint}"
