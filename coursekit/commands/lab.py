"""`coursekit lab`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.commands import command
from coursekit.errors import CourseError

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers, "lab", "open the lessons in JupyterLab", "coursekit lab --port 8889", run
    )
    parser.add_argument("--notebooks", default="notebooks", metavar="DIR")
    parser.add_argument("--port", type=int, default=8888, metavar="N")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(arguments: argparse.Namespace) -> int:
    """Start JupyterLab and wait for it."""
    folder = Path(arguments.notebooks)
    if not folder.is_dir():
        raise CourseError(
            f"{folder}: there is no such folder; go to the course's folder or name --notebooks"
        )
    environment = dict(os.environ)
    if data := environment.get("COURSEKIT_DATA"):
        # A kernel starts in its notebook's folder, where a relative path would mean another place.
        environment["COURSEKIT_DATA"] = str(Path(data).resolve())
    call = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}",
            f"--port={arguments.port}"]  # fmt: skip
    if arguments.no_browser:
        call.append("--no-browser")
    return subprocess.call(call, env=environment)
