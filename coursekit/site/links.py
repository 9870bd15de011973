"""Links of Markdown files in the repository, aimed at the site's pages."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Code first: what looks like a link in it is none.
_LINK = re.compile(
    r"(?P<code>^(?P<fence>```+|~~~+).*?^(?P=fence)|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<picture>!?)\[(?P<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?P<target>[^()\s]+)\)",
    re.DOTALL | re.MULTILINE,
)
_ELSEWHERE = re.compile(r"[a-z]+:|#")


@dataclass
class Places:
    """Where things of the repository are found on the site.

    Attributes:
        root: of the repository.
        pages: the file of a page's source on the site, by the path of its file in the repository.
        modules: documented modules, by their paths.
        repository: the address of the repository's files, to which a path is added; "" for none.
        pictures: paths of pictures that pages show; filled by `aimed`.
    """

    root: Path
    pages: Mapping[str, str]
    modules: Mapping[str, str] = field(default_factory=dict)
    repository: str = ""
    pictures: set[str] = field(default_factory=set)

    def aimed(self, text: str, path: str) -> str:
        """A Markdown text whose links lead to pages.

        What the site has no page of is linked to the repository, or, where that has no address,
        named without a link.

        Args:
            text: of a file, or of a cell of a notebook.
            path: of the file in the repository, from where its links start.

        Raises:
            CourseError: for a link to a file that is not there.
        """
        return _LINK.sub(lambda hit: hit[0] if hit["code"] else self._link(hit, path), text)

    def _link(self, hit: re.Match[str], path: str) -> str:
        target, hash_, part = hit["target"].partition("#")
        if _ELSEWHERE.match(hit["target"]):
            return hit[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if not (self.root / there).exists():
            raise CourseError(
                f"{path}: links to {hit['target']}, which is not there; mend the link"
            )
        home = posixpath.dirname(self.pages.get(path, path))
        if hit["picture"]:
            self.pictures.add(there)
            return f"![{hit['text']}]({posixpath.relpath(there, home or '.')})"
        if there in self.pages:
            way = posixpath.relpath(self.pages[there], home or ".")
            return f"[{hit['text']}]({way}{hash_}{part})"
        if there in self.modules:
            return f"{{py:mod}}`{hit['text'].replace('`', '')} <{self.modules[there]}>`"
        return f"[{hit['text']}]({self.repository}/{there})" if self.repository else hit["text"]
