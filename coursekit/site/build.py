"""The whole way: sources, Sphinx, and a look through what it made."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.files import atomic_folder
from coursekit.site.made import complaints, hidden_halves, leaks
from coursekit.site.sources import EXTRA, SCORER, prepare
from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN = 20  # complaints at most


@dataclass(frozen=True)
class Made:
    """A site.

    Attributes:
        index: its first page.
        pages: how many there are.
        pictures: how many the lessons show.
    """

    index: Path
    pages: int
    pictures: int


def build_site(
    root: str | Path, out: str | Path, *, jobs: int = 2, say: Callable[[str], None] = print
) -> Made:
    """Make the site of a course.

    Args:
        root: the course's folder, with notebooks/.
        out: where the site goes; what is there is replaced once all is made.
        jobs: processes of Sphinx.
        say: is told what is being done.

    Raises:
        CourseError: for a course that is not in order, a warning of Sphinx (a broken link is one),
            and for a page that is too heavy, needs a network, lacks words or tells a hidden test.
    """
    root, out = Path(root).resolve(), Path(out).resolve()
    if not importlib.util.find_spec("myst_nb"):
        raise CourseError("Sphinx is not installed here; run `make site`, which brings it")
    with temporary_folder() as folder:
        say("site 1/3: lessons, documents, pictures")
        sources = folder / "sources"
        sources.mkdir()
        prepared = prepare(root, sources)
        with atomic_folder(out) as new:
            say(f"site 2/3: {len(prepared.pages)} pages, by Sphinx")
            _sphinx(root, sources, folder / "read", new, jobs)
            say("site 3/3: links, weights, words, nothing hidden, nothing from the network")
            if wrong := [*complaints(new), *leaks(new, hidden_halves(root / "notebooks"))]:
                raise CourseError(_listed(wrong))
    return Made(out / "index.html", len(prepared.pages), prepared.pictures)


def _sphinx(root: Path, sources: Path, read: Path, out: Path, jobs: int) -> None:
    call = [
        sys.executable, "-m", "sphinx", "--builder", "html", "--quiet", "--nitpicky",
        "--fail-on-warning", "--jobs", str(jobs), "--conf-dir", str(Path(__file__).parent),
        "--doctree-dir", str(read), "--define", f"html_extra_path={sources / EXTRA}",
        "--define", f"html_search_scorer={sources / SCORER}",
        str(sources), str(out),
    ]  # fmt: skip
    done = subprocess.run(call, cwd=root, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        said = (done.stderr + done.stdout).replace(f"{sources}{os.sep}", "")
        raise CourseError(_listed(said.strip().splitlines()))


def _listed(lines: list[str]) -> str:
    more = [f"… and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join(["the site is not in order:", *lines[:_SHOWN], *more])
