"""Pages of the package's modules, for Sphinx's autodoc to fill from docstrings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What a user of the package calls, by what it is for. Each becomes a page.
SECTIONS = {
    "Networks and what they learn from": ("models", "losses", "metrics", "optim"),
    "Data": ("data", "synthfaces", "labels", "landmarks", "polygons", "annotation"),
    "Training and use": (
        "training", "recipes", "complexity", "checkpoint", "inference", "landmark_inference",
        "prediction", "suspects", "errors",
    ),
    "In a notebook": ("plots", "widgets", "tier", "health", "checks", "probe"),
    "The competition": ("codabench",),
}  # fmt: skip
#: What serves the course's own commands and lessons; their files say how.
INTERNAL = (
    "cli", "commands", "demo", "elsewhere", "files", "grading", "labelling", "lessons", "mutation",
    "names", "parts", "release", "site", "temporary", "terminal", "zips",
)  # fmt: skip
#: Tables of sentences, one for each mistake; and what reads a stranger's zip.
_LEFT_OUT = re.compile(
    r"coursekit\.(checks\.mistakes(\..*)?|codabench\.(archive|catalogue|inline|inspect_child|layout"
    r"|limits|masks|requirements|run_main|solution|solution_files))"
)

_ABOUT = """\
# The package

What `import coursekit` offers, from its docstrings. In a signature the shape of a tensor stands in
quotes, one word an axis: `"batch classes height width"`; `""` is a scalar.
"""


def modules(root: Path, name: str) -> Iterator[str]:
    """A module of the package by its short name, and those inside of it, in order."""
    base = root / "coursekit"
    if (base / f"{name}.py").is_file():
        yield f"coursekit.{name}"
    for path in sorted((base / name).rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        dotted = ".".join(("coursekit", *parts)).removesuffix(".__init__")
        private = any(part.startswith("_") for part in dotted.split("."))
        if not private and not _LEFT_OUT.fullmatch(dotted):
            yield dotted


def paths(root: Path) -> dict[str, str]:
    """The documented modules by the paths that a link may name: a file, or a package's folder."""
    found = {}
    for names in SECTIONS.values():
        for module in (m for name in names for m in modules(root, name)):
            path = module.replace(".", "/")
            found[path if (root / path).is_dir() else f"{path}.py"] = module
    return found


def pages(root: Path) -> dict[str, str]:
    """The sources of the pages: one for each module of `SECTIONS` that is there, and their list."""
    made = {}
    index = [_ABOUT]
    for heading, names in SECTIONS.items():
        there = [name for name in names if list(modules(root, name))]
        if there:
            index += [f"## {heading}", "", "```{toctree}", ":maxdepth: 2", "", *there, "```", ""]
        for name in there:
            made[f"reference/{name}.rst"] = _page(name, list(modules(root, name)))
    return {"reference/index.md": "\n".join(index), **made} if made else {}


def _page(name: str, found: list[str]) -> str:
    lines = [name, "=" * len(name), ""]
    for module in found:
        if module.count(".") > 1:
            title = module.removeprefix(f"coursekit.{name}.")
            lines += [title, "-" * len(title), ""]
        # What a package only hands on stands where it is made.
        lines += [f".. automodule:: {module}", "   :members:", "   :ignore-module-all:", ""]
    return "\n".join(lines)
