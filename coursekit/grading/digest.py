"""What a grade depends on, as a text that changes with it: equal digests need no grading again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coursekit

if TYPE_CHECKING:
    from coursekit.grading.records import HandedIn
    from coursekit.lessons.course import Assignment

PACKAGE = Path(coursekit.__file__).parent
#: Files and folders of the package that no grade depends on. All others are taken to decide: what
#: grading runs in its own process, and what a student's kernel may import.
APART = (
    "__main__.py", "cli.py", "commands", "demo", "mutation", "release",
    "grading/batch.py", "grading/cluster.py", "grading/report", "grading/selfcheck.py",
    "grading/store.py", "grading/withdrawn.py",
)  # fmt: skip


#: What computes a student's numbers, and what runs their cells.
LIBRARIES = ("numpy", "torch", "opencv-python-headless", "nbval", "ipykernel")


def of_sources() -> str:
    """Of the package's code, as far as a grade may depend on it, and of the libraries below it."""
    return _hashed(PACKAGE)


def _versions() -> str:
    found = [platform.python_version()]
    for name in LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):  # conda calls some otherwise
            found.append(f"{name} {metadata.version(name)}")
    return " ".join(found)


@lru_cache
def _hashed(package: Path) -> str:
    digest = hashlib.sha256(_versions().encode())
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not f"{name}/".startswith(tuple(f"{apart}/" for apart in APART)):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()


def of_assignment(assignment: Assignment, secret: str) -> str:
    """Of what is asked."""
    return _of(
        assignment.name, repr(assignment.lesson.cells), sorted(assignment.points.items()),
        [e.name for e in assignment.exercises], assignment.given,
        hashlib.sha256(secret.encode()).hexdigest(),
    )  # fmt: skip


def of_submission(submission: HandedIn, *rest: str) -> str:
    """Of what was handed in, and of all the rest, in 32 hexadecimal digits."""
    content = hashlib.sha256(submission.content or b"").hexdigest()
    parts = (submission.student, submission.name, submission.problem, submission.notes, content)
    return _of(*parts, *rest)[:32]


def _of(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
