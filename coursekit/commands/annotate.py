"""`coursekit annotate`."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit import terminal
from coursekit.commands import add_palette, command, tell_left_out
from coursekit.errors import CourseError

if TYPE_CHECKING:
    import argparse

    from coursekit.labelling.server import Server
    from coursekit.labelling.sessions import Session


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "annotate",
        "label faces by hand: 106 points, and label maps fitted to them",
        "coursekit annotate mine/train\n"
        "  coursekit annotate mine/train --checkpoint runs/points/model.safetensors\n"
        "  coursekit annotate helen --relabel out/h --parsing runs/b/model.safetensors",
        run,
        "Opens a page on which a network, or the mean face, proposes 106 points, and a hand drags "
        "those that are off; press ? there for its keys. FOLDER holds photographs, or images/ with "
        "them. Into landmarks/ and labels/ beside it go LaPa's files, so that mine with "
        "mine/train/images is a data set to train on; annotation/ keeps each move of the hand. "
        "Stop with Ctrl-C, and go on whenever you like.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="one face a photograph")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE",
                        help="of a landmark network, which proposes points; default: what "
                        "was trained in the page, else the mean face")  # fmt: skip
    parser.add_argument("--parsing", type=Path, metavar="FILE",
                        help="of a network that draws label maps, which finds hair and "
                        "skin; without one there is no hair")  # fmt: skip
    parser.add_argument("--relabel", type=Path, metavar="OUT",
                        help="open no page: label hair and skin of the data set in FOLDER anew "
                        "by --parsing, keep its parts, and write it to OUT")  # fmt: skip
    parser.add_argument("--port", type=int, default=8899, metavar="N",
                        help="of the page; the next free one if it is taken")  # fmt: skip
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    add_palette(parser)
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, then say what was done; or relabel."""
    if arguments.relabel is not None:
        return _relabel(arguments)
    from coursekit.labelling.server import Server
    from coursekit.labelling.sessions import Session

    session = Session.of(
        arguments.folder, arguments.checkpoint, arguments.parsing, _device(arguments)
    )
    tell_left_out(session.photos.left_out)
    server = Server(session, arguments.port)
    asyncio.run(_until_stopped(server, arguments.no_browser))
    print(summary(session))
    return 0


def _relabel(arguments: argparse.Namespace) -> int:
    """Exits with 1 when faces were left out."""
    if arguments.parsing is None:
        raise CourseError("--relabel needs --parsing FILE, a network that draws label maps")
    from coursekit.annotation import network
    from coursekit.labelling.relabel import relabel

    made = relabel(
        arguments.folder, arguments.relabel, network(arguments.parsing, _device(arguments))
    )
    tell_left_out(made.left_out)
    print(arguments.relabel)
    print(f"{made.faces} faces labelled anew, {len(made.left_out)} left out; "
          f"{100 * made.changed:.1f} % of the pixels have another class now")  # fmt: skip
    return 1 if made.left_out else 0


def _device(arguments: argparse.Namespace) -> str:
    if arguments.cpu or not (arguments.checkpoint or arguments.parsing):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


async def _until_stopped(server: Server, silent: bool) -> None:
    """Say where the page is once Ctrl-C is waited for, open it unless `silent`, and serve it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, end)
    session = server.session
    print(f"{len(session.rows)} photographs in {session.photos.root}: open\n{server.address}\n"
          "Ctrl-C ends it; each move of the hand is kept.", flush=True)  # fmt: skip
    if not silent:
        await asyncio.to_thread(webbrowser.open, server.address)
    await server.serve(stop)
    terminal.say("")


def summary(session: Session) -> str:
    """What the hand has done in a folder, in one line."""
    rows = [row for row in session.rows.values() if row.state == "saved"]
    drafts = sum(row.state == "draft" for row in session.rows.values())
    words = f"{len(rows)} of {len(session.rows)} photographs are saved"
    if drafts:
        words += f", {drafts} are begun"
    if rows:
        count = len(rows)
        words += (
            f"; a saved one took {sum(r.moved for r in rows) / count:.1f} points moved in "
            f"{sum(r.drags for r in rows) / count:.1f} moves of the hand and "
            f"{sum(r.seconds for r in rows) / count:.0f} seconds"
        )
    return words
