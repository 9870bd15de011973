"""The competition: make a submission, check it, score it.

Nothing here imports torch until a submission is made, so that zips are checked and scored by the
hundred on a machine that has none. Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_ATTRIBUTES = {
    "CODABENCH": "formats",
    "FLAT": "formats",
    "FORMATS": "formats",
    "MASK_SIZE": "formats",
    "Problem": "problems",
    "Scores": "scoring",
    "Submission": "submission",
    "is_valid": "problems",
    "score": "scoring",
    "submit": "submission",
    "validate": "validation",
}


def __getattr__(name: str) -> Any:
    if name in _ATTRIBUTES:
        return getattr(import_module(f"{__name__}.{_ATTRIBUTES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_ATTRIBUTES)
