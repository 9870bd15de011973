"""What is meant by a name that there is not, guessed from what stands around it."""

from __future__ import annotations

import difflib
import inspect
import linecache
import re
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from coursekit.checks.common import NOTHING, UNCALLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import FrameType

_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)
_OF_DATA = ("shape", "dtype", "device", "ndim")  # names that arrays and tensors alone have
_MODULES = ("math", "random", "copy", "itertools", "functools", "collections", "os", "re")
_TOLD = 8  # so many names are listed, at most


def misnamed(error: BaseException, frames: Sequence[FrameType]) -> str:
    """What is wrong with a name; "" where nothing is known of it.

    Args:
        error: what was raised.
        frames: the student's own that it went through, the innermost first.
    """
    if not frames:
        return ""
    if isinstance(error, UnboundLocalError):
        return _too_early(error, frames[0])
    if isinstance(error, NameError):
        return _unknown(getattr(error, "name", None) or "", frames)
    if isinstance(error, AttributeError) and getattr(error, "name", None):
        return _missing(getattr(error, "obj", None), str(error.name), frames)
    return _miscalled(str(error), frames) if isinstance(error, TypeError) else ""


def _too_early(error: UnboundLocalError, frame: FrameType) -> str:
    found = re.search(r"variable '(\w+)'", str(error))
    if not found:
        return ""
    name = found[1]
    if "self" in frame.f_locals and name in _names(frame.f_locals["self"]):
        return _belongs(name, "self")
    if name in frame.f_globals:
        return f"`{name}` is set inside of this function, so it is its own, and has no value yet"
    return f"`{name}` is used before it is set, or on a way that does not set it"


def _unknown(name: str, frames: Sequence[FrameType]) -> str:
    """What is behind a name that nothing has."""
    frame = frames[0]
    arguments = _arguments(frame)
    if name == "self":
        return ", ".join(filter(None, ("there is no `self` here", _listed("but", arguments))))
    around = {key: value for one in reversed(frames) for key, value in one.f_locals.items()}
    owner = _owner(name, around, arguments)
    if owner:
        return _belongs(name, owner)
    near = _near(name, around, 0.75) or _begun(name, arguments)
    lasting = _lasting(frame.f_globals)
    near = near or _near(name, lasting, 0.85)
    if not near and len(name) > 5:
        near = _begun(name, lasting)
    if near:
        return f"nothing is called `{name}` here: is `{near}` meant?"
    if name in _MODULES:
        return f"`{name}` is a module of Python's: `import {name}` first"
    homes = [f"`{home}.{name}`" for home in _homes(name, frame)] if len(name) > 2 else []
    if homes:
        return f"nothing is called `{name}` alone: there is {' or '.join(homes)}"
    words = _listed("set it before, or take an argument:", arguments) or "set it before"
    return f'nothing is called `{name}` here: {words}; a text stands in quotes, "{name}"'


def _missing(thing: Any, name: str, frames: Sequence[FrameType]) -> str:
    """What is behind an attribute that a thing has not."""
    if thing is None:
        return NOTHING
    if isinstance(thing, _FUNCTIONS):
        return UNCALLED
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)
    of_tensor = tensor is not None and hasattr(tensor, name)
    if isinstance(thing, (tuple, dict, set, str)) and name in ("append", "extend"):
        return f"a {type(thing).__name__} does not grow by `{name}`: begin with a list, `[]`"
    if isinstance(thing, dict):
        return f"a dict is asked in square brackets, by a key: `[{name}]`"
    if isinstance(thing, (list, tuple, int, float, str)):
        kind = "number" if isinstance(thing, (int, float)) else type(thing).__name__
        return f"this is a plain {kind}, not a tensor nor an array" if of_tensor else ""
    if isinstance(thing, ModuleType):
        return _elsewhere(thing, name, frames[0])
    if inspect.isroutine(frames[0].f_globals.get(name)):
        return f"`{name}` is a function of its own, no part of the object: `{name}(…)`"
    near = _near(name, _names(thing), 0.7)
    if near:
        return f"there is no `{name}`: is `{near}` meant?"
    if isinstance(thing, type):
        return f"`{thing.__name__}` is the class: make one of it first, `{thing.__name__}(…)`"
    functional = frames[0].f_globals.get("F")
    if tensor is not None and isinstance(thing, tensor):
        home = "F" if hasattr(functional, name) else "torch"
        there = hasattr(sys.modules["torch"], name) or hasattr(functional, name)
        return f"a tensor has no `{name}`: it is a function, `{home}.{name}(…)`" if there else ""
    module = getattr(sys.modules.get("torch.nn"), "Module", None)
    if module is not None and isinstance(thing, module):
        if of_tensor:
            return "this is a layer, not a tensor: call it, in brackets, or ask its weights"
        parts = [key for key in thing._modules if not key.isdigit()] + [*thing._parameters]
        return _listed(f"there is no `{name}` in it: there are", parts)
    return _listed(f"there is no `{name}` in it: there are", [*getattr(thing, "__dict__", ())])


def _elsewhere(module: ModuleType, name: str, frame: FrameType) -> str:
    """Where else than in a module a name may be."""
    near = _near(name, dir(module), 0.85)
    for other in _homes(name, frame):
        return f"`{name}` is in another module: `{other}.{name}`"
    return f"there is no `{name}`: is `{near}` meant?" if near else ""


def _homes(name: str, frame: FrameType) -> list[str]:
    """The modules that have a name, as the notebook calls them."""
    modules = {key: frame.f_globals.get(key) for key in ("torch", "F", "nn", "np", "math", "copy")}
    return [
        key for key, home in modules.items() if isinstance(home, ModuleType) and hasattr(home, name)
    ]


def _miscalled(said: str, frames: Sequence[FrameType]) -> str:
    """What a function takes that was called otherwise, or what is called that is none."""
    none = re.match(r"'(\w+)' object is not callable", said)
    if none:
        return _no_function(none[1], frames[0])
    other = re.search(r"unexpected keyword argument|positional argument|multiple values", said)
    found = re.match(r"(\w+)(\.\w+)*\(\)", said)
    if not (found and other):
        return ""
    called = found[0][:-2].removesuffix(".__init__").split(".")
    for frame in frames:
        thing = {**frame.f_globals, **frame.f_locals}.get(called[0])
        for part in called[1:]:
            thing = getattr(thing, part, None)
        if thing is None:
            continue
        try:
            takes = [str(one) for one in inspect.signature(thing).parameters if one != "self"]
        except (TypeError, ValueError):
            continue
        return _listed(f"`{called[-1]}` takes", takes) if takes else ""
    return ""


def _no_function(kind: str, frame: FrameType) -> str:
    """Which name on the line that stopped is called, and is no function; "" if it is not found."""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    around = {**frame.f_globals, **frame.f_locals}
    for name in re.findall(r"(?<![\w.])(\w+)\(", line):
        if type(around.get(name)).__name__ == kind:
            if "self" in frame.f_locals and name in _names(frame.f_locals["self"]):
                return _belongs(name, "self")
            return f"`{name}` is no function: it is {'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    return ""


def _belongs(name: str, owner: str) -> str:
    return f"`{name}` belongs to `{owner}`: `{owner}.{name}`"


def _arguments(frame: FrameType) -> list[str]:
    code = frame.f_code
    number = code.co_argcount + code.co_kwonlyargcount
    return [name for name in code.co_varnames[:number] if name != "self" and name.isidentifier()]


def _owner(name: str, around: dict[str, Any], arguments: Sequence[str]) -> str:
    """Which of the things around has an attribute of this name; "" if none."""
    module = getattr(sys.modules.get("torch.nn"), "Module", None)
    for key, thing in sorted(around.items(), key=lambda pair: pair[0] != "self"):
        own = key == "self" or (module is not None and isinstance(thing, module))
        data = hasattr(thing, "shape")
        given = key in arguments and len(name) > 2 and not data
        if (own or given) and name in _names(thing):
            return key
        if name in _OF_DATA and data:
            return key
    return ""


def _lasting(names: dict[str, Any]) -> list[str]:
    """The notebook's functions, classes and constants: other names are a check's as often."""
    return [key for key, value in names.items() if key.isupper() or callable(value)]


def _begun(name: str, arguments: Sequence[str]) -> str:
    """The one argument that begins as a short name does, "query" for "Q"; "" if none or more."""
    found = [one for one in arguments if one.startswith(name.lower())]
    return found[0] if len(found) == 1 else ""


def _names(thing: Any) -> list[str]:
    try:
        return [name for name in dir(thing) if not name.startswith("__")]
    except Exception:  # whatever a class of the student's own may raise
        return []


def _near(name: str, names: Iterable[str], cutoff: float) -> str:
    """The name that is most like another, short ones but for their case."""
    known = [one for one in dict.fromkeys(names) if not one.startswith("_")]
    same = [one for one in known if one.lower() == name.lower()]
    if same or len(name) < 3:
        return same[0] if same else ""
    return next(iter(difflib.get_close_matches(name, known, 1, cutoff)), "")


def _listed(words: str, names: Sequence[str]) -> str:
    if not names or len(names) > _TOLD:
        return ""
    return f"{words} " + ", ".join(f"`{name}`" for name in names)
