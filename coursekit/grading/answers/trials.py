"""An answer without what its writer tried beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit import names
from coursekit.grading.answers.cells import StudentCell
from coursekit.grading.answers.mend import Budget, Mended, parse

if TYPE_CHECKING:
    from coursekit.grading.answers.cells import Statement
    from coursekit.grading.answers.key import LessonKey


def without_trials(source: str, key: LessonKey) -> str:
    """What an answer's text defines, and what that needs of it; with as many lines.

    Training, pictures and prints below a definition are trials, and may take all day. What they do
    to a module (`torch.manual_seed(0)`) is taken to matter to nobody.

    Args:
        source: the answer, as it is run.
        key: of its lesson.
    """
    cell = StudentCell(0, "code", source, Mended(source, parse(source, Budget()).tree))
    imported = {n for s in cell.statements if isinstance(s.node, names.IMPORTS) for n in s.bound}
    by_name: dict[str, list[Statement]] = {}
    for statement in cell.statements:
        for name in statement.bound | (statement.changed - imported - key.given):
            by_name.setdefault(name, []).append(statement)
    kept = [
        s
        for s in cell.statements
        if isinstance(s.node, (*names.DEFINITIONS, *names.IMPORTS)) or s.bound & key.answers
    ]
    for statement in kept:  # which grows
        new = (s for name in sorted(statement.free) for s in by_name.get(name, []))
        kept += dict.fromkeys(s for s in new if s not in kept)
    lines = source.split("\n")
    for statement in cell.statements:
        if kept and statement not in kept and not statement.shares:
            first, last = statement.lines
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines)
