"""The whole course in three minutes: data, audit, training, evaluation, submission, report."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.demo.result import DemoConfig, DemoResult
from coursekit.errors import CourseError
from coursekit.files import write_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DemoConfig", "DemoResult", "run_demo"]

#: Marks a folder as a demo's, which the next demo may replace.
MARKER = ".coursekit-demo"


def run_demo(
    out: str | Path,
    config: DemoConfig | None = None,
    say: Callable[[str], None] = print,
) -> DemoResult:
    """Make faces, train FastSCNN on them, and write everything that the course is about.

    Args:
        out: a folder; a previous demo in it is replaced. It gets faces/, model.safetensors,
            history.jsonl, scores.json, submission.zip, pictures.png and report.html.
        config: the sizes; the quick tier's by default.
        say: gets a line for each step.

    Raises:
        CourseError: when the folder holds something that is no demo's, or there is no such palette.
    """
    from coursekit.labels import CELEBAMASK_HQ, shown

    shown(CELEBAMASK_HQ)  # a palette that is not there is named now, not after the training
    result = DemoResult(config or DemoConfig())
    out = Path(out)
    _clear(out)
    say("1/6 rendering faces")
    _make_faces(out, result)
    say("2/6 auditing them")
    _audit(out, result, say)
    say("3/6 training FastSCNN by the recipe `house` (mIoU: on the validation faces)")
    _train(out, result, say)
    say("4/6 scoring the validation faces")
    _evaluate(out, result, say)
    say("5/6 writing, checking and scoring the submission")
    _submit(out, result, say)
    say("6/6 writing the report")
    from coursekit.demo.report import draw_faces, make_report

    draw_faces(result, out / "pictures.png")
    write_text(out / "report.html", make_report(result))
    return result


def _clear(out: Path) -> None:
    """Remove what an earlier demo left; leave everything else alone."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARKER).exists())):
        raise CourseError(f"{out}: is there already and is no demo's; name a new folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / MARKER, "This folder was made by `coursekit demo`, which may replace it.\n")
    shutil.rmtree(out / "faces", ignore_errors=True)
    for name in ("model.safetensors", "state.safetensors", "history.jsonl", "scores.json",
                 "submission.zip", "pictures.png", "report.html"):  # fmt: skip
        with suppress(FileNotFoundError):
            (out / name).unlink()


def _make_faces(out: Path, result: DemoResult) -> None:
    from coursekit.data import class_counts, make, open_dataset
    from coursekit.data.making import Recipe

    config = result.config
    make(
        out / "faces",
        Recipe(config.train, config.val, config.test, config.size, config.seed),
    )
    result.counts = class_counts(open_dataset(out / "faces", "train"))


def _audit(out: Path, result: DemoResult, say: Callable[[str], None]) -> None:
    from coursekit.data import audit

    report = audit(out / "faces")
    result.audit = report.as_text().replace(str(out / "faces"), "faces")
    say("    " + result.audit.splitlines()[-1])
    if not report.ok:
        raise CourseError(f"{out / 'faces'}: the rendered faces have defects\n{result.audit}")


def _train(out: Path, result: DemoResult, say: Callable[[str], None]) -> None:
    from dataclasses import replace

    import torch

    from coursekit import recipes
    from coursekit.data import open_dataset
    from coursekit.models import count_parameters, create_model
    from coursekit.training import fit

    config = result.config
    torch.manual_seed(config.seed)
    model = create_model("fastscnn")
    result.parameters = count_parameters(model)
    settings = recipes.configure("house", "fastscnn", config.size, config.epochs, config.seed)
    settings = replace(settings, cpu=True)

    def tell(entry: dict[str, Any]) -> None:
        say(
            f"    epoch {entry['epoch'] + 1:2d} of {config.epochs}  rate {entry['rate']:<8.2g}  "
            f"loss {entry['train_loss']:.3f}  validation {entry['val_loss']:.3f}  "
            f"mIoU {100 * entry['val_mean_iou']:4.1f} %"
        )

    faces = out / "faces"
    # At this size a second thread gains little on a quiet machine and loses much on a busy one;
    # and with one, the number of cores does not change the result.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        fitted = fit(
            model, open_dataset(faces, "train"), open_dataset(faces, "val"), settings, out,
            on_epoch=tell,
        )  # fmt: skip
    finally:
        torch.set_num_threads(threads)
    result.history = fitted.history


def _evaluate(out: Path, result: DemoResult, say: Callable[[str], None]) -> None:
    from coursekit import checkpoint
    from coursekit.data import open_dataset
    from coursekit.inference import predict_label_map
    from coursekit.training import evaluate

    loaded = checkpoint.load(out / "model.safetensors")
    val = open_dataset(out / "faces", "val")
    scores = evaluate(loaded.model, val, loaded.info)
    result.validation = scores.summary()
    size = result.config.size
    say(
        f"    mean IoU {100 * scores.mean_iou:.1f} % on {scores.images} faces, at {size} x {size} "
        "pixels"
    )
    for sample in val[:8]:
        assert sample.label_map is not None
        prediction = predict_label_map(loaded.model, sample.image, loaded.info)
        result.rows.append(
            {"image": sample.image, "truth": sample.label_map, "prediction": prediction}
        )


def _submit(out: Path, result: DemoResult, say: Callable[[str], None]) -> None:
    from coursekit.codabench import score, submit

    # The 2024 edition's format: its limit of 2,000,000 parameters admits this network.
    made = submit(
        out / "model.safetensors", out / "faces" / "test" / "images", "flat", out / "submission.zip"
    )
    say(f"    {made.masks} masks, valid")
    scores = score(made.path, out / "faces" / "test_truth" / "masks", "flat")
    result.submission = scores.to_dict()
    say(
        f"    local score {scores.score:.1f} %: mean IoU on these {scores.images} other faces, at "
        "512 x 512 pixels as the competition asks"
    )
    held = {
        "about": "shares of 1; submission.score alone is of 100, as the competition shows it",
        "validation": result.validation,
        "submission": result.submission,
    }
    text = json.dumps(held, indent=2)
    write_text(out / "scores.json", text + "\n")
