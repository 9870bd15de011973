"""The files of `solution/`: looked at, counted, parsed, and never run."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.codabench import limits
from coursekit.codabench.requirements import read_requirements

if TYPE_CHECKING:
    from coursekit.codabench.archive import Archive
    from coursekit.codabench.layout import Layout
    from coursekit.codabench.problems import Findings
    from coursekit.codabench.requirements import Requirements

_CHILD = Path(__file__).with_name("inspect_child.py")
_MEGABYTES = 1024

#: Endings of files that may hold weights.
_WEIGHTS = (
    ".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".onnx", ".h5", ".npy", ".npz", ".pkl",
)  # fmt: skip


def check_solution(archive: Archive, layout: Layout, limit: int, findings: Findings) -> int | None:
    """Check what there is of ckpt.pth, requirements.txt and run.py.

    Args:
        archive: the zip.
        layout: which entry is which.
        limit: the edition's; a checkpoint must have fewer parameters.
        findings: where what is wrong is noted.

    Returns:
        The number of parameters of the checkpoint, or None when it could not be counted.
    """
    asked: Requirements | None = None
    if entry := layout.solution.get("requirements.txt"):
        data = archive.read(entry, limits.LARGEST_TEXT)
        if data is not None:
            asked = read_requirements(data, partial(_beside, archive, layout))
            for kind, detail in asked.found():
                findings.add(kind, entry.name, detail)
    if entry := layout.solution.get("run.py"):
        data = archive.read(entry, limits.LARGEST_TEXT)
        if data is not None:
            _check_run(data, entry.name, layout, asked, findings)
    for path, entry in layout.beside.items():
        large = entry.info.file_size > limits.LARGEST_TEXT
        if large or path.lower().endswith(_WEIGHTS):
            findings.add("solution-more-weights", entry.name)
    if entry := layout.solution.get("ckpt.pth"):
        data = archive.read(entry, limits.LARGEST_CHECKPOINT)
        if data is not None:
            return _check_checkpoint(data, entry.name, limit, findings)
    return None


def _look_into(what: str, data: bytes) -> dict[str, Any]:
    """Let the child process read `data`; any end of it but a good one is a problem of the file."""
    seconds = math.ceil(limits.SECONDS)
    command = [sys.executable, "-I", "-S", str(_CHILD), what, str(seconds), str(_MEGABYTES)]
    unreadable = "ckpt-unreadable" if what == "checkpoint" else "run-syntax"
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=limits.SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return {"problem": unreadable, "detail": f"over {limits.SECONDS:g} s"}
    if done.returncode != 0:
        return {"problem": unreadable, "detail": f"reading it ended with {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _check_checkpoint(data: bytes, name: str, limit: int, findings: Findings) -> int | None:
    if not data:
        findings.add("empty-file", name)
        return None
    found = _look_into("checkpoint", data)
    if "problem" in found:
        findings.add(found["problem"], name, found["detail"])
        return None
    count, buffers = int(found["parameters"]), int(found["buffers"])
    if count >= limit:
        findings.add(
            "too-many-parameters",
            name,
            f"{count:,}, without {buffers:,} running statistics; fewer than {limit:,} are allowed",
        )
    # Batch normalisation keeps two statistics a channel and has thousands of weights a channel.
    if buffers > max(count // 10, 1000):
        findings.add("ckpt-buffers", name, f"{buffers:,} beside {count:,} parameters")
    if found["outside"]:
        findings.add("ckpt-extra", name, f"{found['outside']:,} numbers")
    if found["values"]:
        findings.add("ckpt-objects", name, ", ".join(found["values"][:6]))
    if found["gpu"]:
        findings.add("ckpt-device", name)
    return count


def _check_run(
    data: bytes, name: str, layout: Layout, asked: Requirements | None, findings: Findings
) -> None:
    if not data.strip():
        findings.add("empty-file", name)
        return
    found = _look_into("source", data)
    if "problem" in found:
        findings.add(found["problem"], name, found["detail"])
        return
    unread = {"--input", "--output", "--weights"} - set(found["arguments"])
    if unread:
        findings.add("run-arguments", name, "not " + ", ".join(sorted(unread)))
    if found["relative"]:
        findings.add("run-relative", name, f"line {found['relative'][0]}")
    if asked is not None:
        own = {path.partition("/")[0].removesuffix(".py") for path in layout.beside}
        if lacking := asked.lack(m for m in found["imports"] if m not in own):
            findings.add("run-imports", name, ", ".join(lacking[:6]))


def _beside(archive: Archive, layout: Layout, path: str) -> bytes | None:
    """A file of `solution/` by its path from there, where pip and run.py are run."""
    entry = layout.solution.get(path) or layout.beside.get(path)
    # Archives are not read: that they are there is enough.
    if entry is None or entry.info.file_size > limits.LARGEST_TEXT:
        return b"" if entry else None
    return archive.read(entry, limits.LARGEST_TEXT)
