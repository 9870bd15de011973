"""The browser's own sliders, lists of choices and buttons, with names for a screen reader.

ipywidgets' controls let JupyterLab have the keys: an arrow in a list would select the next cell.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: What each control's script begins with: `put` shows it, now and whenever the kernel changes it,
#: and keeps its keys: to JupyterLab an arrow folds a heading or leaves the cell, and two d are no
#: cell any more.
COMMON = """
const put = ({ model, el }, whole, control, show) => {
  control.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape") {
      event.stopPropagation();
    }
  });
  model.on("change", show);
  show();
  el.append(whole);
};
"""

_SLIDER = """
function render(view) {
  const { model } = view;
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
  put(view, line, slider, show);
}
export default { render };
"""

_CHOICE = """
function render(view) {
  const { model } = view;
  const line = document.createElement("label");
  const list = document.createElement("select");
  line.className = "coursekit-slider coursekit-choice";
  line.append(model.get("description"), list);
  list.setAttribute("aria-label", model.get("description"));
  for (const name of model.get("options")) list.add(new Option(name, name));
  const show = () => { list.value = model.get("value"); };
  list.addEventListener("change", () => {
    model.set("value", list.value);
    model.save_changes();
  });
  put(view, line, list, show);
}
export default { render };
"""

_BUTTONS = """
function render(view) {
  const { model } = view;
  const line = document.createElement("div");
  line.className = "coursekit-buttons";
  line.setAttribute("role", "group");
  line.setAttribute("aria-label", model.get("description"));
  const all = model.get("options").map(() => document.createElement("button"));
  line.append(...all);
  const show = () => all.forEach((button, i) => {
    button.textContent = model.get("options")[i];
    // Not `disabled`: whoever has pressed it by a key would be sent back to the top of the page.
    button.setAttribute("aria-disabled", String(!model.get("ready")[i]));
  });
  all.forEach((button, i) => button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    all.forEach((each) => each.setAttribute("aria-disabled", "true"));  // until the kernel answers
    model.send({ pressed: i });
  }));
  put(view, line, line, show);
}
export default { render };
"""

_STYLE = """
.coursekit-slider {
  display: grid; grid-template-columns: 6rem minmax(0, 14rem) 3rem; gap: 0.5rem;
  align-items: center; margin: 2px 0; color: var(--jp-ui-font-color1, inherit);
}
.coursekit-slider input { accent-color: var(--jp-brand-color1, #1976d2); margin: 4px 0; }
.coursekit-choice select {
  font: inherit; padding: 2px 4px; color: var(--jp-ui-font-color1, inherit); min-width: 0;
  background: var(--jp-layout-color1, Canvas); border: 1px solid var(--jp-border-color0, grey);
}
.coursekit-buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 4px 0; }
.coursekit-buttons button {
  font: inherit; padding: 5px 14px; border-radius: 4px; cursor: pointer;
  color: var(--jp-ui-font-color1, inherit); background: var(--jp-layout-color1, Canvas);
  border: 1px solid var(--jp-ui-font-color1, currentColor);
}
.coursekit-buttons button[aria-disabled=true] { opacity: 0.5; cursor: default; }
.coursekit-buttons button:focus-visible { outline: 3px solid var(--jp-brand-color1, #1976d2); }
"""


@cache
def _slider(whole: bool) -> type[Any]:
    """The slider's class, whose value is a whole number or any."""
    import anywidget
    import traitlets

    number = traitlets.Int if whole else traitlets.Float

    class Slider(anywidget.AnyWidget):
        _esm, _css = COMMON + _SLIDER, _STYLE
        description = traitlets.Unicode().tag(sync=True)
        digits = traitlets.Int(0 if whole else 2).tag(sync=True)
        value, min, max, step = (number().tag(sync=True) for _ in range(4))

    return Slider


@cache
def _choice() -> type[Any]:
    import anywidget
    import traitlets

    class Choice(anywidget.AnyWidget):
        _esm, _css = COMMON + _CHOICE, _STYLE
        description = traitlets.Unicode().tag(sync=True)
        options = traitlets.List(traitlets.Unicode()).tag(sync=True)
        value = traitlets.Unicode().tag(sync=True)

    return Choice


@cache
def _buttons() -> type[Any]:
    import anywidget
    import traitlets

    class Buttons(anywidget.AnyWidget):
        _esm, _css = COMMON + _BUTTONS, _STYLE
        description = traitlets.Unicode().tag(sync=True)
        options = traitlets.List(traitlets.Unicode()).tag(sync=True)
        ready = traitlets.List(traitlets.Bool()).tag(sync=True)

    return Buttons


def slider(value: float, low: float, high: float, step: float, name: str, **more: Any) -> Any:
    """A slider, for whole numbers if all of its numbers are.

    Args:
        value: the first.
        low: the smallest.
        high: the largest.
        step: between two neighbours.
        name: written before it, and said by a screen reader.
        more: `digits` behind the point that are shown, 2 by default.
    """
    whole = all(isinstance(number, int) for number in (value, low, high))
    return _slider(whole)(value=value, min=low, max=high, step=step, description=name, **more)


def choice(options: Sequence[str], name: str, value: str | None = None) -> Any:
    """A list of which one is chosen.

    Args:
        options: the names.
        name: written before it, and said by a screen reader.
        value: the first choice; the first of the names if it is not given.
    """
    return _choice()(options=list(options), value=value or options[0], description=name)


def buttons(name: str, on_press: Callable[[int], None], options: Sequence[str]) -> Any:
    """Buttons in a row, named by `options`; its list `ready` says which can be pressed.

    Once one is pressed none can be, until that list is set.

    Args:
        name: said by a screen reader of all of them.
        on_press: called with the place of the one that was pressed.
        options: what is written on them.
    """
    made = _buttons()(description=name, options=list(options), ready=[False for _ in options])
    made.on_msg(lambda _widget, said, _buffers: on_press(said["pressed"]))
    return made
