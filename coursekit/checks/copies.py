"""Copies of what a student's code is given, and which of them it changed.

Arrays, tensors and containers of them are copied. All else is handed over as it is; of a network
(anything with a `state_dict`) the weights are noted, and put back when they were changed and still
have a place there.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def copy(value: Any) -> Any:
    """A copy that may be written to; gradients of a tensor's copy reach the tensor."""
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if is_tensor(value):
        # Sparse ones, and those on no device, have no values to compare.
        dense = str(value.layout) == "torch.strided" and str(value.device) != "meta"
        return value.clone() if dense else value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(copy, value))
    if type(value) in (list, tuple):
        return type(value)(map(copy, value))
    if type(value) in (dict, OrderedDict):
        return type(value)((key, copy(item)) for key, item in value.items())
    if type(value) is set:
        return set(value)
    return value


def is_data(value: Any) -> bool:
    """Whether a value remembers nothing of a call but what can be seen in it."""
    if isinstance(value, dict):
        return all(map(is_data, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_data, value))
    plain = (bool, int, float, str, type(None), np.ndarray, np.generic)
    return isinstance(value, plain) or is_tensor(value)


def is_tensor(value: object) -> bool:
    """Whether it is a torch tensor, found out without importing torch."""
    return hasattr(value, "detach") and hasattr(value, "clone")


class Handed:
    """The arguments of one call, as the student's code gets them.

    Args:
        function: that will be called.
        args: by place.
        kwargs: by name.
        free: names of arguments that may be changed, and are handed over as they are.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        free: Iterable[str],
    ) -> None:
        names, free = _names(function, args), set(free)
        self._given = [*zip(names, args, strict=True), *kwargs.items()]
        made = [value if name in free else copy(value) for name, value in self._given]
        self._handed = dict(enumerate(made))
        self._states = {
            place: copy(dict(value.state_dict()))
            for place, (name, value) in enumerate(self._given)
            if hasattr(value, "state_dict") and name not in free
        }
        self.args = tuple(made[: len(args)])
        self.kwargs = dict(zip(kwargs, made[len(args) :], strict=True))

    def changed(self) -> list[str]:
        """Names of the arguments that are no longer as they were."""
        found = []
        for place, (name, value) in enumerate(self._given):
            if place in self._states:
                if not same(dict(value.state_dict()), self._states[place]):
                    # Layers came, went or were resized; on the meta device there is a warning.
                    with contextlib.suppress(RuntimeError), warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        value.load_state_dict(self._states[place])
                    found.append(name)
            elif not same(self._handed[place], value):
                found.append(name)
        return found


def same(a: Any, b: Any) -> bool:
    """Whether a copy is still as what it is a copy of."""
    if a is b:
        return True
    if isinstance(b, np.ndarray):
        if not isinstance(a, np.ndarray) or (a.shape, a.dtype) != (b.shape, b.dtype):
            return False
        if b.dtype.kind == "O":
            return all(map(same, a.ravel(), b.ravel()))
        return a.tobytes() == b.tobytes()
    if is_tensor(b):
        return bool(
            is_tensor(a)
            and (a.shape, a.dtype, a.device) == (b.shape, b.dtype, b.device)
            and (a.equal(b) or ((a == b) | ((a != a) & (b != b))).all())
        )
    if isinstance(b, dict):
        return isinstance(a, dict) and [*a] == [*b] and all(same(a[key], b[key]) for key in b)
    if isinstance(b, (list, tuple)):
        return isinstance(a, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(b, (bool, int, float, complex, str, bytes, set)):
        return type(a) is type(b) and bool(a == b or (a != a and b != b))
    return False


def _names(function: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """How a function calls its arguments by place."""
    target = getattr(function, "forward", function)  # a module's own signature says nothing
    try:
        parameters = [*inspect.signature(target).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in by_place][: len(args)]
    return names + [f"number {place + 1}" for place in range(len(names), len(args))]
