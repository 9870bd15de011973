"""Judges one released notebook by its source's markers: public lines, stubs, and nothing else.

Nothing that makes notebooks is used here. The source is read by `reread`, and what a notebook must
say of itself is written down once more.
"""

from __future__ import annotations

import ast
import base64
import re
from typing import TYPE_CHECKING, Any

from coursekit.checks import NOT_WRITTEN
from coursekit.probe import TRAINED, UNCHANGED
from coursekit.release.reread import GAP, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coursekit.lessons.course import Assignment
    from coursekit.release.reread import SourceCell

_PARTS = {"cells", "metadata", "nbformat", "nbformat_minor"}
_CELL_KEYS = {"cell_type", "id", "metadata", "source"}
_METADATA_KEYS = {"coursekit", "tags", "deletable", "jupyter"}
_EDITOR = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3",
    },
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}  # fmt: skip


#: What the builder writes in the place of these: any text, which `leaks` looks through; in a code
#: cell nothing that could end the string that it stands in.
_MADE = re.compile(
    r"\{\{(?:your-time|computing|memory|links|papers|lessons|map|records \w+ \w+)\}\}"
)
#: Records are lines of JSON, whose quotes never stand side by side.
_RECORDS, _JSON = "{{records ", r'(?:[^"\\]|"(?!"))*'
#: And behind the heading of an exercise.
_EFFORT = r"(?: \((?:\d+ minutes)?(?:, )?(?:easy|medium|hard)?\))?"
_ASKED = re.compile(r'from coursekit\.widgets import quiz\n\nquiz\("""\n([\w+/=\n]+)\n"""\)')


def lint_notebook(
    notebook: dict[str, Any], assignment: Assignment, source: Sequence[SourceCell]
) -> Iterator[str]:
    """Everything that is wrong with a notebook, one sentence each.

    Args:
        notebook: as it was read.
        assignment: which exercises are graded or given, for how many points, until when.
        source: the lesson's cells, as `read_source` finds them.

    Raises:
        KeyError, TypeError, AttributeError: for what is no notebook.
    """
    wanted = {**_EDITOR, "coursekit": _about_notebook(assignment)}
    if notebook["metadata"] != wanted or set(notebook) - _PARTS:
        yield "has other metadata than a release gives (a kernel, widgets, an author?)"
    originals = {cell.name: cell for cell in source}
    cells: dict[str, dict[str, Any]] = {}
    for cell in notebook["cells"]:
        where = f"cell {cell.get('id')}"
        if cell.get("id") in cells or "id" not in cell:
            yield f"{where}: has no id of its own"
            continue
        cells[cell["id"]] = cell
        for complaint in (*_lint_frame(cell), *_lint_text(cell, originals, assignment)):
            yield f"{where}: {complaint}"
    shown = [c.name for c in source if _public(c, assignment).strip()]
    if [name for name in cells if name in shown] != shown:
        yield "lacks cells of its source, or has them in another order"
    yield from _lint_exercises(cells, source, assignment)


def _about_notebook(assignment: Assignment) -> dict[str, Any]:
    due = {} if assignment.due is None else {"due": assignment.due}
    return {"assignment": assignment.name, "lesson": assignment.lesson.name, **due}


def _lint_frame(cell: dict[str, Any]) -> Iterator[str]:
    """What a cell has beside its text."""
    keys = _CELL_KEYS
    if cell["cell_type"] == "code":
        keys = keys | {"outputs", "execution_count"}
        if cell.get("outputs"):
            yield "has outputs"
        if cell.get("execution_count") is not None:
            yield "has been executed"
    if extra := set(cell) - keys:
        yield f"has {', '.join(sorted(extra))}"
    if unknown := set(cell["metadata"]) - _METADATA_KEYS:
        yield f"has metadata that no release gives: {', '.join(sorted(unknown))}"
    if cell["metadata"].get("jupyter", {"source_hidden": True}) != {"source_hidden": True}:
        yield "has metadata for Jupyter that no release gives"


def _lint_text(
    cell: dict[str, Any], originals: Mapping[str, SourceCell], assignment: Assignment
) -> Iterator[str]:
    original = originals.get(cell["id"])
    if cell["id"] == f"lesson-{assignment.lesson.name[:2]}-quiz" and "quiz" in originals:
        yield from _lint_quiz(cell, originals["quiz"])
    elif original is None:
        # The card, and a word before what is given or for practice: `leaks` looks through them.
        name = rf"lesson-{assignment.lesson.name[:2]}-(assignment|(given|practice)-[a-z0-9-]+)"
        if cell["cell_type"] != "markdown" or not re.fullmatch(name, cell["id"]):
            yield "is in no source"
    elif original.kind != cell["cell_type"]:
        yield f"is {cell['cell_type']}, not {original.kind}"
    elif original.name == "quiz" and original.kind == "markdown":
        return  # written out by the builder: `leaks` looks through it
    elif not _agree(_text(cell).strip("\n"), _public(original, assignment).strip("\n"), original):
        yield "does not hold exactly what its source shows of it"


def _lint_quiz(cell: dict[str, Any], source: SourceCell) -> Iterator[str]:
    """The widget's cell holds the quiz's public text, sealed, and nothing else."""
    found = _ASKED.fullmatch(_text(cell)) if cell["cell_type"] == "code" else None
    try:
        text = base64.b64decode(found[1]).decode() if found else None
    except ValueError:
        text = None
    if text is None or text.strip("\n") != "\n".join(source.public).strip("\n"):
        yield "does not hold exactly the quiz of its source"


def _agree(text: str, public: str, source: SourceCell) -> bool:
    """Whether a cell shows what its source shows, but for what the builder puts in."""
    if text == public:
        return True
    words = source.kind == "markdown"
    lines = []
    for line in public.split("\n"):
        made = r"[\s\S]*" if words else _JSON if _RECORDS in line else r'[^"\\{}]*'
        wanted = made.join(re.escape(piece) for piece in _MADE.split(line))
        lines.append(wanted + _EFFORT if words and line.startswith("## Exercise ") else wanted)
    return re.fullmatch("\n".join(lines), text) is not None


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])  # a list of lines, or one text


def _public(cell: SourceCell, assignment: Assignment) -> str:
    """What a student may see of a cell."""
    waiting = iter(cell.regions)
    given = cell.name in assignment.given
    shown = [f"# exercise: {cell.name}"] if cell.solutions and not given else []
    for line in cell.public:
        if not line.endswith(GAP):
            shown.append(line)
            continue
        region, indent = next(waiting), line.removesuffix(GAP)
        if not region.hidden and given:
            shown += region.lines
        elif not region.hidden:
            shown.append(f"{indent}# YOUR CODE HERE")
            shown.append(f'{indent}raise NotImplementedError("{NOT_WRITTEN}{cell.name}")')
    return "\n".join(shown)


def _lint_exercises(
    cells: dict[str, dict[str, Any]], source: Sequence[SourceCell], assignment: Assignment
) -> Iterator[str]:
    worth = 0
    spoken = set()
    for answer in (cell for cell in source if cell.solutions):
        name = answer.name
        checks = [c for c in source if re.fullmatch(rf"check-{re.escape(name)}(-\d+)?", c.name)]
        spoken |= {name, *(check.name for check in checks)}
        if name not in cells:
            yield f"the answer cell of {name} is missing"
            continue
        if name not in assignment.given:
            yield from _lint_stub(_text(cells[name]), answer)
        yield from _lint_about(cells[name], answer, checks, assignment)
        there = [check.name for check in checks if check.name in cells]
        if not there and any(e.name == name for e in assignment.exercises):
            yield f"{name}: has no public check"
        for check in there:
            yield from _lint_check(cells[check], name, assignment)
        worth += cells[name]["metadata"].get("coursekit", {}).get("points", 0)
    if worth != assignment.total:
        yield f"its exercises are worth {worth} points, the assignment {assignment.total}"
    for name in sorted(set(cells) - spoken):
        if "coursekit" in cells[name]["metadata"]:
            yield f"{name}: has the metadata of an exercise, and is none"


def _lint_about(
    cell: dict[str, Any], answer: SourceCell, checks: Sequence[SourceCell], assignment: Assignment
) -> Iterator[str]:
    """What an answer cell says of itself, and of the hidden tests."""
    about = dict(cell["metadata"].get("coursekit", {}))
    words = about.pop("also_tried", [])
    pieces = told(region for check in checks for region in check.regions)
    pieces |= {"…", UNCHANGED, *TRAINED}
    if not all(_made_of(word, pieces) for word in words):
        yield f"{answer.name}: tells more of its hidden tests than `about` says"
    wanted: dict[str, Any] = {
        "assignment": assignment.name,
        "exercise": answer.name,
        "points": sum(assignment.points.get(check.name, 0) for check in checks),
    }
    graded = any(e.name == answer.name for e in assignment.exercises)
    if not graded:
        wanted["given" if answer.name in assignment.given else "practice"] = True
    if about != wanted or (words and not graded):
        yield f"{answer.name}: its metadata are not what the assignment says"


def _made_of(word: str, pieces: set[str]) -> bool:
    """Whether a text is nothing but pieces, one after the other."""
    ends = {0}
    for place in range(len(word)):
        if place in ends:
            ends |= {place + len(p) for p in pieces if p and word.startswith(p, place)}
    return len(word) in ends


def _lint_check(cell: dict[str, Any], exercise: str, assignment: Assignment) -> Iterator[str]:
    name, about = cell["id"], dict(cell["metadata"].get("coursekit", {}))
    points = about.pop("points", None)
    if points != assignment.points.get(name, 0):
        yield f"{name}: is worth {points}, the assignment says otherwise"
    if about != {"assignment": assignment.name, "exercise": exercise}:
        yield f"{name}: its metadata are not what the assignment says"


def _lint_stub(text: str, answer: SourceCell) -> Iterator[str]:
    """A stub compiles, and raises once for each solution that was taken out."""
    try:
        compile(text, answer.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        yield f"{answer.name}: its stub is not Python ({error})"
        return
    raised = sum(
        isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and getattr(node.exc.func, "id", "") == "NotImplementedError"
        and [getattr(a, "value", "") for a in node.exc.args] == [NOT_WRITTEN + answer.name]
        for node in ast.walk(ast.parse(text))
    )
    if raised != len(answer.solutions):
        yield f"{answer.name}: its stub raises {raised} times, not once for each solution"
