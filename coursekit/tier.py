"""Which sizes a lesson runs with: made-up faces on a laptop, or the paper's on a GPU.

A lesson begins with a table of its sizes, each on the quick and on the full tier,

    TIER, DATA, SIZES = tier.choose(
        train=(200, 5000),
        size=(48, 512),
        epochs=(12, 120),
    )

and three environment variables choose, all of them optional:

- `COURSEKIT_TIER`: "quick" (the default) or "full".
- `COURSEKIT_DATA`: a folder of real data; without it, faces are drawn.
- `COURSEKIT_SIZES`: sizes to replace, as JSON such as `{"train": 4, "epochs": 1}`, so that the full
  tier can be tried before it costs hours.
"""

from __future__ import annotations

import difflib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TIERS = ("quick", "full")


def choose(**sizes: tuple[Any, Any]) -> tuple[str, Path | None, dict[str, Any]]:
    """The tier, the folder of real data and the sizes that a lesson runs with.

    Args:
        sizes: each size on the quick and on the full tier: numbers, texts, or tuples of them.

    Returns:
        "quick" or "full"; the folder of the data, or None where faces are drawn; the sizes by name.

    Raises:
        CourseError: when an environment variable names no tier, no folder or no size.
    """
    name = os.environ.get("COURSEKIT_TIER") or TIERS[0]
    if name not in TIERS:
        raise CourseError(f"COURSEKIT_TIER={name}: {_near(name, TIERS)}")
    chosen = {key: pair[TIERS.index(name)] for key, pair in sizes.items()}
    return name, data_folder(), chosen | _replaced(chosen)


def data_folder() -> Path | None:
    """The folder of real data that `COURSEKIT_DATA` names, or None where it names none.

    Raises:
        CourseError: when there is no such folder.
    """
    name = os.environ.get("COURSEKIT_DATA")
    if not name:
        return None
    folder = Path(name).expanduser()
    if not os.path.isdir(folder):  # noqa: PTH112  False, too, for a name that is too long
        near = difflib.get_close_matches(folder.name, _folders_in(folder.parent), 1)
        hint = f"did you mean {folder.parent / near[0]}? " if near else ""
        where = "" if folder.is_absolute() else f" in {Path.cwd()}"
        raise CourseError(
            f"COURSEKIT_DATA={name}: there is no such folder{where}; {hint}give the whole path of "
            "the data, or leave the variable out and faces are drawn"
        )
    return folder


def _replaced(sizes: Mapping[str, Any]) -> dict[str, Any]:
    """What `COURSEKIT_SIZES` puts in the place of these sizes."""
    text = os.environ.get("COURSEKIT_SIZES")
    if not text:
        return {}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise CourseError(
            f'COURSEKIT_SIZES={text}: write sizes as JSON, such as \'{{"train": 4, "epochs": 1}}\''
        )
    return {name: _like(sizes, name, value) for name, value in given.items()}


def _like(sizes: Mapping[str, Any], name: str, value: Any) -> Any:
    """A value of `COURSEKIT_SIZES` as the size that it replaces is written."""
    if name not in sizes:
        raise CourseError(f"COURSEKIT_SIZES: {name}: {_near(name, sizes)}")
    old = sizes[name]
    if isinstance(old, tuple) and isinstance(value, list):
        value = tuple(value)
    elif isinstance(old, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(old):
        raise CourseError(
            f"COURSEKIT_SIZES: {name}: is {json.dumps(value)} and takes the place of "
            f"{json.dumps(old)}; give the same kind of value"
        )
    numbers = [
        v for v in (value if isinstance(value, tuple) else (value,)) if not isinstance(v, str)
    ]
    if not all(isinstance(v, (int, float)) and 0 < v < math.inf for v in numbers):
        raise CourseError(f"COURSEKIT_SIZES: {name}: is {json.dumps(value)}; give sizes above 0")
    return value


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name.lower(), known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}there are: {', '.join(known)}"


def _folders_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []
