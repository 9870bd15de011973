"""What a hand can move: the synthetic faces, or a drawing function, behind sliders; a quiz.

Needs ipywidgets, anywidget and a running notebook (JupyterLab, Notebook 7, VS Code). Where one is
missing, the functions say so and return a still picture instead. Nothing heavy is imported until a
function is called.
"""

from __future__ import annotations

import base64
import html
import importlib.util
import io
from functools import cache
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from coursekit import synthfaces
from coursekit.labels import CELEBAMASK_HQ, colourise, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from coursekit.lessons.quiz import Choice, Question
    from coursekit.synthfaces import SynthFace

#: What the explorer can show of a face; in the first, everything that can be moved is seen.
VIEWS = ("overlay", "image", "label map", "landmarks")

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
    if not _can_move():
        return _still()
    import ipywidgets

    controls = {
        "seed": _slider(0, 0, 99, 1, "seed"),
        "index": _slider(0, 0, 999, 1, "index"),
        "size": _slider(_SIZE, 32, 256, 32, "size"),
        "label_noise": _slider(0.0, 0.0, 1.0, 0.05, "label_noise"),
        "crowd": _slider(0.0, 0.0, 1.0, 0.05, "crowd"),
        "shift": _slider(0.0, 0.0, 1.0, 0.05, "shift"),
    }
    view = ipywidgets.ToggleButtons(options=VIEWS, tooltip="what is shown of the face")
    view.style.button_width = "auto"
    picture, note = _html("picture"), _html("note")

    def update(_change: object = None) -> None:
        values = {name: control.value for name, control in controls.items()}
        face = synthfaces.render(**values)
        note.value = describe(face)
        titles = ", ".join(CELEBAMASK_HQ.titles[i] for i in np.unique(face.label_map))
        alt = f"{view.value} of rendered face {values['index']} of seed {values['seed']}: {titles}"
        picture.value = _img(draw(face, view.value), alt)

    for control in (*controls.values(), view):
        control.observe(update, names="value")
    update()
    return ipywidgets.VBox([view, _beside(picture, [*controls.values(), note])])


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
    if not _can_move():
        from coursekit import plots

        picture, line = draw(**first)
        return plots.panels([{line: picture}])

    controls = {}
    for name, (value, low, high) in ranges.items():
        whole = all(isinstance(number, int) for number in (value, low, high))
        step = 1 if whole else (high - low) / 16
        controls[name] = _slider(value, low, high, step, name)
    picture, note = _html("picture"), _html("note")

    def update(_change: object = None) -> None:
        drawn, line = draw(**{name: control.value for name, control in controls.items()})
        picture.value, note.value = _img(drawn, line), line

    for control in controls.values():
        control.observe(update, names="value")
    update()
    return _beside(picture, [*controls.values(), note])


def quiz(sealed: str) -> Any:
    """A lesson's questions: a button for each choice, and below what speaks for or against it.

    Args:
        sealed: the quiz's source, as `coursekit.lessons.quiz.seal` wrote it.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: the questions
        as text, in which each choice can be unfolded.
    """
    from coursekit.lessons.quiz import folded, read_quiz, unseal

    questions = read_quiz(unseal(sealed))
    if importlib.util.find_spec("ipywidgets") is None:
        from IPython.display import Markdown

        return Markdown(folded(questions))
    import ipywidgets

    asked = [_question(number, each) for number, each in enumerate(questions, 1)]
    return ipywidgets.VBox(asked, layout=ipywidgets.Layout(max_width="44rem"))


def _question(number: int, question: Question) -> Any:
    """One question of a quiz: its text, its choices, and a place for what a choice leads to."""
    import ipywidgets

    from coursekit.lessons.quiz import html_of, verdict

    whole = ipywidgets.Layout(width="auto", max_width="100%", margin="2px")
    said = ipywidgets.HTML(layout=whole).add_class("coursekit-verdict")
    rows = [ipywidgets.HTML(f"<b>{number}. {html_of(question.text)}</b>", layout=whole)]
    narrow = ipywidgets.Layout(width="3.6rem", flex="0 0 auto")
    for letter, choice in zip(ascii_uppercase, question.choices, strict=False):
        spoken = f"Question {number}, {letter}: {choice.text}"
        button = ipywidgets.Button(description=letter, tooltip=spoken, layout=narrow)

        def choose(pressed: Any, choice: Choice = choice, letter: str = letter) -> None:
            pressed.description = f"{letter} {'✓' if choice.right else '✗'}"
            pressed.button_style = "success" if choice.right else "warning"
            # A screen reader reads out what appears in a status.
            said.value = f'<div role="status">{letter}: {html_of(verdict(choice))}</div>'

        button.on_click(choose)
        text = ipywidgets.HTML(html_of(choice.text), layout=ipywidgets.Layout(flex="1 1 auto"))
        rows.append(ipywidgets.HBox([button, text], layout=whole))
    return ipywidgets.VBox([*rows, said], layout=ipywidgets.Layout(margin="0 0 1rem 0"))


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
    ids, labels = np.unique(face.label_map), shown(CELEBAMASK_HQ)
    classes = ", ".join(
        f'<span style="white-space: nowrap"><span style="background: rgb{labels.palette[i]}; '
        f'border: 1px solid grey" aria-hidden="true">&emsp;</span> {labels.titles[i]}</span>'
        for i in ids
    )
    changed = float((face.label_map != face.clean_label_map).mean())
    noise = ", ".join(face.attributes.label_noise).replace("_", " ")
    wrong = f"{noise}: {changed:.1%} of the pixels" if noise else "none"
    return (
        f"<b>{len(ids)} classes</b>: {classes}<br><b>label noise</b>: {wrong}<br>"
        f"<b>neighbours</b>: {face.attributes.neighbours}"
    )


def _can_move() -> bool:
    """Whether there can be sliders; where not, it is said."""
    missing = [name for name in ("ipywidgets", "anywidget") if not importlib.util.find_spec(name)]
    if missing:
        names = " ".join(missing)
        print(f"The sliders need {names}: `pip install {names}`, then restart the kernel. Here is "
              "a picture that stands still.")  # fmt: skip
    return not missing


#: The browser's own slider, which brings its keys and its looks; in both themes, on a telephone.
_SLIDER = """
function render({ model, el }) {
  const line = document.createElement("label");
  const slider = document.createElement("input");
  const number = document.createElement("output");
  line.className = "coursekit-slider";
  line.append(model.get("description"), slider, number);
  slider.type = "range";
  slider.setAttribute("aria-label", model.get("description"));
  const show = () => {
    for (const name of ["min", "max", "step", "value"]) slider[name] = model.get(name);
    number.textContent = model.get("value").toFixed(model.get("digits"));
  };
  slider.addEventListener("input", () => {
    model.set("value", Number(slider.value));
    model.save_changes();
  });
  // To JupyterLab an arrow folds a heading, and two d are no cell any more.
  slider.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape") {
      event.stopPropagation();
    }
  });
  model.on("change", show);
  show();
  el.append(line);
}
export default { render };
"""
_SLIDER_STYLE = """
.coursekit-slider {
  display: grid; grid-template-columns: 6rem minmax(0, 14rem) 3rem; gap: 0.5rem;
  align-items: center; margin: 2px 0; color: var(--jp-ui-font-color1, inherit);
}
.coursekit-slider input { accent-color: var(--jp-brand-color1, #1976d2); margin: 4px 0; }
"""


@cache
def _kind(whole: bool) -> type[Any]:
    """The slider's class, whose value is a whole number or any."""
    import anywidget
    import traitlets

    number = traitlets.Int if whole else traitlets.Float

    class Slider(anywidget.AnyWidget):
        _esm, _css = _SLIDER, _SLIDER_STYLE
        description = traitlets.Unicode().tag(sync=True)
        digits = traitlets.Int(0 if whole else 2).tag(sync=True)
        value, min, max, step = (number().tag(sync=True) for _ in range(4))

    return Slider


def _slider(value: float, low: float, high: float, step: float, name: str) -> Any:
    """A slider, for whole numbers if all of its numbers are."""
    whole = all(isinstance(number, int) for number in (value, low, high))
    return _kind(whole)(value=value, min=low, max=high, step=step, description=name)


def _html(name: str) -> Any:
    import ipywidgets

    made = ipywidgets.HTML(layout=ipywidgets.Layout(width="24rem", max_width="100%", margin="2px"))
    return made.add_class(f"coursekit-{name}")


def _beside(picture: Any, controls: list[Any]) -> Any:
    """A picture and its controls beside it, or below where the screen is narrow."""
    import ipywidgets

    side = ipywidgets.VBox(controls, layout=ipywidgets.Layout(max_width="100%", flex="1 1 20rem"))
    return ipywidgets.Box(
        [picture, side], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="0 12px")
    )


def _img(picture: NDArray[np.uint8], alt: str) -> str:
    """A picture as HTML, as wide as there is room for, with what a screen reader says of it."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "png", compress_level=1)
    source = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode("ascii")
    return (
        f'<img src="{source}" alt="{html.escape(alt)}" '
        f'style="width: {_SHOWN}px; max-width: 100%; height: auto; image-rendering: pixelated">'
    )


def _still() -> Any:
    from coursekit import plots

    faces = [synthfaces.render(0, index, _SIZE) for index in range(4)]
    return plots.panels([{"image": f.image, "label map": f.label_map} for f in faces], across=2)
