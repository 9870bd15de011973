"""The face explorer: the synthetic faces behind sliders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit import synthfaces
from coursekit.labels import CELEBAMASK_HQ, colourise, shown
from coursekit.widgets.box import SHOWN, beside, can_move, html, img, moving, spoken, swatch
from coursekit.widgets.controls import slider

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from coursekit.synthfaces import SynthFace

#: What the explorer can show of a face; in the first, everything that can be moved is seen.
VIEWS = ("overlay", "image", "label map", "landmarks")

#: Side of the first face, in pixels.
_SIZE = 128


def face_explorer() -> Any:
    """Sliders for everything that `synthfaces.render` takes, and the face that comes of it.

    Returns:
        An ipywidgets box to be shown as the last line of a cell; it draws anew on each change.
        Without ipywidgets: a still figure, after a message on how to get the sliders.
    """
    if not can_move():
        return _still()
    import ipywidgets

    controls = {
        "seed": slider(0, 0, 99, 1, "seed"),
        "index": slider(0, 0, 999, 1, "index"),
        "size": slider(_SIZE, 32, 256, 32, "size"),
        "label_noise": slider(0.0, 0.0, 1.0, 0.05, "label_noise"),
        "crowd": slider(0.0, 0.0, 1.0, 0.05, "crowd"),
        "shift": slider(0.0, 0.0, 1.0, 0.05, "shift"),
    }
    view = ipywidgets.ToggleButtons(options=VIEWS, tooltip="what is shown of the face")
    view.style.button_width = "auto"
    picture, note = html("picture"), html("note")

    def update(view: str, **values: Any) -> None:
        face = synthfaces.render(**values)
        note.value = spoken(describe(face))
        titles = ", ".join(CELEBAMASK_HQ.titles[i] for i in np.unique(face.label_map))
        alt = f"{view} of rendered face {values['index']} of seed {values['seed']}: {titles}"
        picture.value = img(draw(face, view), alt)

    shown_as = [view, beside(picture, [*controls.values(), note])]
    return moving(update, {**controls, "view": view}, shown_as, _still)


def draw(face: SynthFace, view: str) -> NDArray[np.uint8]:
    """A face as the explorer shows it, enlarged by a whole factor without smoothing.

    Args:
        face: what `synthfaces.render` returned.
        view: one of `VIEWS`.

    Returns:
        (S, S, 3) uint8, S a multiple of the face's size.

    Raises:
        ValueError: for an unknown view; the message names those there are.
    """
    if view not in VIEWS:
        raise ValueError(f"no view is called {view!r}; there are: {', '.join(VIEWS)}")
    picture, labels = face.image, shown(CELEBAMASK_HQ)
    if view == "label map":
        picture = colourise(face.label_map, labels)
    elif view == "overlay":
        colours = colourise(face.label_map, labels).astype(np.uint16)
        picture = ((face.image.astype(np.uint16) + colours) // 2).astype(np.uint8)
    factor = max(1, round(SHOWN / len(picture)))
    picture = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    if view == "landmarks":
        picture = picture.copy()
        for x, y in np.round((face.landmarks + 0.5) * factor - 0.5).astype(int):
            # A light dot with a dark rim is seen on skin and on hair.
            for reach, colour in ((3, (0, 0, 0)), (2, (0, 255, 255))):
                rows = slice(max(y - reach + 1, 0), max(y + reach, 0))
                columns = slice(max(x - reach + 1, 0), max(x + reach, 0))
                picture[rows, columns] = colour
    return picture


def describe(face: SynthFace) -> str:
    """What is in a face and what the annotator did to it, as a line of HTML."""
    ids, labels = np.unique(face.label_map), shown(CELEBAMASK_HQ)
    classes = ", ".join(swatch(labels.palette[i], labels.titles[i]) for i in ids)
    changed = float((face.label_map != face.clean_label_map).mean())
    noise = ", ".join(face.attributes.label_noise).replace("_", " ")
    wrong = f"{noise}: {changed:.1%} of the pixels" if noise else "none"
    return (
        f"<b>{len(ids)} classes</b>: {classes}<br><b>label noise</b>: {wrong}<br>"
        f"<b>neighbours</b>: {face.attributes.neighbours}"
    )


def _still() -> Figure:
    from coursekit import plots

    faces = [synthfaces.render(0, index, _SIZE) for index in range(4)]
    return plots.panels([{"image": f.image, "label map": f.label_map} for f in faces], across=2)
