"""Where the repository can be reached, as pyproject.toml says; nothing is guessed."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_COLAB, _BINDER = "https://colab.research.google.com", "https://mybinder.org"


def repository(pyproject: Path) -> str:
    """The address `Repository` under `[project.urls]`, without a slash at its end; "" if none."""
    if not pyproject.is_file():
        return ""
    content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    urls = content.get("project", {}).get("urls", {})
    found = {name.lower(): url for name, url in urls.items()}.get("repository", "")
    return str(found).rstrip("/").removesuffix(".git")


def files_address(pyproject: Path) -> str:
    """The address of the repository's files, to which a path is added; "" if none."""
    address = repository(pyproject)
    return f"{address}/blob/main" if address else ""


def theme_options(pyproject: Path) -> dict[str, Any]:
    """What the theme is told of the repository: buttons that open a lesson, and its source."""
    address = repository(pyproject)
    if not address:
        return {}
    # Colab reads GitHub alone; Binder other hosts, too.
    opens = {"colab_url": _COLAB} if "//github.com/" in address else {}
    return {
        "repository_url": address,
        "repository_branch": "main",
        "use_repository_button": True,
        "launch_buttons": {**opens, "binderhub_url": _BINDER},
    }
