"""Widths and depths of the course's networks against what a competition or a board allows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.widgets.box import beside, can_move, html, moving, spoken
from coursekit.widgets.controls import choice, slider
from coursekit.widgets.svg import meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

#: Limits of parameters, with the year of the competition.
LIMITS = {2024: 2_000_000, 2025: 1_821_085}
#: Lesson 14's limit of multiply-accumulates for an image of `SIDE`².
WORK, SIDE = 1_000_000_000, 512
#: What was counted.
TABLE = Path(__file__).with_name("costs.json")
#: Widths are eighths of the course's.
AS_IN_COURSE = 8
_FITS, _TOO_MUCH = "#3182ce", "#e53e3e"


@dataclass(frozen=True)
class Cost:
    """What a network costs.

    Attributes:
        parameters: its weights.
        work: multiply-accumulates for an image of 512².
        kept: bytes that a training step keeps for the backward pass, for each image of 512².
    """

    parameters: int
    work: int
    kept: int


def _unet(scale: Callable[[int], int], depth: int) -> dict[str, Any]:
    return {"widths": tuple(scale(16 * 2**level) for level in range(depth))}


def _deeplab(scale: Callable[[int], int], depth: int) -> dict[str, Any]:
    stages = ((32, 64), (64, 128), (192, 256), (256, 256), (256, 256))[:depth]
    return {
        "stages": tuple((scale(a), scale(b)) for a, b in stages),
        "aspp": scale(128), "low_level": scale(32), "decoder": scale(64),
    }  # fmt: skip


def _fastscnn(scale: Callable[[int], int], depth: int) -> dict[str, Any]:
    down, groups = (tuple(map(scale, w)) for w in ((32, 48, 64), (64, 96, 128)))
    return {"downsample": down, "bottlenecks": groups, "width": scale(128), "repeats": depth}


def _segformer(scale: Callable[[int], int], depth: int) -> dict[str, Any]:
    dims = tuple(map(scale, (16, 32, 128, 192)))
    return {"dims": dims, "decoder": scale(256), "depths": (max(depth - 1, 1), depth, depth, depth)}


#: By family: its name in the package, its sizes, what its depth counts, the course's depth.
FAMILIES: dict[str, tuple[str, Callable[..., dict[str, Any]], str, int]] = {
    "U-Net": ("unet", _unet, "levels", 5),
    "DeepLabV3+": ("deeplabv3plus", _deeplab, "stages", 3),
    "FastSCNN": ("fastscnn", _fastscnn, "blocks in each group", 3),
    "SegFormer": ("segformer", _segformer, "blocks in each stage but the first", 2),
}
#: What the sliders offer.
WIDTHS, DEPTHS = range(2, 17), range(1, 7)


def depth_of(family: str, depth: int) -> int:
    """The nearest depth that a family can be built with."""
    if family in ("FastSCNN", "SegFormer"):
        return depth
    return min(max(depth, 2), 5 if family == "DeepLabV3+" else 6)


def sizes(family: str, width: int, depth: int) -> dict[str, Any]:
    """What `create_model` is given for a network of a family.

    Args:
        family: of `FAMILIES`.
        width: in eighths of the course's.
        depth: what it counts stands in `FAMILIES`; see `depth_of`.
    """
    made = FAMILIES[family][1]
    return made(lambda channels: max(1, channels * width // 8), depth_of(family, depth))


def count(family: str, width: int, depth: int) -> Cost:
    """Count what a network costs; it is built without numbers, on the device meta.

    Args:
        family: of `FAMILIES`.
        width: in eighths of the course's.
        depth: see `sizes`.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from coursekit.complexity import kept_bytes
    from coursekit.models import count_parameters, create_model

    with torch.device("meta"):
        network = create_model(FAMILIES[family][0], **sizes(family, width, depth))
        pair = torch.empty(2, 3, SIDE, SIDE)  # some normalisations cannot learn from one image
    with FlopCounterMode(display=False) as counter:
        kept = kept_bytes(network, pair)
    # Two images; torch's counter sees two operations in each multiply-accumulate.
    return Cost(count_parameters(network), int(counter.get_total_flops()) // 4, kept // 2)


@cache
def _table() -> dict[str, list[list[list[int]]]]:
    """By family, depth and width: what `count` gives, which takes up to half a second."""
    found: dict[str, list[list[list[int]]]] = json.loads(TABLE.read_text("utf-8"))
    return found


def cost(family: str, width: int, depth: int) -> Cost:
    """What a network costs, counted before: benchmarks/budget.py keeps what `count` gives.

    Args:
        family: of `FAMILIES`.
        width: of `WIDTHS`, in eighths of the course's.
        depth: of `DEPTHS`; see `sizes`.
    """
    line = _table()[family][DEPTHS.index(depth_of(family, depth))]
    return Cost(*line[WIDTHS.index(width)])


def in_numbers(found: Cost) -> str:
    """Which limits a network keeps, as HTML."""
    verdicts = [
        f"{year}'s {limit:,} parameters: <b>{'kept' if found.parameters < limit else 'broken'}</b>"
        for year, limit in LIMITS.items()
    ]
    kept = "kept" if found.work < WORK else "broken"
    return "<br>".join([*verdicts, f"the board's 10⁹ multiply-accumulates: <b>{kept}</b>"])


def drawn(found: Cost) -> str:
    """A level bar for each of the three costs, as HTML."""
    top, most_work, most_kept = 3e6, 40e9, 1e9
    less, more = sorted(LIMITS.values())
    held = meter(
        found.parameters / top,
        _FITS if found.parameters < less else _TOO_MUCH,
        f"{found.parameters:,} parameters; lines: {less:,} and {more:,}",
        [less / top, more / top],
    )
    # By its root: the limit is a fortieth of what DeepLabV3+ does.
    done = meter(
        (found.work / most_work) ** 0.5,
        _FITS if found.work < WORK else _TOO_MUCH,
        f"{found.work / 1e9:,.2f} · 10⁹ multiply-accumulates; line: 1 · 10⁹",
        [(WORK / most_work) ** 0.5],
    )
    said = f"{found.kept / 1e6:,.0f} MB kept in training for each image"
    kept = meter(found.kept / most_kept, "#718096", said)
    return held + done + kept


def budget_designer() -> Any:
    """Width and depth of a family of networks, and at once what it costs.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: a still
        figure, after a message.
    """
    if not can_move():
        return _still()
    controls = {
        "family": choice(list(FAMILIES), "family"),
        "width": slider(AS_IN_COURSE, WIDTHS[0], WIDTHS[-1], 1, "width, eighths"),
        "depth": slider(5, DEPTHS[0], DEPTHS[-1], 1, "depth"),
    }
    picture, note = html("picture", "30rem"), html("note")

    def update(family: str, width: int, depth: int) -> None:
        found, built = cost(family, width, depth), sizes(family, width, depth)
        picture.value = drawn(found)
        made = ", ".join(f"{name}={value}" for name, value in built.items())
        name, _, counted, course = FAMILIES[family]
        said = f"depth: {counted}; the course's has {course}"
        call = f'<code style="white-space: normal">create_model("{name}", {made})</code>'
        note.value = spoken(f"{in_numbers(found)}<br>{said}<br>{call}")

    return moving(update, controls, [beside(picture, [*controls.values(), note])], _still)


def _still() -> Figure:
    """The course's four networks against the limits."""
    from coursekit.plots import BLUE, RED, Picture
    from coursekit.plots.picture import quiet

    costs = {name: cost(name, AS_IN_COURSE, family[3]) for name, family in FAMILIES.items()}
    figure = Picture(figsize=(7.5, 2.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    rows: tuple[tuple[Any, str, float, str, list[float]], ...] = (
        (left, "millions of parameters", 1e6, "parameters", [(n / 1e6) for n in LIMITS.values()]),
        (middle, "10⁹ multiply-accumulates", 1e9, "work", [1.0]),
        (right, "MB kept in training", 1e6, "kept", []),
    )
    said: list[str] = []
    for axes, title, unit, name, limits in rows:
        values = [getattr(one, name) / unit for one in costs.values()]
        axes.barh(list(costs), values, color=BLUE)
        for limit in limits:
            axes.axvline(limit, color=RED, lw=1)
        widest = 1.3 * max(values)
        for place, value in enumerate(values):
            number = f" {value:,.2f}" if value < 100 else f" {value:,.0f}"
            crossed = [limit for limit in limits if value < limit < value + 0.15 * widest]
            axes.text(max([value, *crossed]), place, number, va="center", fontsize=8)
        axes.set_xlim(0, widest)
        axes.invert_yaxis()
        axes.set_title(title, fontsize=9)
        quiet(axes)
        said += [
            f"{title}: {', '.join(f'{n} {v:,.2f}' for n, v in zip(costs, values, strict=True))}"
        ]
    for axes in (middle, right):
        axes.set_yticks([])
    figure.alt = f"Bars, with the limits as red lines. {'; '.join(said)}."
    return figure
