"""Writes `solution/`: run.py, requirements.txt and ckpt.pth for a trained model."""

from __future__ import annotations

import io
import sys
from dataclasses import is_dataclass
from typing import TYPE_CHECKING

from coursekit.codabench.formats import MASK_SIZE, SOLUTION_FILES
from coursekit.codabench.inline import Inliner
from coursekit.codabench.requirements import write_requirements
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from coursekit.checkpoint import Checkpoint

_HEAD = '''"""Face parsing: one photograph in, one mask of class ids out.

    pip install -r requirements.txt
    python3 run.py --input X.jpg --output Y.png --weights ckpt.pth

Put together from coursekit's sources by `coursekit submit`. Another version of torch or Pillow, or
a GPU, may round otherwise and change single pixels, so requirements.txt names the versions that
made masks/; the masks were made by Python {python}. Annotations are never evaluated here, so what
only they name (Tensor, Float) is not imported.
"""

from __future__ import annotations

'''

_TAIL = '''

# --- this submission ------------------------------------------------------------------------------


SETTINGS = SimpleNamespace(size={size!r}, mean={mean!r}, std={std!r})


def make_model():
    """The network, before its weights are loaded."""
    return {model}


if __name__ == "__main__":
    run(make_model, SETTINGS, {mask_size})
'''


def make_solution(checkpoint: Checkpoint) -> dict[str, bytes]:
    """The three files of `solution/` by name, the same bytes for the same checkpoint.

    Raises:
        CourseError: when the model's source cannot be had, or not be put into one file.
    """
    source, modules = _run_source(checkpoint)
    pins = write_requirements(m for m in modules if m not in sys.stdlib_module_names)
    contents = (_weights(checkpoint), pins.encode(), source.encode())
    return dict(zip(SOLUTION_FILES, contents, strict=True))


def _run_source(checkpoint: Checkpoint) -> tuple[str, set[str]]:
    """run.py, and the modules that it imports."""
    model, info = checkpoint.model, checkpoint.info
    network, config = type(model), getattr(model, "config", None)
    if getattr(config, "abn", None) == "package":
        raise CourseError(
            "run.py cannot bring inplace-abn, which must be compiled; load the weights into a "
            "network of abn='inplace', whose keys are the same, and submit that"
        )
    inliner = Inliner()
    inliner.add_import("SimpleNamespace", "from types import SimpleNamespace")
    try:
        inliner.need(network.__module__, network.__name__)
        if is_dataclass(config):
            inliner.need(type(config).__module__, type(config).__name__)
    except (ValueError, TypeError, OSError, ImportError) as error:
        raise CourseError(
            f"{network.__name__}: its source cannot be put into run.py ({error}); move the network "
            "into a file of its own, such as my_network.py, and import it from there"
        ) from error
    inliner.need("coursekit.codabench.run_main", "run")
    body = inliner.source()
    settings = (
        [repr(config)] if is_dataclass(config) else [f"{k}={v!r}" for k, v in info.config.items()]
    )
    head = _HEAD.format(python=".".join(map(str, sys.version_info[:2])))
    tail = _TAIL.format(
        size=info.size, mean=info.mean, std=info.std, mask_size=MASK_SIZE,
        model=f"{network.__name__}({', '.join(settings)})",
    )  # fmt: skip
    return head + body + tail, inliner.modules()


def _weights(checkpoint: Checkpoint) -> bytes:
    import torch

    from coursekit.models import plain_state_dict

    plain = plain_state_dict(checkpoint.model)
    state = {k: v.detach().cpu().contiguous() for k, v in plain.items()}
    out = io.BytesIO()
    # Saved to memory: to a file, torch would write the file's name into the archive.
    torch.save({"state_dict": state}, out)
    return out.getvalue()
