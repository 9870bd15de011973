"""A file's fixtures are made once, in whichever process; files that are spread really are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.scheduling import LONG, SPREAD, pytest_collection_modifyitems

REPOSITORY = Path(__file__).parents[1]
TESTS = """
import os
import pathlib
import pytest

@pytest.fixture(scope="module")
def process(request):
    with pathlib.Path(request.config.rootpath, "made").open("a") as file:
        file.write(f"{request.path.name} {os.environ['PYTEST_XDIST_WORKER']} ")

@pytest.mark.parametrize("number", range(8))
def test_something(process, number): pass
"""


def test_a_file_is_one_process_s(tmp_path: Path) -> None:
    spread = tmp_path / SPREAD[0]
    spread.parent.mkdir(parents=True)
    for path in (tmp_path / "test_a.py", tmp_path / "test_b.py", spread):
        path.write_text(TESTS)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "xdist.plugin", "-p",
         "tests.scheduling", "--rootdir", tmp_path, tmp_path],
        cwd=REPOSITORY, check=True, capture_output=True,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # each would load them all
    )  # fmt: skip
    made = (tmp_path / "made").read_text().split()
    assert made[0] == spread.name
    counts = {name: made.count(name) for name in ("test_a.py", "test_b.py", spread.name)}
    assert counts == {"test_a.py": 1, "test_b.py": 1, spread.name: 2}


def test_the_dearest_begin_first() -> None:
    order = ["tests/test_a.py", LONG[2], "tests/z/test_b.py", LONG[1], LONG[0]]
    items: list[Any] = [SimpleNamespace(nodeid=f"{file}::test_it[a]") for file in order]
    pytest_collection_modifyitems(items)
    first = [LONG[0], LONG[1], LONG[2], "tests/test_a.py", "tests/z/test_b.py"]
    assert [item.nodeid.partition("::")[0] for item in items] == first


def test_what_is_dear_is_there() -> None:
    assert all((REPOSITORY / name).is_file() for name in LONG)
