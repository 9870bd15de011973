"""Finds a student's answers in whatever their editor, and they, have made of the notebook.

Only text is looked at, and `ast` trees of it: nothing of the student's is executed. An answer is
found by its cell's id, else by metadata, by a marker in the text, by the names that it defines, or
by its place. What is found is said in `Answer.notes`; nothing is dropped without a word.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from coursekit import names
from coursekit.grading.answers import alike
from coursekit.grading.answers.cells import Statement, StudentCell, as_code, student_cells
from coursekit.grading.answers.dependencies import Dependencies
from coursekit.grading.answers.key import ExerciseKey, LessonKey, key_of
from coursekit.grading.answers.mend import Budget, parse, without_markers
from coursekit.grading.answers.notes import ON_F_STRINGS, bounded, listed, newer, on_others
from coursekit.grading.answers.own import OwnNotebook, own_notebook
from coursekit.grading.answers.pieces import Piece, WrittenFile, holds
from coursekit.grading.records import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coursekit.lessons.course import Assignment


def recover(notebook: dict[str, Any], assignment: Assignment) -> tuple[Answer, ...]:
    """The answers of a notebook, one for each exercise of the assignment, in order.

    Args:
        notebook: as `read_notebook` gives it.
        assignment: which it answers.
    """
    return recover_all(notebook, assignment)[0]


def recover_all(
    notebook: dict[str, Any], assignment: Assignment
) -> tuple[tuple[Answer, ...], OwnNotebook]:
    """The answers as `recover` finds them, and the notebook as it was handed in."""
    key = key_of(assignment.lesson)
    budget = Budget()
    cells = student_cells(notebook, key, budget)
    finder = _Finder(cells, key, Dependencies(cells, key), budget, newer=newer(notebook))
    exercises = [key.exercises[e.name] for e in assignment.exercises]
    answers = tuple(map(finder.answer, exercises))
    lost = [e for e, a in zip(exercises, answers, strict=True) if a.status != "found"]
    return answers, own_notebook(cells, key, finder.taken, finder.until, lost)


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A statement that binds a name which an answer must define."""

    cell: StudentCell
    statement: Statement
    name: str
    written: bool
    firm: bool  # a definition, or as good as one; not a variable that happens to have the name

    @cached_property
    def piece(self) -> Piece:
        """The statement alone."""
        return Piece(self.cell, self.statement)


@dataclass
class _Finder:
    cells: Sequence[StudentCell]
    key: LessonKey
    dependencies: Dependencies
    budget: Budget
    newer: str
    notes: list[str] = field(default_factory=list)
    taken: list[Piece] = field(default_factory=list)
    until: dict[str, int] = field(default_factory=dict)
    horizons: dict[str, int] = field(default_factory=dict)
    woken: dict[int, StudentCell] = field(default_factory=dict)

    def answer(self, exercise: ExerciseKey) -> Answer:
        """The answer to one exercise, or why there is none."""
        self.notes = []
        self.until[exercise.name] = self._horizon(exercise)
        running = [c for c in self.cells if c.runs]
        chosen = self._choose(exercise, running)
        if not chosen:
            chosen = self._choose(exercise, self._asleep(exercise))
            for candidate in chosen[-1:]:
                cell = candidate.cell
                what = f"%%{cell.code.magic}" if cell.code.magic else cell.kind
                self.notes.append(f"The answer stands in a {what} cell and was read as code.")
        if chosen:
            return self._found(exercise, chosen)
        if not exercise.wanted:
            return self._without_names(exercise)
        return self._not_found(exercise)

    # --- which definitions are in effect ---

    def _choose(self, exercise: ExerciseKey, cells: Sequence[StudentCell]) -> list[_Candidate]:
        """For each wanted name what defines it; nothing when nothing was written."""
        chosen: list[_Candidate] = []
        for name in exercise.wanted:
            candidates = self._candidates(exercise, name, cells)
            written = [c for c in candidates if c.written]
            best = self._in_effect(exercise, [c for c in written if c.firm] or written)
            if best is None:
                chosen += candidates[-1:]
                continue
            chosen.append(best)
            chosen += self._underneath(best, candidates)
        return chosen if any(c.written for c in chosen) else []

    def _candidates(
        self, exercise: ExerciseKey, name: str, cells: Sequence[StudentCell]
    ) -> list[_Candidate]:
        found = []
        for cell in cells:
            # Python reads ｐaint as paint, so that only ASCII can be passed over quickly.
            if name not in cell.source and cell.source.isascii():
                continue
            for statement in cell.statements:
                if name not in statement.bound or self._is_given(cell, exercise, statement):
                    continue
                firm = name in exercise.plain or _is_definition(statement.node)
                written = exercise.stubs.get(
                    name
                ) != statement.shape or self.dependencies.completes(
                    name, Piece(cell, statement), self._horizon(exercise)
                )
                found.append(_Candidate(cell, statement, name, written, firm))
        answering = [c for c in found if c.cell.finds(exercise.name)]
        return answering if answering and name in exercise.plain else found

    def _is_given(self, cell: StudentCell, exercise: ExerciseKey, statement: Statement) -> bool:
        """Whether a statement is one of the lesson's own, in one of the lesson's own cells."""
        others = cell.known - {exercise.name}
        return bool(others) and statement.same in self.key.statements

    def _in_effect(
        self, exercise: ExerciseKey, candidates: Sequence[_Candidate]
    ) -> _Candidate | None:
        """The one that a run from top to bottom has when it comes to the exercise's check."""
        horizon = self._horizon(exercise)
        before = [c for c in candidates if c.cell.number <= horizon]
        best = next(reversed(before or list(candidates)), None)
        if best is not None and len({c.statement.shape for c in candidates}) > 1:
            where = listed(dict.fromkeys(c.cell.title for c in candidates))
            self.notes.append(
                f"{best.name} is defined in different ways in {where}; what counts is "
                f"{best.cell.title}, the last{' before the check' if before else ''}."
            )
        return best

    def _underneath(self, best: _Candidate, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        """The earlier definitions that this one needs, as in `class Net(Net)`."""
        needed: list[_Candidate] = []
        current = best
        for earlier in reversed([c for c in candidates if c.piece.order < best.piece.order]):
            if best.name not in names.needed_at_once(current.piece.text):
                break
            needed.append(earlier)
            current = earlier
        return needed

    def _horizon(self, exercise: ExerciseKey) -> int:
        """Number of the last cell that checks the exercise; of the last cell when none does."""
        if exercise.name not in self.horizons:  # thousands of stubs ask, and texts are long
            self.horizons[exercise.name] = self._last_check(exercise)
        return self.horizons[exercise.name]

    def _last_check(self, exercise: ExerciseKey) -> int:
        call = re.compile(rf"""\bCheck\(\s*["']{re.escape(exercise.name)}["']""")
        numbers = [
            c.number
            for c in self.cells
            if c.kind == "code" and (c.known & exercise.checks or call.search(c.source))
        ]
        return max(numbers, default=len(self.cells) + 1)

    # --- making an answer of them ---

    def _found(self, exercise: ExerciseKey, chosen: Sequence[_Candidate]) -> Answer:
        main = max((c for c in chosen if c.written), key=lambda c: c.piece.order).piece.cell
        pieces: list[Piece] = []
        for candidate in chosen:
            cell = candidate.cell
            new = [Piece(cell, None)] if cell.finds(exercise.name) else [candidate.piece]
            pieces += [piece for piece in new if not holds(pieces, piece)]
        pieces = [p for p in pieces if p.statement is None or not holds(_whole(pieces), p)]
        missing = [n for n in exercise.wanted if n not in {c.name for c in chosen}]
        if missing:
            self.notes.append(f"Nothing defines {listed(missing)}.")
        return self._made(exercise, pieces, main)

    def _made(self, exercise: ExerciseKey, pieces: list[Piece], main: StudentCell) -> Answer:
        found = self.dependencies.find(pieces, exercise, self._horizon(exercise))
        self.taken += [*pieces, *found.pieces]
        self.until[exercise.name] = max(self._horizon(exercise), main.number)
        found_by = main.finds(exercise.name) or ("definition" if exercise.wanted else "place")
        notes = list(self.notes)
        if found_by != "id":
            notes.append(f"The answer was found by {_WAYS[found_by]}, in {main.title}.")
        if len(parts := dict.fromkeys(p.cell.title for p in pieces)) > 1:
            notes.append(f"The answer is in parts, in {listed(parts)}.")
        for piece in (*pieces, *found.pieces):
            notes += () if isinstance(piece, WrittenFile) else piece.cell.notes
        notes += on_others(found)
        source = self.dependencies.put_together([*pieces, *found.pieces], exercise, notes)
        source = without_markers(source, notes).strip("\n")
        problem = parse(source, Budget()).problem
        if problem:
            return self._unreadable(exercise, found_by, f"The answer cannot be used: {problem}.")
        return Answer(exercise.name, source, found_by, "found", bounded(notes))

    # --- when there is nothing to make one of ---

    def _without_names(self, exercise: ExerciseKey) -> Answer:
        """An exercise whose solution defines nothing: its cell is the answer, whatever it holds."""
        own = [c for c in self.cells if c.runs and c.finds(exercise.name)]
        own = own[-1:] or [c for c in self._at_place(exercise) if c.source.strip()]
        tree = own[-1].code.tree if own else None
        if tree is None or not tree.body or alike.shape(tree) == exercise.stub:
            return self._not_found(exercise)
        return self._made(exercise, [Piece(cell, None) for cell in own], own[-1])

    def _not_found(self, exercise: ExerciseKey) -> Answer:
        definition = re.compile(
            rf"^\s*(?:async\s+def|def|class)\s+(?:{_either(exercise.wanted)})\b", re.MULTILINE
        )
        code = [c for c in self.cells if c.kind == "code" and not c.given and c.source.strip()]
        own = [c for c in code if c.finds(exercise.name)]
        near = self._at_place(exercise)
        by_name = [c for c in code if exercise.wanted and definition.search(c.source)]
        for cells, found_by in ((own, ""), (by_name, "definition"), (near, "place")):
            for cell in reversed([c for c in cells if c.code.tree is None]):
                way = found_by or cell.finds(exercise.name)
                problem = cell.code.problem
                reason = f"{cell.title.capitalize()} cannot be read as Python: {problem}."
                reason += self.newer or ON_F_STRINGS * ("f-string" in problem)
                return self._unreadable(exercise, way, reason)
        if self._has_stub(exercise):
            return self._none(exercise, "not-written")
        self.notes += self._traces(exercise, own or near)
        return self._none(exercise, "missing")

    def _unreadable(self, exercise: ExerciseKey, found_by: str, reason: str) -> Answer:
        notes = bounded([*self.notes, reason])
        return Answer(exercise.name, None, found_by, "unreadable", notes)

    def _none(self, exercise: ExerciseKey, status: str) -> Answer:
        return Answer(exercise.name, None, "", status, bounded(self.notes))

    def _has_stub(self, exercise: ExerciseKey) -> bool:
        """Whether the exercise is there and holds nothing of the student's."""
        if any(c.given == exercise.name for c in self.cells):
            return True
        for cell in self.cells:
            tree = cell.code.tree
            if tree is None:
                continue
            if cell.finds(exercise.name) and alike.shape(tree) in (exercise.stub, _EMPTY):
                return True
            for statement in cell.statements:
                for name in statement.bound.intersection(exercise.wanted):
                    if statement.shape == exercise.stubs.get(name):
                        return True
        return False

    def _asleep(self, exercise: ExerciseKey) -> list[StudentCell]:
        """The cells that a kernel would not run and that speak of the exercise, read as code."""
        speaks = re.compile(rf"\b(?:{_either(exercise.wanted)})\b")
        found = []
        for cell in self.cells:
            texts = any(self.key.kinds[name] != "code" for name in cell.known)
            if not cell.runs and not texts and exercise.wanted and speaks.search(cell.source):
                found.append(self._read_as_code(cell))
        return found

    def _read_as_code(self, cell: StudentCell) -> StudentCell:
        if cell.kind == "code":
            return cell
        if cell.number not in self.woken:
            self.woken[cell.number] = as_code(cell, self.budget)
        return self.woken[cell.number]

    def _at_place(self, exercise: ExerciseKey) -> list[StudentCell]:
        """The student's own cells that stand where the answer should."""
        places = [(self.key.places[name], c) for c in self.cells for name in c.known]
        before = max((p for p in places if p[0] < exercise.place), key=_first, default=None)
        after = min((p for p in places if p[0] > exercise.place), key=_first, default=None)
        if before is None or after is None:
            return []
        first, last = before[1].number, after[1].number
        return [c for c in self.cells if c.runs and not c.known and first < c.number < last]

    def _traces(self, exercise: ExerciseKey, cells: Sequence[StudentCell]) -> list[str]:
        """What there is in place of the answer."""
        found: list[str] = []
        wanted = listed(exercise.wanted)
        for cell in self.cells:
            top = [s.node for s in cell.statements]
            for node in [n for s in top for n in ast.walk(s)]:
                if not isinstance(node, names.DEFINITIONS):
                    continue
                odd = [a for n in exercise.wanted if (a := alike.look_alike(node.name, n))]
                if odd:
                    found.append(f"{cell.title.capitalize()} defines a look-alike: {odd[0]}.")
                elif node.name in exercise.wanted and node not in top:
                    found.append(
                        f"{cell.title.capitalize()} defines {node.name} inside of another "
                        "definition, where nothing can call it."
                    )
        for cell in cells:
            others = set().union(*(s.bound for s in cell.statements)) - self.key.answers
            if others:
                shown = listed(sorted(others))
                found.append(f"{cell.title.capitalize()} defines {shown}, not {wanted}.")
        return found or [f"No cell defines {wanted}."]


_WAYS = {
    "metadata": "the cell's metadata",
    "marker": "the text of its cell",
    "definition": "what it defines",
    "place": "its place",
}
_EMPTY = alike.shape(ast.parse(""))


def _is_definition(node: ast.stmt) -> bool:
    """Whether a statement makes a function or class of a name: not `paint = paint(image)`."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return isinstance(node.value, (ast.Lambda, ast.Name, ast.Attribute))
    return not isinstance(node, (ast.AugAssign, ast.For, ast.While, ast.With, ast.Expr))


def _whole(pieces: Iterable[Piece]) -> list[Piece]:
    return [piece for piece in pieces if piece.statement is None]


def _either(wanted: Iterable[str]) -> str:
    return "|".join(map(re.escape, wanted))


def _first(pair: tuple[int, StudentCell]) -> int:
    return pair[0]
