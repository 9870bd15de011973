"""The competition: make a submission, check it, score it.

Nothing here imports torch until a submission is made, so that zips are checked and scored by the
hundred on a machine that has none.
"""

from __future__ import annotations

from coursekit.codabench.formats import CODABENCH, FLAT, FORMATS, MASK_SIZE
from coursekit.codabench.problems import Problem, is_valid
from coursekit.codabench.validation import validate

__all__ = [
    "CODABENCH",
    "FLAT",
    "FORMATS",
    "MASK_SIZE",
    "Problem",
    "is_valid",
    "validate",
]
