"""`coursekit evaluate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from coursekit.commands import command

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "evaluate",
        "score a checkpoint on a labelled split, at the size of its masks",
        "coursekit evaluate --checkpoint runs/unet/model.safetensors --data faces --json",
        run,
    )
    parser.add_argument("--checkpoint", required=True, metavar="FILE")
    parser.add_argument("--data", required=True, metavar="ROOT")
    parser.add_argument("--split", default="val", choices=("train", "val", "test"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")


def run(arguments: argparse.Namespace) -> int:
    """Print the scores."""
    import torch

    from coursekit import checkpoint
    from coursekit.data import open_dataset
    from coursekit.training import evaluate

    loaded = checkpoint.load(arguments.checkpoint)
    dataset = open_dataset(arguments.data, arguments.split)
    gpu = torch.cuda.is_available() and not arguments.cpu
    scores = evaluate(loaded.model.to("cuda" if gpu else "cpu"), dataset, loaded.info)
    if arguments.json:
        print(json.dumps({"split": arguments.split, **scores.summary()}, indent=2))
    else:
        print(scores.table())
    return 0
