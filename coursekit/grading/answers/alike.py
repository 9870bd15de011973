"""Whether two definitions say the same, and whether one name only looks like another."""

from __future__ import annotations

import ast
import unicodedata
from typing import Any

from coursekit.names import DEFINITIONS

#: Letters of other scripts, and the Latin letters that they look like.
_ODD = "авсԁеһіјкӏмпорԛѕтυνԝхуαγικορτχАВСЕНІЈКМОРЅТХУΑΒΕΗΙΚΜΝΟΡΤΥΧΖı"
_LATIN = "abcdehijklmnopqstuvwxyayikoptxABCEHIJKMOPSTXYABEHIKMNOPTYXZi"
_LOOKS = dict(zip(_ODD, _LATIN, strict=True))


def shape(node: ast.AST) -> str:
    """A definition without what a student may change in a stub and still have written nothing.

    That is: docstrings, annotations, `pass`, `…` and `raise NotImplementedError`.
    """
    return _told(node, bare=True)


def same(node: ast.AST) -> str:
    """A text that equal trees share."""
    return _told(node, bare=False)


def _told(node: ast.AST, *, bare: bool) -> str:
    words: list[str] = []
    try:
        _tell(node, words, bare)
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        return f"untold {id(node)}"  # equal to nothing else
    return " ".join(words)


def _tell(value: Any, words: list[str], bare: bool) -> None:
    if isinstance(value, ast.AST):
        words.append(type(value).__name__)
        for field, child in ast.iter_fields(value):
            if bare and field in ("annotation", "returns") and not isinstance(value, ast.AnnAssign):
                continue
            if bare and field == "body" and isinstance(value, (*DEFINITIONS, ast.Module)):
                child = [s for s in child if not _says_nothing(s)]
            words.append(field)
            _tell(child, words, bare)
    elif isinstance(value, list):
        words.append("[")
        for child in value:
            _tell(child, words, bare)
        words.append("]")
    else:
        words.append(repr(value))


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def look_alike(name: str, wanted: str) -> str:
    """Why `name` only looks like `wanted`: the odd letter's name; "" when it does not."""
    if name == wanted or "".join(_LOOKS.get(c, c) for c in name) != wanted:
        return ""
    odd = next(c for c in name if c in _LOOKS)
    return f"{unicodedata.name(odd, 'of another script').lower()} in place of {_LOOKS[odd]!r}"
