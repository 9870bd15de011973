"""A picture whose pixels can be pointed at, by a mouse, a finger or the arrow keys."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.widgets.box import SHOWN, as_url
from coursekit.widgets.controls import COMMON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_PICKER = """
function render(view) {
  const { model } = view;
  const whole = document.createElement("div");
  const frame = document.createElement("div");
  const image = document.createElement("img");
  const mark = document.createElement("div");
  const said = document.createElement("div");
  whole.className = "coursekit-picker";
  frame.className = "coursekit-picker-frame";
  mark.className = "coursekit-picker-mark";
  said.className = "coursekit-picker-said";
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", model.get("description"));
  said.setAttribute("role", "status");
  frame.append(image, mark);
  whole.append(frame, said);
  const maps = () => model.get("maps").map((buffer) =>
    new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
  const limited = (at, most) => Math.min(Math.max(at, 0), most - 1);
  const name = (row, column) => {
    const ids = maps().map((map) => map[row * model.get("columns") + column]);
    const of = (id) => model.get("names")[id] ?? "not labelled";
    const parts = model.get("titles").map((title, i) => `${title}: ${of(ids[i])}`);
    said.textContent = [`row ${row}, column ${column}`, ...parts].join(" · ");
  };
  const show = () => {
    const [row, column] = model.get("value");
    if (image.src !== model.get("src")) image.src = model.get("src");
    image.alt = model.get("alt");
    mark.style.left = `${100 * column / model.get("columns")}%`;
    mark.style.top = `${100 * row / model.get("rows")}%`;
    mark.style.width = `${100 / model.get("columns")}%`;
    mark.style.height = `${100 / model.get("rows")}%`;
    name(row, column);
  };
  const move = (row, column) => {
    const to = [limited(row, model.get("rows")), limited(column, model.get("columns"))];
    if (to.join() === model.get("value").join()) return;
    model.set("value", to);
    model.save_changes();
  };
  const under = (event) => {
    const box = frame.getBoundingClientRect();
    const at = (place, length, many) => limited(Math.floor(place / length * many), many);
    return [at(event.clientY - box.top, box.height, model.get("rows")),
            at(event.clientX - box.left, box.width, model.get("columns"))];
  };
  frame.addEventListener("pointermove", (event) => {
    name(...under(event));
    if (event.buttons) move(...under(event));
  });
  frame.addEventListener("pointerleave", () => name(...model.get("value")));
  frame.addEventListener("pointerdown", (event) => move(...under(event)));
  frame.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const far = event.shiftKey ? 8 : 1;
    const [row, column] = model.get("value");
    move(row + far * step[0], column + far * step[1]);
  });
  put(view, whole, frame, show);
}
export default { render };
"""

_STYLE = """
.coursekit-picker { color: var(--jp-ui-font-color1, inherit); }
.coursekit-picker-frame { position: relative; line-height: 0; cursor: crosshair;
  overflow: hidden; touch-action: manipulation; }
.coursekit-picker-frame:focus { outline: 3px solid var(--jp-brand-color1, #1976d2); }
.coursekit-picker-frame img { width: 100%; height: auto; image-rendering: pixelated;
  user-select: none; pointer-events: none; margin: 0; max-width: none; }
.coursekit-picker-mark { position: absolute; box-sizing: border-box; pointer-events: none;
  min-width: 7px; min-height: 7px; outline: 2px solid #fff; box-shadow: 0 0 0 4px #000; }
.coursekit-picker-said { min-height: 2.8em; line-height: 1.4; padding: 4px 0; }
"""


@cache
def _kind() -> type[Any]:
    import anywidget
    import traitlets

    class Picker(anywidget.AnyWidget):
        _esm, _css = COMMON + _PICKER, _STYLE
        description, src, alt = (traitlets.Unicode().tag(sync=True) for _ in range(3))
        value = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
        rows, columns = (traitlets.Int(1).tag(sync=True) for _ in range(2))
        names, titles = (traitlets.List(traitlets.Unicode()).tag(sync=True) for _ in range(2))
        maps = traitlets.List(traitlets.Bytes()).tag(sync=True)

    return Picker


def picker(name: str, row: int = 0, column: int = 0) -> Any:
    """A picture to point at; its `value` is (row, column).

    Args:
        name: said by a screen reader: what is to be pointed at.
        row: the first place.
        column: likewise.
    """
    from ipywidgets import Layout

    made = _kind()(description=f"{name}; arrow keys move, with Shift further", value=(row, column))
    made.layout = Layout(width=f"{SHOWN}px", max_width="calc(100% - 4px)", margin="2px")
    return made


def show(
    made: Any,
    picture: NDArray[np.uint8],
    alt: str,
    grid: tuple[int, int] | None = None,
    maps: Mapping[str, NDArray[np.uint8]] | None = None,
    names: Sequence[str] = (),
) -> None:
    """Put a picture into a picker.

    Args:
        made: the picker.
        picture: (H, W, 3).
        alt: what it shows.
        grid: rows and columns that can be pointed at; those of the picture if not given.
        maps: class ids under each place, (rows, columns), by what they are the classes of; the
            picker says them for the place under the mouse.
        names: of the classes.
    """
    rows, columns = grid or picture.shape[:2]
    told = maps or {}
    with made.hold_sync():  # one message, and never a map of another size
        made.rows, made.columns = rows, columns
        made.value = (min(made.value[0], rows - 1), min(made.value[1], columns - 1))
        made.src, made.alt, made.names, made.titles = as_url(picture), alt, [*names], [*told]
        made.maps = [np.ascontiguousarray(ids).tobytes() for ids in told.values()]
