"""Where the repository can be reached, and what a lesson begins with when it is opened from there.

The one setting is `Repository` under `[project.urls]` of pyproject.toml. Nothing is guessed:
without it no button is made, neither in a lesson nor on the site.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from coursekit.lessons.regions import Cell

if TYPE_CHECKING:
    from pathlib import Path

COLAB, BINDER = "https://colab.research.google.com", "https://mybinder.org"

#: Runs where the course is not installed yet, so nothing of it is imported before.
_SET_UP = """\
# On your own machine this does nothing. In a hosted notebook it installs the course beside what is
# there: the place keeps its own torch.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("coursekit") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                    "coursekit @ git+{address}"], check=True)
    importlib.invalidate_caches()
    from coursekit.elsewhere import complete

    complete()"""


def repository(pyproject: Path) -> str:
    """The address `Repository` under `[project.urls]`, without a slash at its end; "" if none."""
    if not pyproject.is_file():
        return ""
    content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    urls = content.get("project", {}).get("urls", {})
    found = {name.lower(): url for name, url in urls.items()}.get("repository", "")
    return str(found).rstrip("/").removesuffix(".git")


def first_cells(address: str, name: str) -> list[Cell]:
    """What a student's notebook begins with: where it opens, and the cell that sets up there.

    Args:
        address: of the repository; "" gives no cells.
        name: of the lesson.
    """
    path, links = f"notebooks/{name}.ipynb", []
    host, _, owner = address.removeprefix("https://").partition("/")
    if host == "github.com":  # what Colab and Binder open by its name alone
        links = [f"[Colab]({COLAB}/github/{owner}/blob/main/{path})",
                 f"[Binder]({BINDER}/v2/gh/{owner}/main?urlpath=lab/tree/{path})"]  # fmt: skip
    if not address:
        return []
    text = f"Open this lesson in {' · '.join(links)}" if links else f"From {address}"
    set_up = Cell("set-up-elsewhere", "code", _SET_UP.format(address=address), 0,
                  tags=("nbval-ignore-output",))  # fmt: skip
    return [Cell("opens-in", "markdown", text, 0), set_up]
