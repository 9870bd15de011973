"""Count what each network of the budget designer costs: `python benchmarks/budget.py`.

Writes coursekit/widgets/costs.json; a minute. Counts are the same on every machine.
"""

from __future__ import annotations

import dataclasses
import json

from coursekit.files import atomic_path
from coursekit.widgets.budget import DEPTHS, FAMILIES, TABLE, WIDTHS, count, depth_of


def table() -> dict[str, list[list[list[int]]]]:
    """By family, depth and width: parameters, multiply-accumulates, bytes that are kept."""
    found: dict[str, list[list[list[int]]]] = {}
    for family in FAMILIES:
        deep = {
            depth: [list(dataclasses.astuple(count(family, width, depth))) for width in WIDTHS]
            for depth in sorted({depth_of(family, depth) for depth in DEPTHS})
        }
        found[family] = [deep[depth_of(family, depth)] for depth in DEPTHS]
    return found


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in table().items()]
    with atomic_path(TABLE) as path:
        path.write_text("{" + ",\n".join(lines) + "}\n", "utf-8")
