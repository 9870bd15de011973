"""Everything that can be wrong with a submission, each with its own message and its mend."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from coursekit.codabench.catalogue import KINDS
from coursekit.data.folders import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: How many names a message lists before it says only how many more there are.
_LISTED = 4
_LONGEST = 200  # characters of a stranger's text


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a zip, for all the entries that have it.

    Attributes:
        kind: a short name that stays the same; one of `catalogue.KINDS`.
        entry: the first entry that has it, or "" when it is the zip as a whole.
        message: what is wrong, and where.
        mend: what to do about it.
        severity: "error" (it would fail or score wrongly) or "warning".
        count: how many entries have it.
    """

    kind: str
    entry: str
    message: str
    mend: str
    severity: str = "error"
    count: int = 1

    def __str__(self) -> str:
        return f"{self.severity} [{self.kind}] {self.message}\n    mend: {self.mend}"


class Findings:
    """Collects what is wrong, entry by entry, and groups it by kind.

    A thousand missing masks are one problem with a count, not a thousand lines.
    """

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[str, str]]] = {}

    def add(self, kind: str, entry: str = "", detail: str = "") -> None:
        """Note that `entry` ("" for the zip itself) has a problem of `kind`."""
        if kind not in KINDS:
            raise KeyError(kind)
        self._found.setdefault(kind, []).append((entry, detail))

    def __contains__(self, kind: str) -> bool:
        return kind in self._found

    def problems(self) -> list[Problem]:
        """One problem for each kind: errors first, then in the order of the catalogue."""
        made = [_group(kind, self._found[kind]) for kind in KINDS if kind in self._found]
        return sorted(made, key=lambda problem: problem.severity != "error")


def _group(kind: str, found: Iterable[tuple[str, str]]) -> Problem:
    severity, what, mend = KINDS[kind]
    details: Mapping[str, str] = MappingProxyType(dict(found))
    entries = sorted(details, key=natural_key)
    where = ", ".join(printable(entry) for entry in entries[:_LISTED] if entry)
    if len(entries) > _LISTED:
        where += f" and {len(entries) - _LISTED} more"
    detail = details[entries[0]]
    message = (f"{where}: " if where else "") + what + (f" ({printable(detail)})" if detail else "")
    return Problem(kind, entries[0], message, mend, severity, len(entries))


def printable(text: str) -> str:
    """Text from a stranger's zip, safe to print: no control characters, not endlessly long.

    A name can hold escape sequences that repaint a terminal, or marks that reverse its letters.
    """
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:_LONGEST])
    return shown + ("…" if len(text) > _LONGEST else "")


def is_valid(problems: Iterable[Problem]) -> bool:
    """Whether nothing worse than a warning was found."""
    return all(problem.severity != "error" for problem in problems)
