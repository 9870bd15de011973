"""Wrong labels, and what a network that was trained on them makes of them, cycle by cycle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.labels import CELEBAMASK_HQ, IGNORE_INDEX, LabelSet, colourise, shown
from coursekit.widgets.box import beside, can_move, html, moving, spoken, swatch
from coursekit.widgets.controls import choice, slider
from coursekit.widgets.picker import picker, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: What can be shown of a face.
SIDES = ("repairs", "network", "label", "truth", "image")
#: Of wrong pixels: the network says the truth, the label's class, a third; of right ones: another.
MENDED, REPEATED, THIRD, BROKEN = (0, 158, 115), (213, 94, 0), (230, 200, 60), (86, 110, 190)
_REST = (235, 235, 235)


@dataclass(frozen=True)
class Fate:
    """How many pixels' labels a network mends, repeats, replaces by another error, and breaks.

    Attributes:
        wrong: pixels with a wrong label; those of the next three together.
        mended: of these, those for which the network says the truth.
        repeated: those for which it says what the label says.
        third: those for which it says yet another class.
        right: pixels with a right label.
        broken: of these, those for which it says another class.
    """

    wrong: int
    mended: int
    repeated: int
    third: int
    right: int
    broken: int


def _kinds(
    label: NDArray[np.uint8], truth: NDArray[np.uint8], said: NDArray[np.uint8]
) -> dict[str, NDArray[np.bool_]]:
    """Where each fate is: (H, W)."""
    known = (truth != IGNORE_INDEX) & (label != IGNORE_INDEX)
    wrong, right = known & (label != truth), known & (label == truth)
    return {
        "wrong": wrong, "mended": wrong & (said == truth), "repeated": wrong & (said == label),
        "third": wrong & (said != truth) & (said != label),
        "right": right, "broken": right & (said != truth),
    }  # fmt: skip


def fate(label: NDArray[np.uint8], truth: NDArray[np.uint8], said: NDArray[np.uint8]) -> Fate:
    """Count them.

    Args:
        label: (H, W) class ids that were trained on, some of them wrong, or 255.
        truth: (H, W) class ids, or 255.
        said: (H, W) class ids of the network.
    """
    kinds = _kinds(label, truth, said)
    return Fate(**{name: int(where.sum()) for name, where in kinds.items()})


def fate_map(
    label: NDArray[np.uint8], truth: NDArray[np.uint8], said: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The same as a picture, (H, W, 3), in the colours of `MENDED`, `REPEATED`, `THIRD`, `BROKEN`.

    Args:
        label: (H, W) class ids that were trained on, some of them wrong, or 255.
        truth: (H, W) class ids, or 255.
        said: (H, W) class ids of the network.
    """
    kinds, drawn = _kinds(label, truth, said), np.full((*truth.shape, 3), _REST, np.uint8)
    colours = {"mended": MENDED, "repeated": REPEATED, "third": THIRD, "broken": BROKEN}
    for name, colour in colours.items():
        drawn[kinds[name]] = colour
    return drawn


def in_numbers(found: Fate) -> str:
    """The counts as HTML, with their colours."""
    each = (
        (MENDED, f"mended: {found.mended}"), (REPEATED, f"repeated: {found.repeated}"),
        (THIRD, f"a third class: {found.third}"),
    )  # fmt: skip
    of_wrong = " · ".join(swatch(colour, text) for colour, text in each)
    share = f"{found.broken / found.right:.1%}" if found.right else "none"
    return (
        f"<b>{found.wrong}</b> pixels have a wrong label<br>{of_wrong}<br>"
        f"{swatch(BROKEN, f'broken: {found.broken}')} of {found.right} right ones ({share})"
    )


def repairs(
    images: Sequence[NDArray[np.uint8]],
    given: Sequence[NDArray[np.uint8]],
    truths: Sequence[NDArray[np.uint8]],
    cycles: Sequence[Sequence[NDArray[np.uint8]]],
    labels: LabelSet = CELEBAMASK_HQ,
) -> Any:
    """A slider from the initialisation through all cycles, over the fate of wrong labels.

    Args:
        images: (H, W, 3), one or more, all of one size.
        given: (H, W) class ids, as many: the labels that were trained on.
        truths: (H, W) class ids, as many.
        cycles: for each cycle, the initialisation first, what the network says of each face:
            (H, W) class ids.
        labels: names and colours of the classes.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: a still
        figure, after a message.
    """

    def still() -> Figure:
        from coursekit import plots

        rows = []
        for i, (image, label, truth) in enumerate(zip(images, given, truths, strict=True)):
            said = {f"cycle {n}" if n else "start": maps[i] for n, maps in enumerate(cycles)}
            last = fate_map(label, truth, cycles[-1][i])
            rows.append({"image": image, "label": label, **said, "truth": truth, "repairs": last})
        return plots.panels(rows[:3], labels)

    if not can_move():
        return still()
    controls = {
        "face": slider(1, 1, len(images), 1, "face"),
        "cycle": slider(0, 0, len(cycles) - 1, 1, "cycle"),
        "side": choice(SIDES, "shown"),
    }
    middle = len(images[0]) // 2
    picture, note = picker("The face: point at a pixel", middle, middle), html("note")

    def update(face: int, cycle: int, side: str) -> None:
        i = face - 1
        maps = {"label": given[i], "truth": truths[i], "network": cycles[cycle][i]}
        drawn = images[i] if side == "image" else fate_map(*maps.values())
        if side in maps:
            drawn = colourise(maps[side], shown(labels))
        alt = f"Face {face} after cycle {cycle}: {side}"
        show(picture, drawn, alt, maps=maps, names=labels.titles)
        note.value = spoken(in_numbers(fate(*maps.values())))

    return moving(update, controls, [beside(picture, [*controls.values(), note])], still)
