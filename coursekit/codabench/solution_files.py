"""The files of `solution/`: looked at, counted, parsed, and never run."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.codabench import limits

if TYPE_CHECKING:
    from coursekit.codabench.archive import Archive
    from coursekit.codabench.layout import Layout
    from coursekit.codabench.problems import Findings

_CHILD = Path(__file__).with_name("inspect_child.py")
_MEGABYTES = 1024

#: A package by name: PEP 508 without addresses.
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*"
    r"(?:(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+\s*,?\s*)*(?:;.*)?"
)

#: Modules whose package has another name.
_PACKAGES = {
    "pil": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


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
    names: set[str] | None = None
    if entry := layout.solution.get("requirements.txt"):
        data = archive.read(entry, limits.LARGEST_TEXT)
        names = None if data is None else _check_requirements(data, entry.name, findings)
    if entry := layout.solution.get("run.py"):
        data = archive.read(entry, limits.LARGEST_TEXT)
        if data is not None:
            _check_run(data, entry.name, names, findings)
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
    if found["gpu"]:
        findings.add("ckpt-device", name)
    return count


def _check_run(data: bytes, name: str, packages: set[str] | None, findings: Findings) -> None:
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
    if packages is not None:
        modules = {m: _PACKAGES.get(m.lower(), m.lower()) for m in found["imports"]}
        lacking = [m for m, package in modules.items() if not _brings(packages, package)]
        if lacking:
            findings.add("run-imports", name, ", ".join(lacking[:6]))


def _brings(packages: set[str], package: str) -> bool:
    package = package.replace("_", "-")
    if package == "cv2":
        return any(p.startswith("opencv") for p in packages)
    return package in packages


def _check_requirements(data: bytes, name: str, findings: Findings) -> set[str] | None:
    """Note bad lines; return the packages, normalised, or None when the file is no text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings.add("requirements-encoding", name, str(error))
        return None
    packages = set()
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if not line:
            continue
        where = f"line {number}: {line[:80]}"
        if line.startswith("-"):
            findings.add("requirements-option", name, where)
        elif "://" in line or "@" in line or line[0] in "./\\" or re.search(r"[/\\]|\.whl\b", line):
            findings.add("requirements-url", name, where)
        elif not _REQUIREMENT.fullmatch(line):
            findings.add("requirements-syntax", name, where)
        else:
            package = re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]
            packages.add(re.sub(r"[-_.]+", "-", package).lower())
    return packages
