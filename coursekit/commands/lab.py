"""`coursekit lab`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from coursekit.commands import command
from coursekit.errors import CourseError
from coursekit.files import home_folder, why_refused
from coursekit.temporary import TemporaryFolder

if TYPE_CHECKING:
    import argparse

#: What a student need not see beside the lessons; `--all` shows it.
_NOT_FOR_STUDENTS = (
    "solved", "source", "conftest.py", "INSTRUCTORS.md", "course.toml", "lessons.toml",
    "measured.json", "SYLLABUS.md", "tests", "benchmarks",
    "Makefile", "pyproject.toml", "uv.lock", "environment.yml", "CHANGELOG.md", "CONTRIBUTING.md",
    "LICENSE", "released-by-coursekit.json", "__pycache__", "*.pyc", "docs", "Dockerfile",
)  # fmt: skip

#: What names the folders that Jupyter, IPython and Matplotlib have in a home.
_IN_HOME = (
    "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR",
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "lab",
        "open the lessons in JupyterLab",
        "coursekit lab notebooks/02_unet.ipynb\n"
        "  coursekit lab --no-browser --ip 0.0.0.0          # in a container",
        run,
        "Open the lessons in JupyterLab, the first one or the one that is named. In its terminal, "
        "and after ! in a cell, `coursekit` is this one. Options that are not listed here are "
        "JupyterLab's (`jupyter lab --help`).",
    )
    parser.allow_abbrev = False  # a shortened option would be taken from JupyterLab
    parser.set_defaults(passes_on=True)
    parser.add_argument("--notebooks", default="notebooks", metavar="DIR",
                        help="the folder with the lessons")  # fmt: skip
    parser.add_argument("--all", action="store_true",
                        help="list also solutions, sources, tests and settings")  # fmt: skip
    parser.add_argument("--port", type=int, default=8888, metavar="N",
                        help="of the page; the next free one if it is taken")  # fmt: skip
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(arguments: argparse.Namespace) -> int:
    """Become JupyterLab."""
    folder = Path(arguments.notebooks)
    if not folder.is_dir():
        raise CourseError(
            f"{folder}: there is no such folder; go to the course's folder or name --notebooks"
        )
    call = server_call(arguments, folder.resolve())
    print(f"The lessons in {folder}: `coursekit` works in JupyterLab's terminal, too, and after ! "
          "in a cell.\nCtrl-C twice ends it.", flush=True)  # fmt: skip
    if os.name == "nt":
        return subprocess.call(call, env=server_environment())
    # In place of this process: Ctrl-C and what ends a container reach JupyterLab itself.
    return os.execve(call[0], call, server_environment())  # noqa: S606


def server_call(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """The command that starts JupyterLab.

    Args:
        arguments: of `coursekit lab`; what is JupyterLab's own in `rest`.
        folder: with the lessons, absolute. Where it lies in the course's folder, that is the root,
            so that README.md and the data are in reach.
    """
    root = folder.parent if (folder.parent / "pyproject.toml").is_file() else folder
    named = [Path(word).resolve() for word in arguments.rest if word.endswith(".ipynb")]
    for path in named:
        if not path.is_relative_to(root) or not path.is_file():
            raise CourseError(f"{path}: is no notebook in {root}; name one that is")
    first = (named or sorted(folder.glob("*.ipynb")) or [folder])[0]
    page = "/lab/tree/" + quote(first.relative_to(root).as_posix())
    call = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url={page}", f"--port={arguments.port}",
    ]  # fmt: skip
    if not arguments.all:
        call += [f"--ContentsManager.hide_globs={name}" for name in _NOT_FOR_STUDENTS]
    if os.name != "nt":
        # Not a login shell, which begins with a PATH of its own.
        shell = os.environ.get("SHELL") or shutil.which("bash") or "/bin/sh"
        call.append(f"--ServerApp.terminado_settings=shell_command={[shell]}")
        if os.geteuid() == 0:
            call.append("--allow-root")
    if arguments.no_browser:
        call.append("--no-browser")
    if arguments.quiet:
        call.append("--log-level=ERROR")
    return call + [word for word in arguments.rest if word != "--" and not word.endswith(".ipynb")]


def server_environment() -> dict[str, str]:
    """What JupyterLab, its kernels and its terminals find in their environment."""
    environment = dict(os.environ)
    if data := environment.get("COURSEKIT_DATA"):
        # A kernel starts in its notebook's folder, where a relative path would mean another place.
        environment["COURSEKIT_DATA"] = str(Path(data).resolve())
    here = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent))
    path = environment.get("PATH", os.defpath)
    environment["PATH"] = os.pathsep.join(dict.fromkeys((*here, *path.split(os.pathsep))))
    # No question about news and no look for updates, unless the user's own settings ask for them.
    settings = (str(Path(__file__).with_name("jupyter")), environment.get("JUPYTER_CONFIG_PATH"))
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, settings))
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"  # this environment's kernel, not the user's
    if refused := why_refused(home_folder()):
        place = TemporaryFolder().hand_over()  # to JupyterLab
        environment |= {name: f"{place}/{name}" for name in _IN_HOME}
        print(f"Your home cannot be written ({refused}): JupyterLab keeps its settings in {place} "
              "this time.", file=sys.stderr, flush=True)  # fmt: skip
    return environment
