"""`coursekit release`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.commands import command
from coursekit.errors import CourseError

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "release",
        "make the student repository: lessons without solutions",
        "coursekit release out/students --assignment 02_unet",
        run,
        "Makes a folder to hand out: notebooks without solutions, hidden tests and outputs, the "
        "package, a README. It is looked through for leaks first and not written with any. "
        "notebooks/INSTRUCTORS.md goes on from there.",
    )
    parser.add_argument("out", metavar="OUT", help="a folder that is missing or empty")
    parser.add_argument("--assignment", action="append", metavar="NAME",
                        help="of the course file, or a lesson such as 02_unet; "
                        "all when left out")  # fmt: skip
    parser.add_argument("--notebooks", default="notebooks", metavar="DIR",
                        help="the folder with source/")  # fmt: skip
    parser.add_argument("--course", metavar="FILE",
                        help="assignments, points, due dates; default DIR/course.toml, "
                        "if it is there")  # fmt: skip
    parser.add_argument("--force", action="store_true",
                        help="replace a release that is there; its .git stays")  # fmt: skip
    parser.add_argument("--zip", action="store_true", help="write OUT.zip, too")


def run(arguments: argparse.Namespace) -> int:
    """Write the release."""
    from coursekit.release.release import release, write_zip

    packed = Path(f"{arguments.out.rstrip('/')}.zip")
    if arguments.zip and packed.exists() and not arguments.force:
        raise CourseError(f"{packed}: is there already; pass --force to replace it")
    made = release(
        arguments.out, arguments.notebooks, arguments.assignment, arguments.course,
        force=arguments.force,
    )  # fmt: skip
    for assignment in made.assignments:
        print(f"{assignment.name}: {len(assignment.exercises)} exercises, {assignment.total} "
              f"points, due {assignment.due or 'never'}")  # fmt: skip
    for note in made.notes:
        print(f"note: {note}")
    print(f"wrote {arguments.out}: {made.files} files, no leak found")
    if arguments.zip:
        write_zip(made.folder, packed)
        print(f"wrote {packed}")
    return 0
