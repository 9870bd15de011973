"""Known mistakes in how lesson 09 finds by counting which network was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from coursekit.checks.comparing import kind_difference
from coursekit.models import ddgcn

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from coursekit.checks.common import Kinds

    Reading = tuple[int, str]

#: Exceptions, what they say, and what is behind them, in `readings`.
UNCOUNTED: tuple[tuple[Kinds, str, str], ...] = (
    (
        (TypeError, AttributeError),
        "NoneType",
        "a list collects what fits: begin with an empty one",
    ),
    (TypeError, "exactly one argument", "append one thing, a tuple: `((conva, merge))`"),
    (
        (TypeError, AttributeError),
        "argument: 'self'|'function' object has no attribute",
        "count the block that you built, not the class",
    ),
    (
        TypeError,
        "string formatting|'str' and 'int'",
        "DDGCN takes in_channels and channels first, then `conva=conva, merge=merge`",
    ),
    (TypeError, "missing .* 'in_channels'", "DDGCN takes in_channels and channels first"),
    (RuntimeError, "broadcast", "`sum` adds the weights up: `p.numel()` of each, added"),
)


def built_once(kind: Callable[..., Any]) -> Callable[..., Any]:
    """A class, but what was built of the same arguments on the same device is given again.

    For exercises that build many of them only to count: on the `meta` device, too, an
    initialisation takes milliseconds. Its parameters are looked up once, too.
    """
    built: dict[Hashable, Any] = {}

    def build(*args: Hashable, **kwargs: Hashable) -> Any:
        key = str(torch.get_default_device()), args, tuple(sorted(kwargs.items()))
        if key not in built:
            built[key] = kind(*args, **kwargs)
            _list_parameters(built[key])
        return built[key]

    return build


def _list_parameters(made: Any) -> None:
    """Let a network that stays as it is know its parameters without walking through all parts."""
    if not isinstance(made, nn.Module):
        return
    found = [*made.named_parameters()]

    def listed(*args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Parameter]]:
        if args or kwargs not in ({}, {"recurse": True}):
            return nn.Module.named_parameters(made, *args, **kwargs)
        return iter(found)

    made.__dict__["named_parameters"] = listed


def miscounted(found: Mapping[Reading, Sequence[Reading]]) -> str:
    """What is wrong with the readings that each reading's own number gives; "" if nothing is."""
    each = [list(got) for got in found.values()]
    if all(got == [pair] for pair, got in found.items()):
        return ""
    first = next((got for got in each if got), None)
    if first is None:
        return (
            "numbers are written in: take target, rest, in_channels and channels as they are given"
        )
    if len(first) == 1 and all(got == first for got in each):
        return f"whatever the target, you say {first}: append the (conva, merge) of the loops"
    if any(len(got) > 1 for got in each):
        for place, name in enumerate(("conva", "merge")):
            if not all(each) and all(
                len({one[place] for one in got}) == len(got) for got in each if len(got) > 1
            ):
                return f"DDGCN is built without `{name}={name}`: two readings are the same"
        return "expected: those with exactly the target's number, `==`"
    lost = [pair for pair, got in found.items() if not got]
    if lost:
        named = " and ".join(map(repr, lost))
        return (
            f"{named} is never found: do the loops go over 1 and 3, and over "
            '"paper" and "code", is each count compared inside of both, and `return` after both?'
        )
    return ""


def misread(got: Sequence[Any]) -> str:
    """What is wrong with the form of what `readings` gives; "" if nothing is."""
    for one in got:
        wrong = kind_difference(one, tuple, None, "a reading")
        if wrong is None and len(one) != 2:
            wrong = f"a reading is two things, (conva, merge), not {len(one)}"
        if wrong is None and (isinstance(one[0], str) and not isinstance(one[1], str)):
            wrong = 'a reading is (conva, merge), in this order: (1, "code")'
        wrong = wrong or kind_difference(one[0], int, None, "conva in a reading")
        wrong = wrong or kind_difference(one[1], str, None, "merge in a reading")
        if wrong:
            return wrong
    return ""


def unfound(readings: Callable[..., Sequence[Reading]], target: int, rest: int) -> str:
    """Why nothing fits where (1, "code") does: found by asking for other numbers."""
    inner = target - rest
    if readings(10 * target, rest):
        return "no reading fits, but for another number some do: compare by `==`"
    if readings(inner, rest):
        return "no reading fits: add `rest` to what you count"
    if readings(inner - rest, rest):
        return "no reading fits: `rest` is added to what you count, not taken away"
    if readings(rest - inner, rest):
        return "no reading fits: what you count is added to `rest`, not taken away from it"
    with torch.device("meta"):
        block = ddgcn.DDGCN(2048, 512)
    if readings(target + sum(b.numel() for b in block.buffers()), rest):
        return "no reading fits: count parameters alone (no buffers)"
    wrong = _otherwise(readings, target, rest, block)
    if wrong:
        return f"no reading fits: {wrong}"
    found = readings(target + 512 * 512, rest)  # of the paper's merge
    if any(len(str(one[-1])) == 1 for one in found):
        return (
            'no reading fits: `("code")` is a text, and a loop takes its letters: a tuple of both'
        )
    if [one for one in found if one[-1] not in ("paper", "code")]:
        return 'no reading fits: the two merges are spelt "paper" and "code"'
    if readings(target + 8 * 2048 * 512, rest) or found:
        return (
            'no reading fits: (1, "code") is never tried. Do the loops go over 1 and 3, and over '
            '"paper" and "code", is each handed on to DDGCN, and does `return` stand after both?'
        )
    return (
        "no reading fits: build DDGCN(in_channels, channels, …), count its parameters, add "
        "`rest`, compare by `==`, and `return` after both loops"
    )


def _otherwise(
    readings: Callable[..., Sequence[Reading]], target: int, rest: int, block: nn.Module
) -> str:
    """What is counted or compared, if not the numbers in the parameters of a block; or ""."""
    shapes = [p.shape for p in block.parameters()]
    if readings(5, 5 + rest - target):  # Python keeps one object of each small number
        return "compare by `==`: `is` asks whether two things are one and the same object"
    with torch.device("meta"):
        turned = ddgcn.DDGCN(512, 2048)
    for other, words in (
        (sum(p.numel() for p in turned.parameters()), "`in_channels` comes first, then `channels`"),
        (len(shapes), "these are so many tensors: count the numbers in each, `count_parameters`"),
        (len(block.state_dict()), "these are names: count the numbers, `count_parameters`"),
        (sum(shape[0] for shape in shapes), "a shape's first number is not how many it holds"),
        (sum(map(len, shapes)), "these are dimensions: count the numbers, `count_parameters`"),
        (2 * (target - rest), "each parameter counts once"),
    ):
        if readings(rest + other, rest):
            return words
    return ""
