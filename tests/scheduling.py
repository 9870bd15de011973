"""Which process runs which tests: a file's tests share their fixtures, the dearest begin first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer

#: Files of long tests that share nothing: each test goes to whoever is free.
SPREAD = ("tests/course/test_full_tier.py",)

#: Files that take long, the longest first: late in the run one of them would keep a core waiting.
#: What tries the answers of all lessons stays in one process, which loads torch once.
LONG = (
    "tests/course/test_answers.py", *SPREAD, "tests/lessons/test_lessons.py",
    "tests/grading/sandbox/test_sandbox.py", "tests/grading/test_batch.py",
    "tests/training/test_loop.py", "tests/release/test_release.py",
    "tests/mutation/test_report.py", "tests/codabench/test_submission.py",
    "tests/grading/test_corpus.py", "tests/benchmarks/test_gpu.py",
    "tests/grading/test_selfcheck.py", "tests/models/test_abn.py", "tests/lessons/test_replay.py",
    "tests/grading/report/test_pages.py", "tests/grading/report/test_similarity.py",
    "tests/test_prediction.py", "tests/training/test_multi_task.py",
)  # fmt: skip


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
    rank = {file: place for place, file in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(LONG)))
