"""The course where it was not set up: a hosted notebook that has its own torch and its own kernel.

The first cell of a lesson installs this package alone and calls `complete`, which adds what lessons
import and the place lacks. What is there stays as it is: another torch would not fit the place's
GPU, another ipykernel not the kernel that runs this. Nothing but the standard library is imported
until it is needed.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What commands need and no lesson imports, and the notebook's own kernel.
_NOT_FOR_LESSONS = {
    "jupyterlab", "jupytext", "nbclient", "nbval", "pytest", "shtab", "tornado", "ipython",
    "ipykernel", "jupyter-client", "pyzmq", "traitlets",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        install: requirements of what is missing.
        keep: what is there, each with its version, as pip's constraints have it.
        older: what is there in a version that the course has not been tried with, in words.
    """

    install: tuple[str, ...]
    keep: tuple[str, ...]
    older: tuple[str, ...]


def plan(requires: Iterable[str], installed: Mapping[str, str]) -> Plan:
    """What a place lacks for the lessons.

    Args:
        requires: requirements of the course, those of its extras among them.
        installed: versions of what is there, by names as distributions give them.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    here = {canonicalize_name(name): version for name, version in installed.items()}
    install, older = [], []
    for requirement in map(Requirement, requires):
        name = canonicalize_name(requirement.name)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if not wanted or name in _NOT_FOR_LESSONS:
            continue
        # Each build of OpenCV brings the same module; two of them break each other.
        stands_in = name.startswith("opencv-python") and any(n.startswith("opencv-") for n in here)
        if name not in here and not stands_in:
            install.append(f"{requirement.name}{requirement.specifier}")
        elif name in here and not requirement.specifier.contains(here[name], prereleases=True):
            older.append(f"{name} {here[name]} ({requirement.specifier})")
    keep = sorted(f"{name}=={version}" for name, version in here.items() if name != "coursekit")
    return Plan(tuple(install), tuple(keep), tuple(older))


def complete() -> None:
    """Install what lessons need and is missing here, and say what is older than the course asks.

    Raises:
        CourseError: where pip finds nothing that fits what is here.
    """
    found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    todo = plan(metadata.requires("coursekit") or (), found)
    if todo.install:
        print("installing", ", ".join(todo.install), "beside what is here …", flush=True)
        with temporary_folder() as folder:
            kept = folder / "keep.txt"
            kept.write_text("\n".join(todo.keep), encoding="utf-8")
            call = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(kept)]
            environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
            done = subprocess.run([*call, *todo.install], env=environment)
        if done.returncode:
            raise CourseError(
                "pip finds no versions that fit what is installed here; set the course up on your "
                "own machine with `make lab`, or in a fresh environment"
            )
        importlib.invalidate_caches()
    for line in todo.older:
        print(f"older than the course was tried with, and left as it is: {line}")
