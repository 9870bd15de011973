"""What the site says of the repository's address, where it has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.lessons.addresses import BINDER, COLAB, repository

if TYPE_CHECKING:
    from pathlib import Path


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
    opens = {"colab_url": COLAB} if "//github.com/" in address else {}
    return {
        "repository_url": address,
        "repository_branch": "main",
        "use_repository_button": True,
        "launch_buttons": {**opens, "binderhub_url": BINDER},
    }
