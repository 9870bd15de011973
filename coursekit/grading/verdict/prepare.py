"""Runs an assignment's solutions, for what hidden checks give out and what they expect."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.grading.records import Answer, HandedIn
from coursekit.grading.run.assemble import hidden_notebook, solutions
from coursekit.grading.verdict.compare import records
from coursekit.grading.verdict.judge import Reference, judge
from coursekit.grading.verdict.proof import proves, unproved
from coursekit.lessons.regions import hidden_text

if TYPE_CHECKING:
    from pathlib import Path

    from coursekit.grading.run.executor import Executor
    from coursekit.lessons.course import Assignment

#: What the solutions have imported by the end, a student's kernel can have from its beginning.
_MODULES = """
import json, os, pathlib, re, sys
names = sorted(n for n in sys.modules if re.fullmatch(r"[A-Za-z_][\\w.]*", n) and n != "__main__")
pathlib.Path(os.environ["COURSEKIT_PROBE"], "modules.json").write_text(json.dumps(names))
"""
#: Secrets that are tried beside the instructor's before a check is taken to be the same for all.
_OTHERS = 3


def prepare(executor: Executor, assignment: Assignment, secret: str, target: Path) -> Reference:
    """Run the solutions, for what hidden checks give out and what they expect.

    They are run three times: with the secret; with another one, to see that every check has a
    result that cannot be known before (with more, when both give the same: few are drawn from few,
    and it may be chance); and as a student's, to see that they get full marks.

    Args:
        executor: to run them.
        assignment: what will be graded.
        secret: what the inputs are drawn from.
        target: a folder that does not exist; the reference goes there.

    Raises:
        CourseError: for a check that could not be defended.
    """
    where = assignment.lesson.path
    checks = [c for e in assignment.exercises for c in e.checks]
    for check in checks:
        if assignment.points[check.id] and not hidden_text(check):
            raise CourseError(
                f"{where}:{check.line}: {check.id} has points and nothing hidden, so any answer "
                "could forge it; add hidden tests to it, or points=0 in its header"
            )
    answers = solutions(assignment)
    _reference_run(executor, assignment, answers, secret, target)
    executor.import_more(json.loads((target / "modules.json").read_text()))
    unproved = _require_proof(executor, assignment, answers, secret, target)
    reference = Reference(assignment, target, unproved)
    own = HandedIn("solution", "solution", b"")
    found = tuple(Answer(e.name, answers[e.name], "id", "found") for e in assignment.written)
    for result in judge(executor, reference, own, found).grade.checks:
        if result.status != "passed":
            raise CourseError(
                f"{where}: the solution itself gets no points for {result.check} "
                f"({result.status}: {'; '.join(result.reasons)}); does it give the same twice?"
            )
    return reference


def _require_proof(
    executor: Executor, assignment: Assignment, answers: dict[str, str], secret: str, target: Path
) -> dict[str, tuple[str, ...]]:
    """Every check with points emits something that nobody can make up, or admits that it cannot.

    Returns:
        What of each check's results proves nothing, in the instructor's words.
    """
    where = assignment.lesson.path
    checks = [c for e in assignment.exercises for c in e.checks if assignment.points[c.id]]
    for check in checks:
        if not (target / "emitted" / check.id).is_dir():
            raise CourseError(f"{where}:{check.line}: the hidden tests of {check.id} emit nothing")
    told: dict[str, tuple[str, ...]] = {}
    other = target.with_name(target.name + "-other")
    for more in range(1, _OTHERS + 1):
        _reference_run(executor, assignment, answers, secret + "'" * more, other)
        told |= {c.id: _words(target, c.id, unproved(target, other, c.id)) for c in checks}
        checks = [c for c in checks if not proves(target, other, c.id)]
        shutil.rmtree(other)
        if not checks:
            return told
    raise CourseError(
        f"{where}:{checks[0].line}: all that {checks[0].id} emits can be made up: it is the same "
        "for every secret, measured in the student's kernel, or a shape; emit results of inputs "
        "that probe.given drew"
    )


def _words(reference: Path, check: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """What students are told of some emissions, each once."""
    found = records(reference, check)
    said = [found[name]["about"] for name in names]
    admitted = reference / "admitted" / check / "why.json"
    if admitted.is_file():
        said.insert(0, json.loads(admitted.read_text(encoding="utf-8"))["value"])
    return tuple(dict.fromkeys(said))


def _reference_run(
    executor: Executor, assignment: Assignment, answers: dict[str, str], secret: str, target: Path
) -> None:
    notebook = hidden_notebook(assignment, answers)
    notebook["cells"].append({**notebook["cells"][-1], "id": "modules", "source": _MODULES})
    run = executor.run(notebook, target, secret=secret, keep_outputs=True)
    failed = [name for name, outcome in run.cells.items() if outcome != "passed"]
    if run.ended or failed or len(run.cells) != len(notebook["cells"]):
        said = [
            f"{output.get('ename')}: {output.get('evalue')}"
            for name in failed
            for output in run.outputs.get(name, [])
            if output.get("output_type") == "error"
        ]
        raise CourseError(
            f"{assignment.lesson.path}: the solutions do not run through their own hidden tests "
            f"({', '.join(failed) or 'nothing ran'}; {run.ended or '; '.join(said)})"
        )
