"""What a student's kernel emitted, compared with what the solution emitted: the trusted half.

How a result is compared stands in the reference's record alone; of a student's record only the
value counts. That record is a stranger's: it may be a link, a pipe, a gigabyte, or no JSON. All of
this makes a check "wrong" and none of it an exception. The reasons are for the student, so they
are made of the reference's `about` and of the phrases below: never of a value or a shape of the
reference, and never of anything that the student's kernel wrote.
"""

from __future__ import annotations

import json
import math
import os
import stat
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.errors import CourseError
from coursekit.labels import IGNORE_INDEX
from coursekit.probe import decode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

#: Bytes of one emitted file, and the items (numbers, strings, brackets) in it: reading one needs
#: less than ten times the bytes, whatever is in it.
MOST_BYTES, MOST_ITEMS = 32_000_000, 1_000_000

MISSING = "is missing"
UNREADABLE = "cannot be read"
TYPE = "has another type"
SHAPE = "has another shape"
VALUES = "wrong values"
FINITE = "not a finite number where one is expected"
ABOVE, BELOW = "above the limit", "below the threshold"

_CLOSE = 1e-5  # what floats get when the emission says nothing
_Record = dict[str, Any]


def compare(reference: Path, emitted: Path, check: str) -> tuple[str, tuple[str, ...]]:
    """Judge one check.

    Args:
        reference: folder of the reference kernel's probe.
        emitted: folder of a student's probe; nothing in it is trusted.
        check: the name of the check cell.

    Returns:
        A key of `coursekit.grading.records.STATUSES` ("passed", "wrong", or "not-run" when nothing
        was emitted), and the reasons, one for each emission that is not as it should be.

    Raises:
        CourseError: when the *reference* is not in order.
    """
    return compare_records(records(reference, check), reference, emitted, check)


def compare_records(
    wanted: Mapping[str, _Record], reference: Path, emitted: Path, check: str
) -> tuple[str, tuple[str, ...]]:
    """See `compare`; for thousands of students the reference's `records` are read once."""
    found = {name: _read_stranger(emitted, check, name) for name in wanted}
    if all(problem == MISSING for problem, _ in found.values()):
        return "not-run", ()
    reasons = []
    for name, record in wanted.items():
        problem, value = found[name]
        category = problem or _judge(record, value, reference, check)
        if category:
            reasons.append(f"{record['about']}: {category}")
    return ("wrong" if reasons else "passed"), tuple(dict.fromkeys(reasons))


def emissions(reference: Path, check: str) -> tuple[str, ...]:
    """The names of what a check emits.

    Raises:
        CourseError: when it emitted nothing.
    """
    return tuple(records(reference, check))


def predictable(first: Path, second: Path, check: str) -> tuple[str, ...]:
    """The emissions that somebody could forge who knows another secret's results.

    Args:
        first: folder of the reference kernel's probe under one secret.
        second: the same under another.
        check: the name of the check cell.

    Returns:
        Names of those whose results of the first run pass in the second. A number that must only
        stay below a limit is always among them. A check decides something when `emissions` has
        a name that is not here.
    """
    before = records(first, check)
    after = records(second, check)
    return tuple(
        name
        for name, record in after.items()
        if name in before and not _judge(record, decode(before[name]["value"]), second, check)
    )


def records(folder: Path, check: str) -> dict[str, _Record]:
    """The records of the reference kernel, by name."""
    paths = sorted((folder / "emitted" / check).glob("*.json"))
    if not paths:
        raise CourseError(f"{check}: its hidden half emitted nothing when the solution ran; "
                          "let it call Probe.emit")  # fmt: skip
    records = {}
    for path in paths:
        if path.stat().st_size > MOST_BYTES:
            raise CourseError(f"{check}: emission {path.stem} of the solution is larger than "
                              f"{MOST_BYTES:,} bytes; emit less")  # fmt: skip
        record = json.loads(path.read_text(encoding="utf-8"))
        if "about" not in record:
            raise CourseError(f"{path}: was not written by a reference kernel")
        records[path.stem] = record
    return records


def _read_stranger(folder: Path, check: str, name: str) -> tuple[str, Any]:
    """What is wrong with a student's file ("" when nothing is), and the value in it."""
    try:
        content = _read_regular(folder, ("emitted", check, f"{name}.json"))
    except FileNotFoundError:
        return MISSING, None
    except OSError:
        return UNREADABLE, None
    # Base64 and digits hold none of these, so nobody needs many; each costs a Python object.
    if len(content) > MOST_BYTES or sum(map(content.count, b",[{:")) > MOST_ITEMS:
        return UNREADABLE, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an odd npy header warns before it fails
            record = json.loads(content.decode("utf-8"), parse_constant=_refuse)
            return "", decode(record["value"])
    except Exception:  # whatever a stranger's bytes may raise on their way
        return UNREADABLE, None


def _read_regular(folder: Path, parts: tuple[str, ...]) -> bytes:
    """The first bytes of a file, one more than may be; no link is followed, no pipe waited for."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            kind = os.O_NONBLOCK if part is parts[-1] else os.O_DIRECTORY
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind
            below = os.open(part, flags, dir_fd=handle)
            os.close(handle)
            handle = below
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("no regular file")
        with os.fdopen(os.dup(handle), "rb") as file:
            return file.read(min(found.st_size, MOST_BYTES) + 1)  # room is made for all of it
    finally:
        os.close(handle)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _judge(record: _Record, got: Any, reference: Path, check: str) -> str:
    """What is wrong with a value; "" when nothing is."""
    with np.errstate(all="ignore"):
        if record["miou"]:
            name, least = record["miou"]
            path = reference / "kept" / check / f"{name}.json"
            truth = decode(json.loads(path.read_text(encoding="utf-8"))["value"])
            return _judge_maps(np.asarray(truth), got, float(least))
        if record.get("shapes"):
            got = _numbers_in(got)
        if record["at_most"] is not None or record["at_least"] is not None:
            return _judge_number(got, record["at_most"], record["at_least"])
        return _difference(got, decode(record["value"]), record["close"], record["dtype"])


def _numbers_in(shapes: Any) -> int | None:
    """How many numbers arrays of these shapes hold; None for what is no table of shapes."""
    if not isinstance(shapes, dict):
        return None
    total = 0
    for shape in shapes.values():
        sides = shape if isinstance(shape, (list, tuple)) else [None]
        # Few and short: a product of very many long numbers takes hours.
        if len(sides) > 8 or not all(type(s) is int and 0 <= s < 1 << 40 for s in sides):
            return None
        total += math.prod(sides)
    return total


def _judge_number(got: Any, at_most: float | None, at_least: float | None) -> str:
    if isinstance(got, np.ndarray) and got.shape == () and got.dtype.kind in "iuf":
        got = got.item()
    if isinstance(got, bool) or not isinstance(got, (int, float)):
        return TYPE
    if isinstance(got, float) and not math.isfinite(got):
        return FINITE
    if at_most is not None and got > at_most:
        return ABOVE
    return BELOW if at_least is not None and got < at_least else ""


def _judge_maps(truth: NDArray[Any], got: Any, least: float) -> str:
    """Mean IoU of all maps together over the classes that occur, as in coursekit.metrics."""
    shape = _shape(got)
    if shape != truth.shape:
        return TYPE if shape is None else SHAPE
    ids = _array(got)
    if ids is None or ids.dtype.kind not in "iuf":
        return TYPE
    if not np.isfinite(ids).all():
        return FINITE
    if ((ids < 0) | (ids > IGNORE_INDEX) | (ids != np.floor(ids))).any():
        return VALUES
    known = truth != IGNORE_INDEX
    true, called = truth[known].astype(np.int64), ids[known].astype(np.int64)
    size = IGNORE_INDEX + 1
    hit = np.bincount(true[true == called], minlength=size)
    union = np.bincount(true, minlength=size) + np.bincount(called, minlength=size) - hit
    present = union > 0
    score = float((hit[present] / union[present]).mean()) if present.any() else 0.0
    return "" if score >= least else BELOW


def _difference(got: Any, expected: Any, close: float | None, dtype: bool) -> str:
    """How a value differs from what is expected; "" when it does not.

    Types are not compared, as in coursekit.checks: 2, [2][0] and an array of 2 are equal.
    """
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return TYPE
        if got.keys() != expected.keys():
            return SHAPE
        pairs = [(got[key], value) for key, value in expected.items()]
        return _first_difference(pairs, close, dtype)
    if dtype and isinstance(expected, np.ndarray):
        if not isinstance(got, np.ndarray) or got.dtype != expected.dtype:
            return TYPE
        dtype = False
    shape = _shape(expected)
    if shape is None or dtype:
        return _structure_difference(got, expected, shape, close, dtype)
    # Before anything is stacked: a stranger's list of arrays is no larger than what is expected.
    found = _shape(got)
    if found != shape:
        return TYPE if found is None else SHAPE
    a, b = _array(got), _array(expected)
    if a is None or b is None:  # whole numbers that no array holds
        return "" if type(got) is int and got == expected else VALUES
    return _array_difference(a, b, close)


def _structure_difference(
    got: Any, expected: Any, shape: tuple[int, ...] | None, close: float | None, dtype: bool
) -> str:
    """The same for strings, None, and sequences that are no array or whose arrays' types count."""
    if isinstance(expected, (list, tuple)):
        if not isinstance(got, (list, tuple)):
            return TYPE
        if len(got) != len(expected):
            return SHAPE
        return _first_difference(list(zip(got, expected, strict=True)), close, dtype)
    if shape is not None:  # a plain number has no type that counts
        return _difference(got, expected, close, False)
    if type(got) is not type(expected):
        return TYPE
    return "" if got == expected else VALUES


def _first_difference(pairs: list[tuple[Any, Any]], close: float | None, dtype: bool) -> str:
    found = (_difference(got, expected, close, dtype) for got, expected in pairs)
    return next((difference for difference in found if difference), "")


def _array_difference(got: NDArray[Any], expected: NDArray[Any], close: float | None) -> str:
    if got.dtype.kind == "c" and expected.dtype.kind != "c":
        return TYPE
    if expected.dtype.kind in "biu" and close is None:
        return "" if bool((got == expected).all()) else VALUES
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    got, expected = got.astype(wide), expected.astype(wide)
    if bool((np.isfinite(expected) & ~np.isfinite(got)).any()):
        return FINITE
    by = _CLOSE if close is None else close
    return "" if np.isclose(got, expected, atol=by, rtol=by, equal_nan=True).all() else VALUES


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of the array that a value stands for; None when it stands for none."""
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, (bool, int, float)):
        return ()
    if not isinstance(value, (list, tuple)):
        return None
    shapes = {_shape(item) for item in value}
    if not shapes:
        return (0,)
    inner = shapes.pop()
    return None if shapes or inner is None else (len(value), *inner)


def _array(value: Any) -> NDArray[Any] | None:
    """A value that has a shape, as an array; None when a whole number is too large for one."""
    array = np.asarray(value)
    return array if array.dtype.kind in "biufc" else None
