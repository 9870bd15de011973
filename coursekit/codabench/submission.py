"""`coursekit submit`: predict a folder of photographs and write the zip to upload."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit import terminal
from coursekit.codabench.formats import (
    MASK_SIZE,
    UNDER_2025_LIMIT,
    Format,
    find_format,
    left_out,
    list_images,
)
from coursekit.codabench.problems import is_valid
from coursekit.codabench.validation import examine
from coursekit.data.findings import some
from coursekit.data.images import read_image
from coursekit.errors import CourseError
from coursekit.files import atomic_path
from coursekit.labels import CELEBAMASK_HQ
from coursekit.temporary import temporary_folder
from coursekit.zips import new_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from coursekit.checkpoint import Checkpoint


#: How long run.py may take for its one trial.
_RUN_SECONDS = 300


@dataclass(frozen=True)
class Submission:
    """A zip that was written and found valid.

    Attributes:
        path: of the zip.
        masks: how many it holds.
        parameters: of the model, as the competition counts them.
        warnings: what its maker should know, one sentence each.
        needs: which Python the versions in solution/requirements.txt need, and which they are; ""
            without `final`.
    """

    path: Path
    masks: int
    parameters: int
    warnings: tuple[str, ...]
    needs: str = ""


def submit(
    checkpoint: str | os.PathLike[str] | Checkpoint,
    images_dir: str | os.PathLike[str],
    format: str,
    out: str | os.PathLike[str],
    *,
    final: bool = False,
) -> Submission:
    """Predict every image of a folder and write the zip for the competition.

    Masks are 512 × 512 whatever the size of the images: the logits are brought to that size, then
    the arg-max is taken. The zip is checked before it gets its name, and the same checkpoint and
    images give the same bytes. Edge heads serve training alone: they are left out, and do not
    count. `out` is replaced if it is there.

    The limit of parameters: an error for the flat format and in the final phase. A zip of the
    codabench format's development phase holds no model, so there it is a warning.

    Args:
        checkpoint: what `coursekit train` wrote; or a model of your own, in evaluation mode, with
            its `ModelInfo`. With `final` its class must live in a module of its own, and it is
            built anew by `Class(**info.config)`.
        images_dir: the folder of the test images.
        format: "flat" or "codabench".
        out: the zip to write.
        final: whether to add `solution/`, which is then tried on the first image.

    Raises:
        CourseError: when an input is broken, the model has too many parameters or another label
            set, or the zip cannot be written; nothing is left behind.
    """
    form, out = find_format(format), Path(out)
    if final and not form.has_solution:
        raise CourseError(
            f"--final: the {form.key} format has no final phase; use --format codabench"
        )
    if out.suffix != ".zip":
        raise CourseError(f"{out}: a submission's name ends in .zip; name it so")
    images = list_images(images_dir)
    from coursekit.checkpoint import (  # imports torch: only now, the cheap mistakes being out
        for_inference,
        load,
    )

    loaded = load(checkpoint) if isinstance(checkpoint, str | os.PathLike) else checkpoint
    loaded = for_inference(loaded)
    name = checkpoint if isinstance(checkpoint, str | os.PathLike) else type(loaded.model).__name__
    parameters, notes = _check_model(loaded, str(name), form, final=final)
    _check_readable(images)
    with atomic_path(out) as temporary:
        first, needs = _write(temporary, loaded, images, form, final=final)
        problems = examine(temporary, images, form.key, final=final if form.has_solution else None)
        if not is_valid(problems):
            told = "\n".join(str(problem) for problem in problems)
            raise CourseError(f"{out}: not written, because it would not be valid\n{told}")
        if final:
            _try_solution(temporary, next(iter(images.values())), first)
    notes += tuple(str(problem) for problem in problems)
    notes += tuple(f"left out: {line}" for line in left_out(images_dir))
    return Submission(out, len(images), parameters, notes, needs)


def _check_model(
    loaded: Checkpoint, path: str, form: Format, *, final: bool
) -> tuple[int, tuple[str, ...]]:
    """The model's parameters, and warnings."""
    from coursekit.models import count_parameters

    if loaded.model.training:
        raise CourseError(f"{path}: is in training mode; call .eval() on it before you submit")

    if loaded.info.label_set != CELEBAMASK_HQ.key:
        raise CourseError(
            f"{path}: its classes are those of {loaded.info.label_set!r}; the competition's are "
            f"the {CELEBAMASK_HQ.num_classes} of {CELEBAMASK_HQ.key}: train on such masks"
        )
    count = count_parameters(loaded.model)
    if count < form.limit:
        return count, ()
    message = (
        f"{path}: {loaded.info.model} has {count:,} parameters; the {form.edition} edition "
        f"({form.key}) allows fewer than {form.limit:,}. {_narrower(loaded, form.limit)}"
    )
    if final or not form.has_solution:
        raise CourseError(message)
    return count, (f"warning: {message}; the final phase will refuse it",)


def _narrower(loaded: Checkpoint, limit: int) -> str:
    """How to get below the limit."""
    import torch

    from coursekit.models import count_parameters, create_model

    name = loaded.info.model
    settings = UNDER_2025_LIMIT.get(name, {})
    model: nn.Module = loaded.model
    if settings:
        with torch.device("meta"):  # shapes alone: no memory, no random numbers
            model = type(model)(replace(model.config, **settings))  # type: ignore[type-var]
    if count_parameters(model) < limit:
        listed = ", ".join(f"{key}={value!r}" for key, value in settings.items())
        return (
            f"Train a narrower one: create_model({name!r}, {listed}) has "
            f"{count_parameters(model):,}"
        )
    small = create_model("fastscnn")
    return f"Train a narrower one, or fastscnn, which has {count_parameters(small):,}"


def _check_readable(images: Mapping[str, Path]) -> None:
    """Name every broken photograph before the first is predicted."""
    broken: dict[str, CourseError] = {}
    for path in images.values():
        try:
            read_image(path)
        except CourseError as error:
            broken[path.name] = error
    if broken:
        first, *others = broken
        more = f"\n  {len(others)} more cannot be read: {some(others)}" if others else ""
        raise CourseError(f"{broken[first]}{more}")


def _write(
    target: Path,
    loaded: Checkpoint,
    images: Mapping[str, Path],
    form: Format,
    *,
    final: bool,
) -> tuple[NDArray[np.uint8], str]:
    """Write the zip; returns the first image's label map, and `Submission.needs`."""
    from coursekit.codabench.run_main import write_mask
    from coursekit.codabench.solution import make_solution
    from coursekit.inference import predict_label_map

    first: NDArray[np.uint8] | None = None
    needs = ""
    with zipfile.ZipFile(target, "w") as archive:
        for stem, path in terminal.bar(images.items(), "predict", unit="image"):
            # One image at a time, as run.py does: in a batch a convolution may round otherwise.
            size = (MASK_SIZE, MASK_SIZE)
            label_map = predict_label_map(loaded.model, read_image(path), loaded.info, size)
            first = label_map if first is None else first
            png = io.BytesIO()
            write_mask(label_map, png)
            # Stored, not packed: PNGs and weights hardly shrink.
            archive.writestr(new_entry(form.mask_name(stem)), png.getvalue())
        if final:
            files = make_solution(loaded)
            needs = files["requirements.txt"].decode().partition("\n")[0].removeprefix("# ")
            for name, data in files.items():
                archive.writestr(new_entry(f"solution/{name}"), data)
    if first is None:
        raise CourseError("there is no image to predict; name a folder that holds some")
    return first, needs


def _try_solution(zip_path: Path, image: Path, expected: NDArray[np.uint8]) -> None:
    """Call run.py as the organisers do, without coursekit's folder on the path."""
    import numpy as np
    from PIL import Image

    with temporary_folder() as folder:
        with zipfile.ZipFile(zip_path) as archive:
            for file in ("run.py", "ckpt.pth"):
                (folder / file).write_bytes(archive.read(f"solution/{file}"))
        command = [
            sys.executable, "-I", "run.py", "--input", str(image.resolve()),
            "--output", "mask.png", "--weights", "ckpt.pth",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, errors="replace",
                check=False, timeout=_RUN_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise CourseError(
                f"solution/run.py took over {_RUN_SECONDS} s for {image}; the platform stops a "
                "submission after 600 s, so use a smaller model or working size"
            ) from error
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise CourseError(
                f"solution/run.py fails on {image} ({last}); run `coursekit doctor`, and tell us"
            )
        with Image.open(folder / "mask.png") as mask:
            differing = int((np.asarray(mask) != expected).sum())
    if differing:
        raise CourseError(
            f"solution/run.py gives another mask of {image} than the zip holds ({differing} pixels "
            "differ); set OMP_NUM_THREADS to the same value for both and submit again"
        )
