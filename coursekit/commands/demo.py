"""`coursekit demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit import terminal
from coursekit.commands import add_palette, command

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "demo",
        "train a face parser in minutes, with a report",
        "coursekit demo --out out/demo",
        run,
    )
    parser.add_argument("--out", default="out/demo", metavar="DIR",
                        help="folder; an earlier demo in it is replaced")  # fmt: skip
    add_palette(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run it and say where everything is."""
    from coursekit.demo import run_demo

    run_demo(arguments.out, say=terminal.say)
    out = Path(arguments.out)
    for name in ("report.html", "pictures.png", "submission.zip", "scores.json", "history.jsonl",
                 "model.safetensors"):  # fmt: skip
        print(f"wrote {out / name}")
    print(f"open {(out / 'report.html').resolve().as_uri()}")
    return 0
