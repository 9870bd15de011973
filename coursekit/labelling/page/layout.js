// What the tool is made of: its elements, and nothing that they do.

import { KEYS } from "./keys.js";

/** An element: `h("button", { title: "…", onclick: f }, "text", child)`. */
export function h(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const button = (text, title, key, does, more = {}) =>
  h("button", { type: "button", title: key ? `${title} (${key})` : title, "aria-label": title, onclick: does, ...more }, text);

function modes(tool) {
  const group = `ck-mode-${tool.number}`;
  return h("fieldset", { class: "ck-modes" }, h("legend", {}, "move"),
    ...["point", "part", "face"].map((mode, i) => h("label", { title: `move by the ${mode} (${i + 1})` },
      h("input", { type: "radio", name: group, value: mode, checked: mode === "point", onchange: () => tool.setMode(mode) }), mode)));
}

function arrows(tool) {
  const step = (event) => event.shiftKey ? 10 : event.altKey ? 0.1 : 1;
  const arrow = (text, title, dx, dy, place) => button(text, title, "", (event) => tool.nudge(step(event) * dx, step(event) * dy), { class: `ck-${place}` });
  return h("div", { class: "ck-pad", role: "group", "aria-label": "move what is chosen by a pixel" },
    arrow("↑", "up by a pixel", 0, -1, "up"), arrow("←", "left by a pixel", -1, 0, "left"),
    arrow("→", "right by a pixel", 1, 0, "right"), arrow("↓", "down by a pixel", 0, 1, "down"));
}

function shapes(tool, parts) {
  parts.together = h("fieldset", { class: "ck-row ck-together", "aria-label": "size and turn of the part", disabled: true },
    button("smaller", "smaller", "[", () => tool.scale(1 / 1.02, 0)), button("larger", "larger", "]", () => tool.scale(1.02, 0)),
    button("⟲", "turn to the left", "{", () => tool.scale(1, -0.02)), button("⟳", "turn to the right", "}", () => tool.scale(1, 0.02)));
  return parts.together;
}

function top(tool, parts) {
  parts.title = h("span", { class: "ck-title" });
  parts.count = h("span", { class: "ck-count" });
  parts.status = h("span", { class: "ck-status", role: "status" });
  return h("div", { class: "ck-bar" },
    button("‹", "previous picture", "Page up", () => tool.step(-1)), parts.count,
    button("›", "next picture", "Page down", () => tool.step(1)), parts.title, parts.status,
    h("span", { class: "ck-space" }),
    button("undo", "undo", "Z", () => tool.face?.undo()), button("redo", "do it again", "Y", () => tool.face?.redo()),
    button("save", "save", "S", () => tool.save()),
    button("save, next", "save, and go to the next picture", "Enter", () => tool.saveAndNext(), { class: "ck-main" }),
    button("?", "keys and help", "?", () => tool.help()));
}

function hand(tool, parts) {
  parts.point = h("p", { class: "ck-point" });
  parts.opacity = h("input", { type: "range", min: 0, max: 1, step: 0.05, value: tool.opacity, oninput: (event) => tool.setOpacity(Number(event.target.value)) });
  parts.hide = button("hidden", "the point cannot be seen: it stays where it would be", "H", () => tool.hide(), { "aria-pressed": "false" });
  const section = h("section", { class: "ck-hand", "aria-label": "points" }, parts.point,
    h("div", { class: "ck-row" }, modes(tool), arrows(tool)), shapes(tool, parts),
    h("div", { class: "ck-row" },
      button("‹ point", "the point before", "comma", () => tool.nextPoint(-1)),
      button("point ›", "the next point, the least certain first", "Space", () => tool.nextPoint(1)), parts.hide,
      button("follow", "let the other points follow those that you moved", "F", () => tool.others())),
    h("label", { class: "ck-slider" }, "label map", parts.opacity),
    h("div", { class: "ck-row" },
      button("−", "farther", "-", () => tool.stage.zoom(0.8)), button("+", "nearer", "+", () => tool.stage.zoom(1.25)),
      button("whole", "the whole picture", "0", () => tool.stage.fit()),
      button("part", "the part of the chosen point", "9", () => tool.lookAtPart())));
  parts.works.push(section);
  return section;
}

function start(tool, parts) {
  parts.proposer = h("p", { class: "ck-quiet" });
  parts.training = h("p", { class: "ck-training", role: "status" });
  parts.progress = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "training" });
  parts.train = button("train again", "train the network on what is saved", "", () => tool.panel.train());
  parts.cancel = button("cancel", "cancel the training", "", () => tool.panel.cancel(), { hidden: true });
  const anew = h("div", { class: "ck-row" },
    button("network", "propose anew", "P", () => tool.propose("network")),
    button("mean face", "lay in the mean face", "M", () => tool.propose("mean")),
    button("as before", "the points of the picture before", "C", () => tool.copyLast()));
  parts.works.push(anew);
  return h("section", { "aria-label": "proposals" }, h("h2", {}, "Proposals"), parts.proposer, anew,
    h("div", { class: "ck-row" }, parts.train, parts.cancel), parts.progress, parts.training);
}

function list(tool, parts) {
  parts.done = h("p", { class: "ck-done" });
  parts.list = h("ol", { class: "ck-list" });
  parts.number = h("input", { type: "number", min: 1, value: 1, "aria-label": "number of a picture",
    onkeydown: (event) => { if (event.key === "Enter") parts.stage.focus(); }, // and the keys are the tool's again
    onchange: (event) => tool.go(Number(event.target.value) - 1) });
  return h("section", { "aria-label": "pictures" }, h("h2", {}, "Pictures"), parts.done,
    h("div", { class: "ck-row" }, h("label", {}, "go to ", parts.number), button("next open", "next picture that is not saved", "U", () => tool.nextOpen())), parts.list);
}

function help() {
  const words = { Space: "space", PageDown: "page down", PageUp: "page up" };
  const rows = KEYS.map(([keys, what]) => what === undefined
    ? h("tr", {}, h("th", { colspan: 2, scope: "colgroup" }, keys))
    : h("tr", {}, h("td", {}, ...keys.flatMap((key, i) => [i ? " " : "", h("kbd", {}, words[key] ?? key)])), h("td", {}, what)));
  return h("dialog", { class: "ck-dialog", "aria-label": "keys and help" },
    h("form", { method: "dialog" }, h("button", { class: "ck-main" }, "close")),
    h("p", {}, "Drag a point with mouse, pen or finger; it moves only once the hand has gone a little way. Drag beside points to move the picture; wheel or two fingers zoom. A part has a handle at its corner: it scales, and turns with Shift."),
    h("p", {}, "Ring: hidden. Yellow: the network is not sure. Blue: moved by you. Left and right are the person's own."),
    h("table", {}, h("tbody", {}, ...rows)));
}

function quarrel(tool, parts) {
  // It has the focus: the hand may be about to press Enter, and neither answer is harmless.
  parts.quarrelText = h("p", { tabindex: -1, autofocus: true });
  return h("dialog", { class: "ck-dialog ck-quarrel", "aria-label": "changed elsewhere", oncancel: (event) => event.preventDefault() }, parts.quarrelText,
    h("div", { class: "ck-row" },
      h("button", { type: "button", class: "ck-theirs", onclick: () => tool.settle("theirs") }, "take theirs"),
      h("button", { type: "button", class: "ck-mine ck-main", onclick: () => tool.settle("mine") }, "keep mine")));
}

/** Everything, in `root`; gives the elements that change. */
export function build(root, tool) {
  const parts = { works: [] }; // what works on a picture, and on nothing without one
  parts.stage = h("div", { class: "ck-stage", tabindex: 0, role: "application", "aria-roledescription": "photograph with points", "aria-label": "the photograph; press ? for its keys" });
  parts.message = h("p", { class: "ck-message", role: "alert", hidden: true });
  parts.speech = h("p", { class: "ck-speech", "aria-live": "polite" });
  parts.help = help();
  parts.quarrel = quarrel(tool, parts);
  root.classList.add("ck-tool");
  root.replaceChildren(top(tool, parts), parts.message, h("div", { class: "ck-main-row" }, parts.stage,
    h("div", { class: "ck-side" }, hand(tool, parts), start(tool, parts), list(tool, parts))), parts.speech, parts.help, parts.quarrel);
  return parts;
}
