"""A prediction against the truth: laid over the photo, as errors, all classes or one at a time."""

from __future__ import annotations

import html as markup
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.labels import CELEBAMASK_HQ, IGNORE_INDEX, LabelSet, colourise, shown
from coursekit.widgets.box import beside, can_move, html, moving, spoken, swatch
from coursekit.widgets.controls import choice, slider
from coursekit.widgets.picker import picker, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: What is laid over the photo.
LAYERS = ("prediction", "truth", "errors")
#: Of a class: found, missed, and said where it is not. Apart for colour-blind readers.
HIT, MISSED, FALSE = (0, 114, 178), (230, 159, 0), (204, 60, 150)
#: In place of a class: every one.
ALL = "all classes"


@dataclass(frozen=True)
class Tally:
    """How often a class is found in a face; of all classes, how often pixels are called rightly.

    Attributes:
        hit: pixels of the class that are called so.
        missed: pixels of the class that are called something else.
        false: pixels of another class that are called so; for all classes together 0, since each
            of them is one that another class has missed.
    """

    hit: int
    missed: int
    false: int

    @property
    def iou(self) -> float:
        """hit / (hit + missed + false); NaN where there is nothing to find."""
        whole = self.hit + self.missed + self.false
        return self.hit / whole if whole else float("nan")


def tally(
    truth: NDArray[np.uint8], prediction: NDArray[np.uint8], only: int | None = None
) -> Tally:
    """Count the pixels of a class, or of all if `only` is None; ignored ones do not count.

    Args:
        truth: (H, W) class ids, or 255.
        prediction: (H, W) class ids.
        only: the id of a class.
    """
    known = truth != IGNORE_INDEX
    if only is None:
        right = int((known & (truth == prediction)).sum())
        return Tally(right, int(known.sum()) - right, 0)
    here, said = known & (truth == only), known & (prediction == only)
    hit = int((here & said).sum())
    return Tally(hit, int(here.sum()) - hit, int(said.sum()) - hit)


def worst_mix_up(
    truth: NDArray[np.uint8], prediction: NDArray[np.uint8], only: int | None = None
) -> tuple[int, int, int] | None:
    """The commonest error: true class, class that is said, pixels; None where all is right.

    Args:
        truth: (H, W) class ids, or 255.
        prediction: (H, W) class ids.
        only: a class of which it must be an error.
    """
    wrong = (truth != IGNORE_INDEX) & (truth != prediction)
    if only is not None:
        wrong &= (truth == only) | (prediction == only)
    if not wrong.any():
        return None
    pairs, counts = np.unique(
        truth[wrong].astype(int) * 256 + prediction[wrong], return_counts=True
    )
    pair = int(pairs[counts.argmax()])
    return pair // 256, pair % 256, int(counts.max())


def laid_over(
    image: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    layer: str,
    opacity: float,
    only: int | None = None,
    labels: LabelSet = CELEBAMASK_HQ,
) -> NDArray[np.uint8]:
    """A photo under one of `LAYERS`.

    Args:
        image: (H, W, 3).
        truth: (H, W) class ids, or 255.
        prediction: (H, W) class ids.
        layer: one of `LAYERS`.
        opacity: of the layer, 0 to 1.
        only: a class of which alone pixels are coloured; errors of it have the colours of
            `HIT`, `MISSED` and `FALSE`.
        labels: names and colours.

    Returns:
        (H, W, 3).

    Raises:
        ValueError: for an unknown layer; the message names those there are.
    """
    if layer not in LAYERS:
        raise ValueError(f"no layer is called {layer!r}; there are: {', '.join(LAYERS)}")
    ids = truth if layer == "truth" else prediction
    colours = colourise(ids, shown(labels)).astype(np.float64)
    here, said = (truth == only), (prediction == only)
    if layer == "errors":
        covered = (truth != IGNORE_INDEX) & (truth != prediction)
        if only is not None:
            covered = here | said
            for which, colour in (
                (here & said, HIT),
                (here & ~said, MISSED),
                (said & ~here, FALSE),
            ):
                colours[which] = colour
    else:
        covered = np.ones(ids.shape, bool) if only is None else ids == only
    # What is not coloured is paler, the more the layer covers: colours stand out from the photo.
    pale = image * (1 - 0.6 * opacity) + 255 * 0.6 * opacity
    mixed = image * (1 - opacity) + colours * opacity
    return np.where(covered[..., None], mixed, pale).round().astype(np.uint8)


def in_numbers(
    truth: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    only: int | None = None,
    labels: LabelSet = CELEBAMASK_HQ,
) -> str:
    """The score of a face, or of a class in it, and its commonest error, as a line of HTML."""
    found = tally(truth, prediction, only)
    titles = [markup.escape(title) for title in labels.titles]
    if only is None:
        line = f"<b>{found.iou:.1%}</b> of the pixels are called rightly"
    elif found.hit + found.missed + found.false == 0:
        return f"no {titles[only]} here, and none is said"
    else:
        line = (
            f"IoU of {titles[only]} in this face: <b>{found.iou:.1%}</b><br>"
            f"{swatch(HIT, f'found: {found.hit}')} · {swatch(MISSED, f'missed: {found.missed}')} · "
            f"{swatch(FALSE, f'said wrongly: {found.false}')} pixels"
        )
    worst = worst_mix_up(truth, prediction, only)
    if worst:
        true, said, many = worst
        line += f"<br>most often wrong: {titles[true]} is called {titles[said]} ({many} pixels)"
    return line


def compare(
    images: Sequence[NDArray[np.uint8]],
    truths: Sequence[NDArray[np.uint8]],
    predictions: Mapping[str, Sequence[NDArray[np.uint8]]],
    labels: LabelSet = CELEBAMASK_HQ,
) -> Any:
    """What networks say of some faces, against the truth.

    Whoever points at a pixel is told its classes; a class can be looked at by itself.

    Args:
        images: (H, W, 3), one or more, all of one size.
        truths: (H, W) class ids, as many.
        predictions: by the network's name (H, W) class ids, as many.
        labels: names and colours of the classes.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: a still
        figure, after a message.
    """

    def still() -> Figure:
        from coursekit import plots

        rows = [
            {
                "image": image,
                "truth": truth,
                **{name: maps[i] for name, maps in predictions.items()},
            }
            for i, (image, truth) in enumerate(zip(images, truths, strict=True))
        ]
        return plots.panels(rows[:4], labels)

    if not can_move():
        return still()
    face = slider(1, 1, len(images), 1, "face")
    names = list(predictions)
    controls = {
        "face": face,
        "network": choice(names, "network", names[-1]),
        "layer": choice(LAYERS, "layer"),
        "only": choice((ALL, *labels.titles), "class"),
        "opacity": slider(0.6, 0.0, 1.0, 0.05, "opacity"),
    }
    middle = len(images[0]) // 2
    picture, note = picker("The face: point at a pixel", middle, middle), html("note")

    def update(face: int, network: str, layer: str, only: str, opacity: float) -> None:
        image, truth, said = images[face - 1], truths[face - 1], predictions[network][face - 1]
        one = None if only == ALL else labels.titles.index(only)
        alt = f"Face {face} under the {layer} of {network}, {only}"
        drawn = laid_over(image, truth, said, layer, opacity, one, labels)
        show(picture, drawn, alt, maps={"truth": truth, network: said}, names=labels.titles)
        note.value = spoken(in_numbers(truth, said, one, labels))

    shown_controls = [c for name, c in controls.items() if name != "network" or len(names) > 1]
    return moving(update, controls, [beside(picture, [*shown_controls, note])], still)
