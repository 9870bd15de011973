"""The commands `data make`, `data check`, `data stats` and `data suspects`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from coursekit.commands import add_palette, command, tell_left_out

if TYPE_CHECKING:
    import argparse

#: The trees are `data.layouts`'s own, which a test compares.
_LAYOUTS = """Works on folders in any layout that the course reads:
 course 2025    train/{images,masks}, val/{images,masks}, test/images
 course 2024    train/{train_image,train_mask}, val/{val_image,val_mask},
                test_image
 CelebAMask-HQ  CelebA-HQ-img, CelebAMask-HQ-mask-anno,
                CelebA-HQ-to-CelebA-mapping.txt, as downloaded
 LaPa           {train,val,test}/{images,labels,landmarks}
 Helen          SmithCVPR2013_dataset_resized, as downloaded"""

#: Mean IoU below which a network is too weak to doubt a mask.
_KNOWS_CLASSES = 0.2


def add_parser(subparsers: Any) -> None:
    """Add the group of commands."""
    parser = command(
        subparsers, "data", "make, check and count data sets, find wrong labels",
        "coursekit data make out/faces --train 200 --val 40 --test 20 --size 96",
        None,
        _LAYOUTS,
    )  # fmt: skip
    inner = parser.add_subparsers(dest="data_command", metavar="COMMAND", title="commands")
    _add_make(inner)
    _add_check(inner)
    _add_stats(inner)
    _add_suspects(inner)


def _add_make(subparsers: Any) -> None:
    parser = command(
        subparsers, "make", "render synthetic faces into a folder",
        "coursekit data make out/faces --train 200 --val 40 --test 20 --size 96",
        _make,
        "Renders faces into a folder that appears when it is complete. Equal arguments make equal "
        "bytes. The masks of the test split lie in OUT/test_truth/masks, outside what a student "
        "sees.",
    )  # fmt: skip
    parser.add_argument("out", metavar="OUT", help="a folder that is missing or empty")
    for split, count, what in (
        ("train", 200, "learn from"), ("val", 40, "choose by"), ("test", 20, "predict"),
    ):  # fmt: skip
        parser.add_argument(
            f"--{split}", type=int, default=count, metavar="N", help=f"faces to {what}"
        )
    parser.add_argument("--size", type=int, default=128, metavar="S", help="of a face, pixels")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="K", help="other faces for another number"
    )
    parser.add_argument("--label-noise", type=float, default=0.0, metavar="X",
                        help="careless annotation of train and val, to 1; default: 0")  # fmt: skip
    parser.add_argument("--crowd", type=float, default=0.0, metavar="X",
                        help="other faces in the picture, 0 to 1; default: 0")  # fmt: skip
    parser.add_argument("--shift", type=float, default=0.0, metavar="X",
                        help="departure from the usual look, 0 to 1; default: 0")  # fmt: skip
    parser.add_argument(
        "--layout", default="course2025", metavar="NAME", help="course2025, course2024 or lapa"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--force", action="store_true", help="replace what `data make` made there")


def _add_check(subparsers: Any) -> None:
    parser = command(
        subparsers, "check", "find what is wrong with a data set",
        "coursekit data check out/faces",
        _check,
        "Looks at every file and names those with a defect. Exits with 0 when there is no error "
        "(warnings and notes allowed), 1 when there is one, 2 when it could not be checked.",
    )  # fmt: skip
    parser.add_argument("root", metavar="ROOT", help="the folder of a data set")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")


def _add_stats(subparsers: Any) -> None:
    parser = command(
        subparsers, "stats", "count samples and classes, measure the whitening",
        "coursekit data stats out/faces --size 96",
        _stats,
        "Counts the pixels of each class in the masks as they are, and measures the mean and "
        "standard deviation of the training photos, both without augmentation.",
    )  # fmt: skip
    parser.add_argument("root", metavar="ROOT", help="the folder of a data set")
    parser.add_argument("--size", type=int, metavar="S",
                        help="measure at this working size; default: the files' own")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print as JSON")


def _add_suspects(subparsers: Any) -> None:
    parser = command(
        subparsers, "suspects", "rank masks by how strongly a trained network contradicts them",
        "coursekit data suspects faces --checkpoint runs/unet/model.safetensors",
        _suspects,
        "Finds wrong labels by a network that may have been trained on them, as long as it has "
        "not learnt them by heart; one that hardly knows the classes finds nothing. Writes a "
        "contact sheet of the first and a table of all. A person decides: some suspects are "
        "hard photographs. Exits with 1 when some samples could not be read; the others are done.",
    )  # fmt: skip
    parser.add_argument("root", metavar="ROOT", help="the folder of a data set")
    parser.add_argument("--checkpoint", required=True, metavar="FILE", help="what `train` wrote")
    parser.add_argument("--split", default="train", choices=("train", "val", "test"),
                        help="which samples")  # fmt: skip
    parser.add_argument("--top", type=int, default=20, metavar="N",
                        help="on the sheet")  # fmt: skip
    parser.add_argument("--out", default="out/suspects", metavar="DIR",
                        help="suspects.png and suspects.csv in it are replaced")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the first as JSON")
    add_palette(parser)
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")


def _make(arguments: argparse.Namespace) -> int:
    from coursekit.data.making import Recipe, make

    recipe = Recipe(
        arguments.train, arguments.val, arguments.test, arguments.size, arguments.seed,
        arguments.label_noise, arguments.crowd, arguments.shift, arguments.layout,
    )  # fmt: skip
    for path in make(arguments.out, recipe, force=arguments.force, workers=arguments.workers):
        print(path)
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from coursekit.data.auditing import audit

    report = audit(arguments.root)
    print(report.as_json() if arguments.json else report.as_text())
    return 0 if report.ok else 1


def _stats(arguments: argparse.Namespace) -> int:
    from coursekit.data.statistics import describe

    found = describe(arguments.root, arguments.size)
    told = (line for split in found["splits"].values() for line in split["left_out"])
    tell_left_out(dict.fromkeys(told))
    print(json.dumps(found, indent=2) if arguments.json else _as_table(found))
    return 0


def _suspects(arguments: argparse.Namespace) -> int:
    import torch

    from coursekit import checkpoint
    from coursekit.data.reading import find_layout
    from coursekit.suspects import check_out, find_suspects, write_report

    check_out(find_layout(arguments.root)[0], arguments.out, arguments.top)
    loaded = checkpoint.load(arguments.checkpoint)
    gpu = torch.cuda.is_available() and not arguments.cpu
    model = loaded.model.to("cuda" if gpu else "cpu")
    found = find_suspects(model, loaded.info, arguments.root, arguments.split)
    rows, paths = write_report(found, model, loaded.info, arguments.out, arguments.top)
    tell_left_out(found.left_out)
    if arguments.json:
        held = {
            "root": arguments.root, "split": arguments.split, "checkpoint": arguments.checkpoint,
            "masks": len(found.suspects), "left_out": list(found.left_out),
            "mean_iou": found.mean_iou, "suspects": rows, "written": [str(path) for path in paths],
        }  # fmt: skip
        print(json.dumps(held, indent=2))
    else:
        print(f"{'':>3}  {'score':>5}  mask")
        for row in rows:
            audit = f" (audit: {', '.join(row['audit'])})" if row["audit"] else ""
            print(f"{row['rank']:>3}  {row['score']:>5.2f}  {row['name']}: {row['reason']}{audit}")
        for path in paths:
            print(path)
        print(
            f"{len(found.suspects)} masks ranked, {len(found.left_out)} left out; mean IoU of the "
            f"network with them {100 * found.mean_iou:.1f} %"
        )
    if found.mean_iou < _KNOWS_CLASSES:
        print(
            f"{arguments.checkpoint}: at {100 * found.mean_iou:.1f} % mean IoU this network hardly "
            "knows the classes, so its doubts say little: train longer, or at a larger size",
            file=sys.stderr,
        )
    return 1 if found.left_out else 0


def _as_table(found: dict[str, Any]) -> str:
    splits = found["splits"]
    lines = [f"{found['root']}: {found['layout']}, {found['labels']}"]
    lines += [
        f"{split}: {held['samples']} samples" + ("" if held["class_counts"] else ", no masks")
        for split, held in splits.items()
    ]
    if found["whitening"]:
        for name in ("mean", "std"):
            numbers = ", ".join(f"{v:.6f}" for v in found["whitening"][name])
            lines.append(f"train {name} (RGB, of 1): {numbers}")
    counted = {s: held["class_counts"] for s, held in splits.items() if held["class_counts"]}
    if counted:
        lines.append("class".ljust(12) + "".join(f"{f'{s} pixels':>16}{'%':>9}" for s in counted))
        for name in next(iter(counted.values())):
            cells = (
                f"{c[name]:>16}{100 * c[name] / max(sum(c.values()), 1):>9.3f}"
                for c in counted.values()
            )
            lines.append(name.ljust(12) + "".join(cells))
    return "\n".join(lines)
