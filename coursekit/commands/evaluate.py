"""`coursekit evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.commands import command, tell_left_out

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "evaluate",
        "score a checkpoint on a labelled split",
        "coursekit evaluate --checkpoint runs/unet/model.safetensors --data faces\n"
        "  coursekit evaluate --checkpoint F --data CelebAMask-HQ --split test \\\n"
        "      --protocol celebamask",
        run,
        "Score a checkpoint on a labelled split, at the size of its masks. --protocol prints the "
        "table of the DML-CSR paper for that data set, its figures and yours, marked as such. "
        "After `train --val-share`, val is what that run held back.",
    )
    parser.add_argument("--checkpoint", required=True, metavar="FILE",
                        help="what `train` wrote")  # fmt: skip
    parser.add_argument("--data", required=True, metavar="ROOT",
                        help="the folder of a data set")  # fmt: skip
    parser.add_argument("--split", default="val", choices=("train", "val", "test"),
                        help="which samples")  # fmt: skip
    parser.add_argument(
        "--protocol",
        choices=("helen", "lapa", "celebamask"),
        help="the scores and columns of papers on this data set, beside their figures",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")


def run(arguments: argparse.Namespace) -> int:
    """Print the scores."""
    import torch

    from coursekit import checkpoint
    from coursekit.data.splitting import open_held
    from coursekit.training import evaluate, protocols

    loaded = checkpoint.load(arguments.checkpoint)
    dataset = open_held(arguments.data, Path(arguments.checkpoint).parent, arguments.split)
    tell_left_out(dataset.left_out)
    protocol = protocols.PROTOCOLS.get(arguments.protocol)
    if protocol is not None:
        protocol.check(dataset)
    gpu = torch.cuda.is_available() and not arguments.cpu
    scored = evaluate(loaded.model.to("cuda" if gpu else "cpu"), dataset, loaded.info)
    model = f"{loaded.info.model} (here)"
    data = f"{arguments.data}, {arguments.split} ({arguments.checkpoint} at {loaded.info.size}²)"
    if arguments.json:
        found: dict[str, Any] = {"split": arguments.split, **scored.summary()}
        if protocol is not None:
            found["protocol"] = protocols.as_dict(protocol, scored, model, data)
        print(json.dumps(found, indent=2))
    elif protocol is not None:
        print(protocols.as_text(protocol, scored, model, data))
    else:
        print(scored.table())
    return 0
