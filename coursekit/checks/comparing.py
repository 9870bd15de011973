"""How two values differ, and what kind of thing a value is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.checks.copies import is_data, is_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SMALL = {"uint8": 256, "int8": 256, "uint16": 65536, "int16": 65536}


def difference(got: object, expected: object, atol: float, rtol: float) -> str | None:
    """How `got` differs from `expected`, in words; None when it does not."""
    a, b = as_array(got), as_array(expected)
    if a is None or b is None:
        same = a is None and b is None and _equal(got, expected)
        return None if same else f"got {_short(got)}, expected: {_short(expected)}"
    if a.shape != b.shape:
        return f"its shape is {a.shape}, expected: {b.shape}"
    if np.array_equal(a, b):  # most are, to the last bit, and this is the quickest to see
        return None
    if a.dtype.kind == "b" or b.dtype.kind == "b" or (atol == 0 and rtol == 0):
        apart = (a != b) & ~((a != a) & (b != b))  # not-a-number equals itself here
    else:
        apart = ~np.isclose(a, b, atol=atol, rtol=rtol, equal_nan=True)
    if not apart.any():
        return None
    wraps = _wraps(a, b)
    if a.ndim == 0:
        return "got {}, expected: {}".format(*_digits(a.item(), b.item())) + wraps
    first = tuple(int(i) for i in np.unravel_index(int(apart.argmax()), apart.shape))
    where = first[0] if len(first) == 1 else first
    return (
        f"{int(apart.sum())} of {apart.size} values differ; at [{str(where).strip('()')}] "
        "got {}, expected: {}".format(*_digits(a[first].item(), b[first].item()))
        + wraps
    )


def alike(one: object, other: object, close: float = 1e-5) -> bool:
    """Whether two values are the same up to rounding; whole numbers are so when they are equal.

    A few numbers are looked at first: mostly they show a difference, and nobody asks which.

    Args:
        one: a value.
        other: what it is compared with.
        close: how far apart they may be, as a share of `other`; and a tenth of it absolutely.
    """
    a, b = as_array(one), as_array(other)
    if a is None or b is None:
        return difference(one, other, 0.0, 0.0) is None
    if a.shape != b.shape:
        return False
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        return bool((a == b).all())
    if _differ_somewhere(a, b, close):
        return False
    if a.size > 64:
        x, y = (each.flat[:: a.size // 32].astype(complex) for each in (a, b))
        with np.errstate(invalid="ignore"):  # ∞ - ∞ says nothing
            if (abs(x - y) > close / 10 + close * abs(y)).any():
                return False
    return difference(a, b, close / 10, close) is None


def _differ_somewhere(a: NDArray[Any], b: NDArray[Any], close: float) -> bool:
    """Whether one of four places shows it: plain numbers, for which NumPy would take far longer."""
    if "c" in (a.dtype.kind, b.dtype.kind):  # Python's own refuse where they are too large
        return False
    for place in range(a.size // 8, a.size, a.size // 4 or 1):
        x, y = a.item(place), b.item(place)
        if abs(x - y) > close / 10 + close * abs(y):
            return True
    return False


def equivalent(one: Any, other: Any) -> bool:
    """Whether two results are the same up to what the order of a sum may change."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equivalent(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(equivalent, one, other))
    return not is_data([one, other]) or difference(one, other, 1e-4, 1e-4) is None


def kind_difference(
    got: object, kind: type | Sequence[type], dtype: object, what: str
) -> str | None:
    """How the kind of `got` differs from what is asked for; None when it does not.

    Args:
        got: any value.
        kind: one class or several; NumPy's own numbers are numbers, and a whole number is a float.
        dtype: of an array or tensor: NumPy's or torch's, or NumPy's abstract ones; None for any.
        what: names the value.
    """
    kinds = (kind,) if isinstance(kind, type) else tuple(kind)
    if not any(_is_kind(got, one) for one in kinds):
        wanted = " or ".join(dict.fromkeys(map(_kind_name, kinds)))
        return f"{what} is {kind_of(got)}, expected: {wanted}{_way(got, kinds)}"
    found = getattr(got, "dtype", None)
    if dtype is None or _is_dtype(found, dtype):
        return None
    name = dtype.__name__ if isinstance(dtype, type) else str(dtype)
    return f"the type of {what} is {found}, expected: {_DTYPES.get(name, name)}"


def kind_of(value: object) -> str:
    """What a value is, with its article."""
    if value is None:
        return "None"
    if is_tensor(value):
        shape = tuple(value.shape)  # type: ignore[attr-defined]
        return "a tensor of one number" if shape == () else "a tensor"
    if isinstance(value, np.ndarray):
        return "an array of one number" if value.shape == () else "an array"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return _kind_name(type(value))


_DTYPES = {"integer": "a type of whole numbers", "floating": "a type of floating-point numbers"}
_NUMBERS: dict[type, tuple[type, ...]] = {
    float: (float, int, np.floating, np.integer), int: (int, np.integer), bool: (bool, np.bool_),
}  # fmt: skip


def _is_kind(value: object, kind: type) -> bool:
    if isinstance(value, (bool, np.bool_)) and kind in (int, float):
        return False
    return isinstance(value, _NUMBERS.get(kind, kind))


def _kind_name(kind: type) -> str:
    name = {"ndarray": "array", "Tensor": "tensor", "int": "int, a whole number"}.get(
        kind.__name__, kind.__name__
    )
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"


def _way(got: object, kinds: Sequence[type]) -> str:
    """How one kind becomes the other, where there is one way."""
    if kinds[0] in (float, int) and getattr(got, "shape", None) == ():
        return f"; `{kinds[0].__name__}(…)` makes one of it"
    if kinds[0] is np.ndarray and isinstance(got, (list, tuple)):
        return "; `np.array(…)` makes one of it"
    if kinds[0] is list and isinstance(got, np.ndarray):
        return "; `.tolist()` makes one of it"
    if kinds[0] is list and not isinstance(got, (tuple, str, dict)) and hasattr(got, "__iter__"):
        return "; `list(…)` makes one of it"
    return ""


def _is_dtype(found: Any, wanted: Any) -> bool:
    if found is None:
        return False
    if isinstance(found, np.dtype):
        return bool(np.issubdtype(found, wanted))
    return bool(found == wanted)


def _digits(a: Any, b: Any) -> tuple[str, str]:
    """Two numbers that differ, with so many digits that it shows."""
    for digits in range(6, 18):
        shown = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if shown[0] != shown[1]:
            return shown
    return repr(a), repr(b)


def _wraps(got: NDArray[Any], expected: NDArray[Any]) -> str:
    """A word on numbers that are too large for their type."""
    span = _SMALL.get(str(got.dtype))
    whole = expected.dtype.kind in "iuf" and bool((expected == np.floor(expected)).all())
    if span is None or not whole:
        return ""
    limits = np.iinfo(got.dtype)
    fits = (expected >= limits.min) & (expected <= limits.max)
    if fits.all() or ((expected.astype(np.int64) - got.astype(np.int64)) % span).any():
        return ""
    return f"; {got.dtype} holds no number above {limits.max} and begins again: take a wider type"


def as_array(value: Any) -> NDArray[Any] | None:
    """The value as a numeric array, or None when it is no such thing."""
    try:
        if is_tensor(value):
            value = value.float() if "bfloat16" in str(value.dtype) else value
            value = value.numpy(force=True)
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "biufc" else None


def _equal(a: Any, b: Any) -> bool:
    """Whether two things that are no arrays of numbers are equal, with all that is in them."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_equal, a, b))
    if as_array(a) is not None or as_array(b) is not None:
        return difference(a, b, 0.0, 0.0) is None
    try:
        return bool(a == b)
    except Exception:  # whatever a class of the student's own may raise
        return False


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # the same
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else f"{text[:77]}…"
