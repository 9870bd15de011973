"""Which process runs which tests: a file's tests share their fixtures, the dearest begin first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer

#: Files of long tests that share nothing: each test goes to whoever is free.
SPREAD = ("tests/lessons/test_lessons.py", "tests/lessons/test_full_tier.py")


class Scheduling(LoadFileScheduling):
    """Hands out whole files, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return nodeid if file in SPREAD else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Take the place of `--dist`."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is dear begins first, or the others would wait for it in the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(SPREAD))
