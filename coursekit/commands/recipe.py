"""`coursekit run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.commands import command
from coursekit.commands.train import print_epoch

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "run",
        "train a model by a recipe and score it",
        "coursekit run house fastscnn --data ROOT --size 128 --epochs 20 --out runs/house",
        run,
        "Recipes: report_table1, the report's settings; house, ours. Each is a file in\n"
        "coursekit/recipes that says what it costs and what it scored.",
    )
    parser.add_argument("recipe", help="report_table1 or house")
    parser.add_argument("model", help="unet, deeplabv3plus, fastscnn or segformer")
    parser.add_argument("--data", required=True, metavar="ROOT")
    parser.add_argument("--size", type=int, default=512, metavar="N", help="working size, pixels")
    parser.add_argument("--epochs", type=int, default=120, metavar="N", help="at most so many")
    parser.add_argument("--seed", type=int, default=42, metavar="N")
    parser.add_argument("--without", action="append", default=[], metavar="INGREDIENT",
                        help="leave an ingredient out; may be given several times")  # fmt: skip
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes for batches")
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in DIR")


def run(arguments: argparse.Namespace) -> int:
    """Train, print a line an epoch, and the scores."""
    from dataclasses import replace

    from coursekit import recipes
    from coursekit.data import open_dataset

    config = recipes.configure(
        arguments.recipe, arguments.model, arguments.size, arguments.epochs, arguments.seed,
        arguments.without,
    )  # fmt: skip
    config = replace(
        config, precision=arguments.precision, workers=arguments.workers, cpu=arguments.cpu
    )
    train, val = (open_dataset(arguments.data, split) for split in ("train", "val"))
    made = recipes.run(
        config, arguments.model, train, val, arguments.out,
        resume=arguments.resume, on_epoch=print_epoch,
    )  # fmt: skip
    print(f"{arguments.recipe} {arguments.model}: mean IoU {100 * made.scores['mean_iou']:.2f} % "
          f"of {made.scores['images']} images at their masks' size, "
          f"after {made.passes:,} image passes")  # fmt: skip
    print(f"wrote {made.out}/model.safetensors, {made.out}/scores.json, {made.out}/history.jsonl")
    return 0
