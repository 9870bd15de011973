"""What was measured and under which conditions: one JSON file a measurement.

A row has the same file whoever fills it, so that measuring again replaces what was there.
`python benchmarks/table.py` makes RESULTS.md from these files.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from coursekit.files import write_text

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "benchmarks" / "records"
#: What records hold beside a row's settings and figures.
CONDITIONS = ("command", "commit", "dirty", "date", "machine", "cores", "threads", "load", "torch",
              "device", "seeds", "source")  # fmt: skip

#: Options whose values are folders and files of this machine, and what stands there instead.
_PLACES = {
    "--data": "ROOT", "--lapa": "LAPA", "--out": "RUNS", "--keep": "FOLDER", "--points": "FOLDER",
    "--picture": "FILE.png",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of a table, measured or not.

    Attributes:
        kind: of measurement; the folder of its records.
        settings: what was asked for. Their values, in order, name the file.
    """

    kind: str
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """For example "models/cuda-unet-512-8-fp32-smp"."""
        words = "-".join(str(value) for value in self.settings.values())
        return f"{self.kind}/{words.replace(', ', '-').replace(' ', '-')}"


class Recorder:
    """Keeps rows under the conditions of this process.

    Args:
        device: "cpu", or the GPU's name.
        threads: of torch, or processes that share the work.
        seeds: of all random numbers.
        folder: where the records lie.
    """

    def __init__(
        self, device: str, threads: int, seeds: Sequence[int] = (0,), folder: Path = RECORDS
    ) -> None:
        self.folder = folder
        commit, dirty = state_of_files()
        self._load = load()
        self._fixed = {
            "commit": commit, "dirty": dirty, "machine": processor(), "cores": cores(),
            "threads": threads, "torch": version("torch"), "device": device, "seeds": list(seeds),
            "source": "measured",
        }  # fmt: skip

    def keep(self, row: Row, figures: Mapping[str, Any], command: str | None = None) -> None:
        """Write a row that has just been measured, and print it."""
        before, self._load = self._load, load()
        facts = {
            **self._fixed,
            "command": command or command_line(),
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
            "load": [before, self._load],
        }
        write(self.folder, row, figures, facts)
        print(f"{row.name}: {json.dumps(figures, ensure_ascii=False)}", flush=True)


def write(
    folder: Path, row: Row, figures: Mapping[str, Any], conditions: Mapping[str, Any]
) -> None:
    """Write a record, whole or not at all."""
    facts = {key: conditions[key] for key in CONDITIONS}
    record = {"settings": dict(row.settings), "figures": dict(figures), **facts}
    text = json.dumps(record, indent=1, ensure_ascii=False)
    write_text(folder / f"{row.name}.json", text + "\n")


def read(folder: Path = RECORDS) -> dict[str, dict[str, Any]]:
    """Each record by the name of its row."""
    found = {}
    for path in sorted(folder.rglob("*.json")):
        record = json.loads(path.read_text())
        row = Row(path.parent.relative_to(folder).as_posix(), record["settings"])
        if path.stem != row.name.split("/")[1] or record.keys() != {
            "settings", "figures", *CONDITIONS
        }:  # fmt: skip
            raise SystemExit(f"{path} is not a record of {row.name}: mend or delete it")
        found[row.name] = record
    return found


def command_line() -> str:
    """This process's command, with folders of this machine named as in the text."""
    words = ["python", *sys.argv]
    words[1] = f"benchmarks/{Path(words[1]).name}"
    for i, word in enumerate(words):
        if word in _PLACES:
            words[i + 1] = _PLACES[word]
    words = ["FOLDER" if Path(word).is_absolute() else word for word in words]
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def state_of_files() -> tuple[str, bool]:
    """The short hash of HEAD, and whether its files have changed (records and their page aside).

    Where git knows nothing, COURSEKIT_COMMIT names the commit.
    """
    elsewhere = [".", ":!benchmarks/records", ":!benchmarks/RESULTS.md"]
    try:
        commit, changed = (
            subprocess.run(
                ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (
                ["rev-parse", "--short", "HEAD"],
                ["status", "-s", "-uno", "--", *elsewhere],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("COURSEKIT_COMMIT", "unknown"), False
    return commit, bool(changed)


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> float:
    """The machine's load average over a minute."""
    return round(os.getloadavg()[0], 2)
