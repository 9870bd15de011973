"""How nbval replays the solved notebooks: on the quick tier, deaf to stderr, blind to widgets.

A build keeps no warnings and progress bars in a solved notebook, so they are not compared; nor are
pictures and their words, which tell the same numbers.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coursekit.lessons import warm
from coursekit.lessons.execution import quick_environment
from coursekit.lessons.outputs import compared

if TYPE_CHECKING:
    from collections.abc import Callable


def pytest_configure(config: pytest.Config) -> None:
    """Give the kernels that nbval starts the environment of a build."""
    scratch = tempfile.TemporaryDirectory(prefix="coursekit-", ignore_cleanup_errors=True)
    config.add_cleanup(scratch.cleanup)
    drafts = Path(scratch.name) / "matplotlibrc"  # coarse: nobody compares the pixels
    drafts.write_text("figure.dpi: 16\n", encoding="utf-8")
    environment = {**quick_environment(scratch.name), "MATPLOTLIBRC": str(drafts)}
    os.environ.clear()
    os.environ.update(environment)
    if config.option.nbval_kernel_name is None:  # not whichever "python3" the user has installed
        if warm.is_possible():
            warm.write_kernel_spec(Path(scratch.name))
            os.environ["JUPYTER_PATH"] = scratch.name
            config.option.nbval_kernel_name = warm.KERNEL_NAME
        else:
            config.option.nbval_current_env = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Compare what a build keeps; the shortest lessons come last, so that no core waits long."""
    record = Path(__file__).with_name("measured.json")
    known = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    items.sort(key=lambda item: -known.get(item.path.stem, {"seconds": 0})["seconds"])
    for item in items:
        if hasattr(item, "compare_outputs"):
            item.compare_outputs = partial(_compare, item.compare_outputs)


def _compare(compare: Callable[..., bool], test: list[Any], reference: list[Any]) -> bool:
    return compare(compared(test), compared(reference))
