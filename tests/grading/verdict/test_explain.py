"""What a public check said goes to the student without where things lie on the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import coursekit
from coursekit.grading.run.executor import Run
from coursekit.grading.verdict.explain import explain
from tests.grading import small_course

PACKAGE = Path(coursekit.__file__)


def test_messages_hold_no_folder_of_who_grades(tmp_path: Path) -> None:
    (assignment,) = small_course.assignments(small_course.make_course(tmp_path))
    places = f"{PACKAGE}, {sys.prefix}/lib, {Path.home() / 'secret'}"
    failed = {
        "output_type": "error",
        "ename": "ImportError",
        "evalue": f"no 'x' from 'y' ({places})",
    }
    run = Run({"middle": "failed"}, {}, tmp_path, outputs={"middle": [failed]})
    (said,) = explain(assignment, run, ["middle"])
    shown = "…/lib, …/secret" if len(Path.home().parts) > 1 else "…/lib"
    assert said.message.startswith("ImportError: no 'x' from 'y' (…/coursekit/__init__.py")
    assert shown in said.message


def test_who_grades_needs_no_home() -> None:
    code = (
        "import pathlib\n"
        "def home(*_): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = home\n"
        "import coursekit.grading.verdict.explain"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
