"""What this machine has and lacks for the course: computed once, shown in a terminal or a notebook.

In a cell::

    from coursekit.health import card

    card()
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from coursekit import tier
from coursekit.errors import CourseError
from coursekit.files import home_folder, why_refused

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = (
    "numpy", "pillow", "opencv-python-headless", "matplotlib", "torch", "torchvision", "accelerate",
    "safetensors", "segmentation-models-pytorch", "timm", "jupyterlab", "ipywidgets", "nbval",
)  # fmt: skip
#: GiB; a lesson's faces, checkpoints and notebooks stay far below.
_LEAST_DISK = 1.0
_SIGNS = {"ok": "✓", "note": "·", "missing": "✗"}
#: Colours are those of the page around it, light or dark.
_CARD = """\
<div style="max-width: 40rem; padding: 0.5em 1em; border: 1px solid #888; border-radius: 6px;
 overflow-wrap: anywhere">
<strong>{{ title }}</strong>
<ul style="list-style: none; margin: 0.5em 0; padding: 0">
{% for row in rows %}<li><span aria-hidden="true">{{ signs[row.state] }}</span>
<b>{{ row.what }}</b>: {{ row.says }}
{%- if row.mend %}<br>to mend it: <code>{{ row.mend }}</code>{% endif %}</li>
{% endfor %}</ul>
<details><summary>Packages</summary>{{ versions }}</details>
</div>"""


@dataclass(frozen=True)
class Fact:
    """One thing that was looked at.

    Attributes:
        what: it is, such as "GPU".
        says: what was found.
        state: "ok", "note" for what is worth knowing, "missing" for what the course needs.
        mend: the line that mends it; "" where there is nothing to mend.
    """

    what: str
    says: str
    state: str = "ok"
    mend: str = ""


def examine() -> list[Fact]:
    """Look at this machine: Python, packages, device, tier, data, disk and folders."""
    machine = f"on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    found = [Fact("python", f"{platform.python_version()} {machine}"), *_packages()]
    if not any(f.what == "torch" and f.state == "missing" for f in found):
        found += _device()
    return [*found, _tier(), _data(), *_places()]


def _packages() -> Iterator[Fact]:
    for name in _PACKAGES:
        try:
            yield Fact(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Fact(name, "MISSING", "missing", "make setup")
    try:
        importlib.import_module("inplace_abn")
        yield Fact("inplace-abn", "built (optional)")
    except ImportError:
        says = "not built (optional; nothing that a student runs needs it)"
        yield Fact("inplace-abn", says, "note")


def _device() -> Iterator[Fact]:
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for i in range(gpus):
        properties = torch.cuda.get_device_properties(i)
        yield Fact(f"GPU {i}", f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB")
    if not gpus and os.environ.get("COURSEKIT_TIER") == "full":
        says = "none; the full tier may take days here"
        yield Fact("GPU", says, "note", "COURSEKIT_TIER=quick make lab")
    elif not gpus:
        yield Fact("GPU", "none; the quick tier needs none", "note")
    yield Fact("threads", str(torch.get_num_threads()))


def _tier() -> Fact:
    name = os.environ.get("COURSEKIT_TIER") or tier.TIERS[0]
    if name not in tier.TIERS:
        return Fact("tier", f"{name}, which is none", "missing", "COURSEKIT_TIER=quick make lab")
    sizes = "; COURSEKIT_SIZES replaces some sizes" if os.environ.get("COURSEKIT_SIZES") else ""
    return Fact("tier", f"{name}{sizes}")


def _data() -> Fact:
    try:
        folder = tier.data_folder()
    except CourseError as error:
        return Fact("data", str(error), "missing", "COURSEKIT_DATA=/whole/path make lab")
    if folder is None:
        return Fact("data", "rendered faces; COURSEKIT_DATA names no folder of photographs")
    return Fact("data", f"{folder}; `coursekit data check {folder}` looks at every file")


def _places() -> Iterator[Fact]:
    free = shutil.disk_usage(".").free / 2**30
    full = free < _LEAST_DISK
    yield Fact("disk", f"{free:.0f} GiB free here", "missing" if full else "ok",
                  "empty the bin, or delete old runs/ and out/" if full else "")  # fmt: skip
    for what, folder in (("home", home_folder()), ("TMPDIR", Path(tempfile.gettempdir()))):
        refused = why_refused(folder)
        mend = f"{what.upper()}=a folder that can be written" if refused else ""
        yield Fact(what, f"{folder}, {refused or 'can be written'}", "note" if refused else "ok",
                      mend)  # fmt: skip


class Card:
    """Findings as a notebook shows them: what is missing and its mend first, versions folded."""

    def __init__(self, findings: list[Fact]) -> None:
        self.findings = findings

    def __repr__(self) -> str:
        return "\n".join(_SIGNS[f.state] + " " + line(f) for f in self.findings)

    def _repr_html_(self) -> str:
        bad = [f for f in self.findings if f.state == "missing"]
        packages = [f for f in self.findings if f.what in _PACKAGES and f.state == "ok"]
        rest = [f for f in self.findings if f not in bad and f not in packages]
        title = f"{len(bad)} to mend" if bad else "This machine has all that the course needs"
        versions = ", ".join(f"{f.what} {f.says}" for f in packages)
        template = jinja2.Environment(autoescape=True).from_string(_CARD)
        return template.render(title=title, rows=bad + rest, versions=versions, signs=_SIGNS)


def card() -> Card:
    """What this machine has and lacks, as a card below a cell."""
    return Card(examine())


def line(finding: Fact) -> str:
    """A finding as one line of text."""
    mend = f"; run `{finding.mend}`" if finding.mend.startswith("make ") else ""
    mend = mend or (f"; mend: {finding.mend}" if finding.mend else "")
    return f"{finding.what}: {finding.says}{mend}"
