"""`coursekit train`."""

from __future__ import annotations

import argparse
import ast
from dataclasses import fields
from typing import Any

from coursekit.commands import command
from coursekit.errors import CourseError


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "train",
        "train a model on a folder of faces",
        "coursekit train unet --data faces --size 128 --epochs 20 --out runs/unet",
        run,
    )
    parser.add_argument("model", help="unet, fastscnn, …")
    parser.add_argument(
        "--data", required=True, metavar="ROOT", help="any layout that README lists"
    )
    parser.add_argument("--size", type=int, default=512, metavar="N", help="working size, pixels")
    parser.add_argument("--epochs", type=int, default=120, metavar="N", help="at most so many")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in DIR")
    parser.add_argument("--batch-size", type=int, default=2, metavar="N")
    parser.add_argument("--seed", type=int, default=42, metavar="N")
    parser.add_argument("--patience", type=int, metavar="N", help="epochs; the report has 12")
    parser.add_argument("--lr", type=float, metavar="X", help="Adam's first rate; default 0.001")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes for batches")
    parser.add_argument("--mirror", type=float, default=0.0, metavar="P",
                        help="probability of a mirrored image, pairs swapped")  # fmt: skip
    parser.add_argument("--loss", default="cross_entropy", metavar="NAME",
                        help="cross_entropy, focal, dice, lovasz, or a sum such as "
                        "cross_entropy+lovasz")  # fmt: skip
    parser.add_argument("--unweighted", action="store_true",
                        help="no class weights: plain cross-entropy (Eq. 1)")  # fmt: skip
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings",
                        help="a setting of the model, such as widths=(8,16,32,64,128)")  # fmt: skip


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """`["widths=(8,16)"]` → `{"widths": (8, 16)}`; values are Python literals or plain words."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip().isidentifier():
            raise CourseError(f"--set {pair}: write NAME=VALUE, such as --set dropout=0.2")
        try:
            settings[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            settings[name.strip()] = value.strip()
    return settings


def make_config(arguments: argparse.Namespace) -> Any:
    """The `FitConfig` that the arguments ask for."""
    from dataclasses import replace

    from coursekit.data import Augmentation
    from coursekit.optim import AdamToSGDConfig
    from coursekit.training import FitConfig

    changes = {"patience": arguments.patience, "adam_lr": arguments.lr}
    same = {f.name for f in fields(FitConfig)} & set(vars(arguments))
    return FitConfig(
        **{name: getattr(arguments, name) for name in same},
        optimiser=replace(AdamToSGDConfig(), **{k: v for k, v in changes.items() if v is not None}),
        augmentation=Augmentation(mirror_probability=arguments.mirror),
        weighted=not arguments.unweighted,
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, print a line an epoch, and say where the result is."""
    import torch

    from coursekit.data import open_dataset
    from coursekit.models import count_parameters, create_model
    from coursekit.training import fit

    config = make_config(arguments)
    train, val = (open_dataset(arguments.data, split) for split in ("train", "val"))
    torch.manual_seed(config.seed)
    settings = {"num_classes": train.labels.num_classes, **parse_settings(arguments.settings)}
    model = create_model(arguments.model, **settings)
    print(f"{arguments.model}: {count_parameters(model):,} parameters; "
          f"{len(train)} training and {len(val)} validation images at {config.size}²")  # fmt: skip
    try:
        result = fit(
            model, train, val, config, arguments.out, resume=arguments.resume, on_epoch=print_epoch
        )
    except KeyboardInterrupt:
        print(f"\nstopped: whole epochs are kept in {arguments.out}; go on with --resume")
        raise
    best = result.history[result.best_epoch]
    print(f"best epoch {result.best_epoch}: validation loss {best['val_loss']:.4f}, "
          f"mean IoU {100 * best['val_mean_iou']:.2f} % at {config.size}²")  # fmt: skip
    print(f"wrote {arguments.out}/model.safetensors, {arguments.out}/history.jsonl")
    return 0


def print_epoch(entry: dict[str, Any]) -> None:
    """One line of the history."""
    event = "" if entry["event"] == "wait" else f"  {entry['event']}"
    print(
        f"epoch {entry['epoch']:3d}  {entry['phase']:<4} {entry['rate']:.5f}  "
        f"loss {entry['train_loss']:.4f}  val {entry['val_loss']:.4f}  "
        f"mIoU {100 * entry['val_mean_iou']:5.2f}  {entry['seconds']:.1f} s{event}",
        flush=True,
    )
