"""How nbval replays the solved notebooks: on the quick tier, and deaf to stderr.

Warnings and progress bars on stderr are not kept in a solved notebook, so they are not compared.
"""

from __future__ import annotations

import os
import tempfile

import pytest

from coursekit.grading.execution import quick_environment


def pytest_configure(config: pytest.Config) -> None:
    """Give the kernels that nbval starts the environment of a build."""
    scratch = tempfile.TemporaryDirectory(prefix="coursekit-", ignore_cleanup_errors=True)
    config.add_cleanup(scratch.cleanup)
    environment = quick_environment(scratch.name)
    os.environ.clear()
    os.environ.update(environment)
    if config.option.nbval_kernel_name is None:
        config.option.nbval_current_env = True  # not whichever "python3" the user has installed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave stderr out of the comparison."""
    for notebook in {item.parent for item in items if hasattr(item.parent, "skip_compare")}:
        if "stderr" not in notebook.skip_compare:
            notebook.skip_compare = (*notebook.skip_compare, "stderr")
