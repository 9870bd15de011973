"""What a hand can move: the synthetic faces, or a drawing function, behind sliders.

Needs ipywidgets and a running notebook (JupyterLab, Notebook 7, VS Code). Where ipywidgets is
missing, the functions say so and return a still picture instead. Nothing heavy is imported until a
function is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit import synthfaces
from coursekit.labels import CELEBAMASK_HQ, colourise

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from coursekit.synthfaces import SynthFace

#: What the explorer can show of a face.
VIEWS = ("image", "label map", "overlay", "landmarks")

#: Side of the shown picture, in pixels: a whole number of screen pixels for each of most sizes.
_SHOWN = 384
#: Side of the first face, in pixels.
_SIZE = 128


def face_explorer() -> Any:
    """Sliders for everything that `synthfaces.render` takes, and the face that comes of it.

    Returns:
        An ipywidgets box to be shown as the last line of a cell; it draws anew on each change.
        Without ipywidgets: a still figure, after a message on how to get the sliders.
    """
    try:
        import ipywidgets
    except ImportError:
        print(
            "The sliders need ipywidgets, which is not installed: `pip install ipywidgets`, then "
            "restart the kernel. Here are four faces, standing still."
        )
        return _still()

    def whole(name: str, value: int, low: int, high: int, step: int = 1) -> Any:
        return ipywidgets.IntSlider(value, low, high, step, description=name)

    def share(name: str) -> Any:
        return ipywidgets.FloatSlider(0.0, min=0.0, max=1.0, step=0.05, description=name)

    controls = {
        "seed": whole("seed", 0, 0, 99),
        "index": whole("index", 0, 0, 999),
        "size": whole("size", _SIZE, 32, 256, 32),
        "label_noise": share("label_noise"),
        "crowd": share("crowd"),
        "shift": share("shift"),
    }
    view = ipywidgets.ToggleButtons(options=VIEWS)
    picture = ipywidgets.Image(format="png", width=_SHOWN, height=_SHOWN)
    note = ipywidgets.HTML()

    def update(_change: object = None) -> None:
        face = synthfaces.render(**{name: control.value for name, control in controls.items()})
        picture.value = _png(draw(face, view.value))
        note.value = describe(face)

    for control in (*controls.values(), view):
        control.observe(update, names="value")
    update()
    side = ipywidgets.VBox([*controls.values(), note])
    return ipywidgets.VBox([view, ipywidgets.HBox([picture, side])])


def sliders(draw: Callable[..., tuple[NDArray[np.uint8], str]], **ranges: tuple[Any, ...]) -> Any:
    """A slider for each argument of a drawing function, and the picture that comes of it.

    Args:
        draw: gives an (H, W, 3) uint8 picture, and a line of text about it.
        ranges: for each argument of `draw` its first, smallest and largest value; whole numbers
            move by 1, others by a sixteenth of the range.

    Returns:
        An ipywidgets box to be shown as the last line of a cell; it draws anew on each change.
        Without ipywidgets: a still figure of the first values, after a message.
    """
    first = {name: value for name, (value, _, _) in ranges.items()}
    try:
        import ipywidgets
    except ImportError:
        from coursekit import plots

        print(
            "The sliders need ipywidgets, which is not installed: `pip install ipywidgets`, then "
            "restart the kernel. Here is a picture, standing still."
        )
        picture, line = draw(**first)
        return plots.panels([{line: picture}])

    controls = {}
    for name, (value, low, high) in ranges.items():
        whole = all(isinstance(number, int) for number in (value, low, high))
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        step = 1 if whole else (high - low) / 16
        controls[name] = kind(value, min=low, max=high, step=step, description=name)
    shown = ipywidgets.Image(format="png", width=_SHOWN)
    note = ipywidgets.HTML()

    def update(_change: object = None) -> None:
        picture, note.value = draw(**{name: control.value for name, control in controls.items()})
        factor = max(1, round(_SHOWN / len(picture)))
        shown.value = _png(picture.repeat(factor, axis=0).repeat(factor, axis=1))

    for control in controls.values():
        control.observe(update, names="value")
    update()
    return ipywidgets.HBox([shown, ipywidgets.VBox([*controls.values(), note])])


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
    picture = face.image
    if view == "label map":
        picture = colourise(face.label_map)
    elif view == "overlay":
        colours = colourise(face.label_map).astype(np.uint16)
        picture = ((face.image.astype(np.uint16) + colours) // 2).astype(np.uint8)
    factor = max(1, round(_SHOWN / len(picture)))
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
    ids = np.unique(face.label_map)
    classes = ", ".join(CELEBAMASK_HQ.titles[i] for i in ids)
    changed = float((face.label_map != face.clean_label_map).mean())
    noise = ", ".join(face.attributes.label_noise).replace("_", " ")
    wrong = f"{noise}: {changed:.1%} of the pixels" if noise else "none"
    return (
        f"<b>{len(ids)} classes</b>: {classes}<br><b>label noise</b>: {wrong}<br>"
        f"<b>neighbours</b>: {face.attributes.neighbours}"
    )


def _png(picture: NDArray[np.uint8]) -> bytes:
    import io

    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, "png", compress_level=1)
    return data.getvalue()


def _still() -> Any:
    from coursekit import plots

    faces = [synthfaces.render(0, index, _SIZE) for index in range(4)]
    return plots.panels([{"image": f.image, "label map": f.label_map} for f in faces], across=2)
