"""The commands `submit`, `validate` and `score`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.codabench.formats import FORMATS, left_out
from coursekit.codabench.problems import is_valid
from coursekit.commands import command, tell_left_out

if TYPE_CHECKING:
    from coursekit.codabench.scoring import Scores


def add_parser(subparsers: Any) -> None:
    """Add the three commands."""
    _add_submit(subparsers)
    _add_validate(subparsers)
    _add_score(subparsers)


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", required=True, choices=list(FORMATS),
        help="flat: 2024, masks at the root; codabench: 2025 on, masks/ and solution/",
    )  # fmt: skip


def _add_submit(subparsers: Any) -> None:
    parser = command(
        subparsers, "submit", "predict the test images and write the zip to upload",
        "coursekit submit --checkpoint runs/unet/model.safetensors \\\n"
        "      --images data/test_image --format flat --out submission.zip",
        _submit,
        "Predicts every image of a folder and writes a submission, which is validated before it "
        "gets its name. With --final it holds solution/ too, and run.py is tried on one image.",
    )  # fmt: skip
    _add_format(parser)
    parser.add_argument(
        "--checkpoint", required=True, type=Path, metavar="FILE", help="what `train` wrote"
    )
    parser.add_argument(
        "--images", required=True, type=Path, metavar="DIR", help="folder of the test images"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="ZIP", help="replaced if it is there"
    )
    parser.add_argument("--final", action="store_true", help="add solution/ for the final phase")


def _add_validate(subparsers: Any) -> None:
    parser = command(
        subparsers, "validate", "say what is wrong with a submission",
        "coursekit validate submission.zip --images data/test_image --format flat",
        _validate,
        "Checks a zip without unpacking it to disk or running any of it. An error is what the "
        "platform refuses, or scores otherwise than it was meant; a warning is what may go wrong, "
        "or breaks a rule but was taken. Exits with 0 when it is valid (warnings allowed), 1 when "
        "it is not, 2 when it could not be checked.",
    )  # fmt: skip
    _add_format(parser)
    parser.add_argument("zip", type=Path, metavar="ZIP", help="the submission")
    parser.add_argument(
        "--images", required=True, type=Path, metavar="DIR", help="folder of the test images"
    )
    parser.add_argument(
        "--final", action=argparse.BooleanOptionalAction, default=None,
        help="solution/ must be there, or must not; without either it is checked if it is there",
    )  # fmt: skip


def _add_score(subparsers: Any) -> None:
    parser = command(
        subparsers, "score", "score a submission against the true masks",
        "coursekit score submission.zip --truth data/val/val_mask --format flat --json",
        _score,
        "Computes the edition's score and its near relations side by side. Needs true masks, so "
        "use it on the validation set.",
    )  # fmt: skip
    _add_format(parser)
    parser.add_argument("zip", type=Path, metavar="ZIP", help="the submission")
    parser.add_argument(
        "--truth", required=True, type=Path, metavar="DIR", help="folder of true masks, *.png"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the JSON to this file")


def _submit(arguments: argparse.Namespace) -> int:
    from coursekit.codabench.submission import submit

    made = submit(
        arguments.checkpoint, arguments.images, arguments.format, arguments.out,
        final=arguments.final,
    )  # fmt: skip
    for warning in made.warnings:
        print(warning, file=sys.stderr)
    print(f"{made.path}: {made.masks} masks, valid; the model has {made.parameters:,} parameters")
    if made.needs:
        print(f"solution/requirements.txt: {made.needs}; with an older one pip stops")
    return 0


def _validate(arguments: argparse.Namespace) -> int:
    from coursekit.codabench.validation import validate

    problems = validate(arguments.zip, arguments.images, arguments.format, final=arguments.final)
    tell_left_out(left_out(arguments.images))
    for problem in problems:
        print(problem)
    valid = is_valid(problems)
    number = f"{len(problems)} warning" + "s" * (len(problems) > 1)
    warned = f", {number}" if valid and problems else ""
    print(f"{arguments.zip}: {'valid' + warned if valid else 'not valid'}")
    return 0 if valid else 1


def _score(arguments: argparse.Namespace) -> int:
    from coursekit.codabench.scoring import score
    from coursekit.files import write_text

    scores = score(arguments.zip, arguments.truth, arguments.format)
    tell_left_out(left_out(arguments.truth))
    text = json.dumps(scores.to_dict(), indent=2, allow_nan=False)
    if arguments.out:
        write_text(arguments.out, text + "\n")
    print(text if arguments.json else format_scores(scores))
    if arguments.out:
        print(f"wrote {arguments.out}", file=sys.stderr)
    return 0


def format_scores(scores: Scores) -> str:
    """The scores as a table for a terminal."""
    percent = scores.format == "flat"
    shown = f"{scores.score:.2f}" if percent else f"{scores.score:.4f}"
    lines = [f"{scores.format} score: {shown}  ({scores.headline}, {scores.images} images)", ""]
    for name, variant in scores.variants.items():
        mark = "*" if name == scores.headline else " "
        lines.append(f"{mark} {name:<18} {variant['value']:.4f}  {variant['label']}")
    lines += ["", f"  {'class':<12}{'IoU':>8}{'F':>8}{'images':>8}{'true px':>12}{'pred. px':>12}"]
    for name, row in scores.per_class.items():
        iou, f = (f"{row[k]:.4f}" if row[k] is not None else "–" for k in ("iou", "f"))
        counts = f"{row['truth_images']:>8}{row['truth_pixels']:>12}{row['predicted_pixels']:>12}"
        lines.append(f"  {name:<12}{iou:>8}{f:>8}{counts}")
    lines += [f"note: {note}" for note in scores.notes]
    return "\n".join(lines)
