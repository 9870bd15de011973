"""`coursekit site`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit import terminal
from coursekit.commands import command

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "site",
        "make pages of the whole course",
        "coursekit site --out out/site",
        run,
        "Make pages of the whole course, to read in a browser, on a telephone, without a server or "
        "a network: the lessons solved and executed, their pictures, glossary, syllabus, results, "
        "the instructor's pages, the package. They show solutions, and no hidden test. `make site` "
        "installs what this needs.",
    )
    parser.add_argument("--out", default="out/site", metavar="DIR",
                        help="where the pages go; what is there is replaced")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes")


def run(arguments: argparse.Namespace) -> int:
    """Make the site, and say where it begins."""
    from coursekit.lessons.addresses import repository
    from coursekit.site.build import build_site

    made = build_site(".", arguments.out, jobs=arguments.jobs, say=terminal.say)
    if not repository(Path("pyproject.toml")):
        terminal.say("no buttons that open a lesson elsewhere: pyproject.toml names no Repository "
                     "under [project.urls]")  # fmt: skip
    print(f"{made.pages} pages with {made.pictures} pictures of lessons")
    print(f"wrote {made.index}")
    return 0
