"""What the results of a check prove: which of them nobody has without doing the work.

All that a check emits comes from a student's kernel, which can emit anything. So a result proves
something only if it cannot be told without the answer: it must change with the secret, be compared
outside, and be more than some of the inputs over again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.grading.verdict.compare import predictable, records
from coursekit.probe import decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A result with more numbers than this is no mere size or choice of some inputs.
_FEW = 64


def proves(first: Path, second: Path, check: str) -> bool:
    """Whether a check emits anything that no kernel can make up, or admits that it does not."""
    admitted = (first / "admitted" / check).is_dir()
    return admitted or len(unproved(first, second, check)) < len(records(first, check))


def unproved(first: Path, second: Path, check: str) -> tuple[str, ...]:
    """The emissions of a check that a kernel could make up.

    Args:
        first: folder of the reference kernel's probe under one secret.
        second: the same under another.
        check: the name of the check cell.

    Returns:
        Names of those that are the same under both; that are measured where they are emitted, and
        only have to stay on one side of a limit; or that hold a few numbers of the inputs and
        nothing else, such as a shape.
    """
    same = set(predictable(first, second, check))
    inputs = _inputs(first, check)
    found = []
    for name, record in records(first, check).items():
        measured = record["at_most"] is not None or record["at_least"] is not None
        told = not record["miou"] and _repeats(decode(record["value"]), inputs)
        if name in same or measured or told:
            found.append(name)
    return tuple(found)


def _inputs(reference: Path, check: str) -> set[Any]:
    """Numbers that a kernel is given, and the lengths of what it is given."""
    known: set[Any] = {0, 1, None}
    for path in (reference / "given" / check).glob("*.json"):
        value = decode(json.loads(path.read_text(encoding="utf-8"))["value"])
        known.update(_leaves(value, lengths=True))
    return known


def _repeats(value: Any, inputs: set[Any]) -> bool:
    leaves = []
    for leaf in _leaves(value, lengths=False):
        leaves.append(leaf)
        if len(leaves) > _FEW or isinstance(leaf, str):
            return False
    return inputs.issuperset(leaves)


def _leaves(value: Any, *, lengths: bool) -> Iterator[Any]:
    """What a value holds at its ends; where asked, the lengths on the way, too."""
    if isinstance(value, np.ndarray):
        if lengths:
            yield from value.shape
        yield from (value.ravel().tolist() if value.size <= _FEW or not lengths else ())
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item, lengths=lengths)
    elif isinstance(value, (list, tuple)):
        if lengths:
            yield len(value)
        for item in value:
            yield from _leaves(item, lengths=lengths)
    else:
        yield value
