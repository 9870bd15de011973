"""What is wrong with a data set, in the one form that readers raise and the audit collects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Sequence

Severity = Literal["error", "warning", "note"]

#: From the worst down. An error stops training; a warning teaches it something wrong; a note is
#: worth knowing.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One defect, with every file that has it.

    Attributes:
        kind: a short, stable identifier such as "unpaired-image".
        severity: "error", "warning" or "note".
        split: "train", "val" or "test"; two of them joined by "+" when the defect lies between
            them, and "" when it lies in the whole.
        names: the files (with their folder, relative to the data set), naturally sorted.
        message: what is wrong and where.
        mend: what to do about it.
        details: one line for each case, where the names alone do not tell it.
    """

    kind: str
    severity: Severity
    split: str
    names: tuple[str, ...]
    message: str
    mend: str
    details: tuple[str, ...] = ()

    def error(self) -> CourseError:
        """The finding as an exception: what is wrong, where, and the mend."""
        return CourseError(f"{self.message}; {self.mend}")

    def as_dict(self) -> dict[str, object]:
        """The finding as JSON can hold it."""
        return {**asdict(self), "count": len(self.names)}


def some(names: Sequence[str], most: int = 5) -> str:
    """A list of names for a message: the first few, and how many more."""
    shown = ", ".join(names[:most])
    more = len(names) - most
    return f"{shown} and {more} more" if more > 0 else shown
