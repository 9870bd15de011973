"""The text in which a student's function, class or module was written."""

from __future__ import annotations

import linecache
from typing import Any

from coursekit.checks.crashes import is_students


def codes(function: Any) -> list[Any]:
    """The code objects of a student's function, class or module."""
    import inspect

    function = inspect.unwrap(function) if callable(function) else function
    if hasattr(function, "__code__"):
        return [function.__code__]
    own = function if isinstance(function, type) else type(function)
    classes = [one for one in own.__mro__ if one is not object]
    found = [getattr(value, "__code__", None) for one in classes for value in vars(one).values()]
    return [code for code in found if code is not None and is_students(code)]


def cell_of(code: Any) -> str:
    """The text of the notebook's cell, or the file, that code was written in; "" if unknown."""
    return "".join(linecache.getlines(code.co_filename))
