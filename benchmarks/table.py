"""RESULTS.md, made from the records and from RESULTS.md.j2, which holds the text around them.

python benchmarks/table.py           # write it: make results
python benchmarks/table.py --check   # exit 1 when the file is not what the records give
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import dml_csr_table
import jinja2
from records import RECORDS, ROOT, read
from wanted import BSPNET_TABLES, MODELS, wanted

from coursekit.files import write_text

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PEERS = ("naive", "matrix", "smp", "smp, our sizes")  # in this order
Record = dict[str, Any]


class Rows:
    """Records as the template asks for them: settings and figures side by side."""

    def __init__(self, records: dict[str, Record]) -> None:
        self._records = records

    def one(self, name: str) -> Record:
        """The record of this name."""
        if name not in self._records:
            raise SystemExit(f"RESULTS.md.j2 quotes {name}, which has no record")
        record = self._records[name]
        return {**record["settings"], **record["figures"], **record}

    def all(self, kind: str, **settings: Any) -> list[Record]:
        """All of a kind that were measured with these settings."""
        found = [self.one(name) for name in self._records if name.startswith(f"{kind}/")]
        chosen = [r for r in found if settings.items() <= r["settings"].items()]
        return sorted(chosen, key=lambda r: [_order(v) for v in r["settings"].values()])

    def groups(self, kind: str, *keys: str) -> Iterator[tuple[Any, list[Record]]]:
        """All of a kind, those together that agree in their first settings."""
        for shared, members in groupby(self.all(kind), itemgetter(*keys)):
            yield shared, list(members)


def _order(value: Any) -> tuple[float, str]:
    """Numbers by size, models and peers as they are listed elsewhere, other words by letters."""
    for listed in (MODELS, PEERS):
        if value in listed:
            return listed.index(value), ""
    return (float(value), "") if isinstance(value, int | float) else (0, str(value))


def origin(rows: Iterable[Record]) -> str:
    """A list of the conditions under which rows were measured, each with its command."""
    groups: dict[str, list[Record]] = {}
    for row in rows:
        facts = [f"commit {row['commit']}{' with changes' if row['dirty'] else ''}"
                 if row["commit"] else "commit not kept"]  # fmt: skip
        facts += dict.fromkeys(row[key] for key in ("device", "machine") if row[key])
        facts += [f"{row[key]} {key}" for key in ("cores", "threads") if row[key]]
        facts += [f"torch {row['torch']}"] if row["torch"] else []
        facts += [row["source"]] if row["source"] != "measured" else []
        groups.setdefault(", ".join(facts), []).append(row)
    lines = []
    for conditions, members in groups.items():
        dates = sorted({row["date"][:10] for row in members if row["date"]})
        loads = sorted(value for row in members for value in row["load"] or ())
        line = f"- {merged([row['command'] for row in members])}: {conditions}"
        line += f", {' to '.join(dict.fromkeys([dates[0], dates[-1]]))}" if dates else ""
        line += f", load {loads[0]} to {loads[-1]}" if loads else ""
        lines.append(line)
    return "\n".join(lines).replace(" 1 threads", " 1 thread")


def merged(commands: list[str | None]) -> str:
    """Commands as one, with … where they differ in a word."""
    if None in commands:
        return "command not kept"
    distinct = [command.split() for command in dict.fromkeys(commands) if command]
    if len({len(words) for words in distinct}) > 1:
        return ", ".join(f"`{' '.join(words)}`" for words in distinct)
    words = (
        several[0] if len(set(several)) == 1 else "…" for several in zip(*distinct, strict=True)
    )
    return f"`{' '.join(words)}`"


def gain(scores: list[float], base: list[float]) -> str:
    """Mean and standard deviation of the differences, seed by seed."""
    gains = [a - b for a, b in zip(scores, base, strict=True)]
    spread = f" ± {statistics.stdev(gains):.2f}" if len(gains) > 1 else ""
    return f"{statistics.mean(gains):+.2f}{spread}"


def by_mean(rows: Iterable[Record]) -> list[Record]:
    """Rows of several seeds, the lowest mean first."""
    return sorted(rows, key=lambda row: statistics.mean(row["mean_iou"]))


def hurt_most(row: Record, base: Record) -> str:
    """The classes that lost most IoU, three of them, or what was written down then."""
    if "iou" not in row or "iou" not in base:
        return str(row.get("hurt", ""))
    lost = {name: base["iou"][name] - score for name, score in row["iou"].items()}
    return ", ".join(sorted(lost, key=lost.__getitem__, reverse=True)[:3])


def number(value: float) -> str:
    """With three digits or more, thousands apart, and without an exponent."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def left_open(records: Iterable[str]) -> dict[str, list[str]]:
    """Wanted rows without a record, by the command that fills them."""
    found = set(records)
    rows = {
        command: [row.name for row in listed if row.name not in found]
        for command, listed in wanted().items()
    }
    return {command: names for command, names in rows.items() if names}


def render(folder: Path = RECORDS) -> str:
    """The text of RESULTS.md."""
    records = read(folder)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(RESULTS.parent), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    environment.filters |= {"number": number, "mean": statistics.mean}
    environment.globals |= {"origin": origin, "gain": gain, "by_mean": by_mean,
                            "hurt_most": hurt_most, "dml": dml_csr_table,
                            "BSPNET_TABLES": BSPNET_TABLES}  # fmt: skip
    template = environment.get_template("RESULTS.md.j2")
    return template.render(rows=Rows(records), open=left_open(records))


def main() -> int:
    text = render()
    if "--check" in sys.argv[1:]:
        if RESULTS.read_text() == text:
            return 0
        print(f"{RESULTS.relative_to(ROOT)} is not what the records give: make results")
        return 1
    write_text(RESULTS, text)
    print(f"wrote {RESULTS.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
