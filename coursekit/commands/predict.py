"""`coursekit predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.commands import add_palette, command, tell_left_out

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "predict",
        "label maps and overlays of a folder of photographs",
        "coursekit predict photos --checkpoint runs/unet/model.safetensors --out out/p",
        run,
        "Photographs may have any size; each should show one face in the middle, as the training "
        "images do. Exits with 1 when some files could not be read; the others are done.",
    )
    parser.add_argument("images", type=Path, help="a folder, with folders in it, or one image")
    parser.add_argument(
        "--checkpoint", required=True, type=Path, metavar="FILE", help="what `train` wrote"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder; replaces files in it")
    parser.add_argument("--opacity", type=float, default=0.5, help="of the colours, 0 to 1")
    add_palette(parser)
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")


def run(arguments: argparse.Namespace) -> int:
    """Predict, and print where everything is."""
    import torch

    from coursekit.prediction import CONTACT, LABEL_MAPS, OVERLAYS, predict_folder

    gpu = torch.cuda.is_available() and not arguments.cpu
    made = predict_folder(
        arguments.checkpoint, arguments.images, arguments.out,
        opacity=arguments.opacity, device="cuda" if gpu else "cpu",
    )  # fmt: skip
    tell_left_out(made.problems)
    for name in (LABEL_MAPS, OVERLAYS, CONTACT):
        print(made.out / name)
    print(f"{made.images} photographs predicted, {len(made.problems)} left out")
    return 1 if made.problems else 0
