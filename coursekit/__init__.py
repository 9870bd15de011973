"""coursekit: the shared models, losses, data and tools of a course in face parsing.

Names are loaded when they are first used, so that `import coursekit` stays quick and a command
that needs no network (checking a zip, grading) never pays for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ATTRIBUTES = {
    "create_model": "coursekit.models",
    "count_parameters": "coursekit.models",
    "MODEL_NAMES": "coursekit.models",
}
_SUBMODULES = (
    "annotation", "codabench", "complexity", "data", "labels", "losses", "metrics", "models",
    "optim", "plots", "synthfaces", "training", "widgets",
)  # fmt: skip

__all__ = ["__version__", *_ATTRIBUTES, *_SUBMODULES]  # noqa: PLE0604 (they are strings)


def __getattr__(name: str) -> Any:
    if name in _ATTRIBUTES:
        return getattr(import_module(_ATTRIBUTES[name]), name)
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
