"""Shared set-up of the tests."""

from __future__ import annotations

import gc
import os

# Shapes in signatures are checked while the tests run, and cost nothing otherwise.
from jaxtyping import install_import_hook

install_import_hook(
    ["coursekit.losses", "coursekit.metrics", "coursekit.models"], "beartype.beartype"
)

from hypothesis import settings  # noqa: E402

from coursekit.lessons.execution import ONE_THREAD  # noqa: E402
from coursekit.lessons.notebook import without_url_grammar  # noqa: E402
from tests.scheduling import (  # noqa: E402, F401
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
)

# The tests share the cores, one process for each or more. Subprocesses of a test inherit it.
os.environ.update(ONE_THREAD)
os.environ.pop("VIRTUAL_ENV", None)  # another active environment: IPython warns of it
without_url_grammar()
settings.register_profile("course", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("course")


def pytest_collection() -> None:
    """What is imported stays: looking through it for garbage, time and again, finds none."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """At its end Python looks through everything once, and libraries tell of what is left then."""
    gc.unfreeze()
