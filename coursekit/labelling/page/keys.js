// The keys, in one table: what is pressed, what is said of it, what it does.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Rows of the help: [keys, what they do, does(tool, event), when]. What is "again" goes on while a
key is held down; what is "always" needs no picture. */
export const KEYS = [
  ["pictures"],
  [["Enter"], "save, and go to the next picture", (t) => t.saveAndNext()],
  [["s", "Ctrl+s"], "save", (t) => t.save()],
  [["PageDown", "d"], "next picture", (t) => t.step(1), "again always"],
  [["PageUp", "a"], "previous picture", (t) => t.step(-1), "again always"],
  [["u"], "next picture that is not saved", (t) => t.nextOpen(), "always"],
  [["c"], "take the points of the picture before", (t) => t.copyLast()],
  [["p"], "propose anew: the network's points", (t) => t.propose("network")],
  [["m"], "lay in the mean face", (t) => t.propose("mean")],
  ["points"],
  [["Space", "."], "next point; the least certain come first", (t) => t.nextPoint(1), "again"],
  [["Shift+Space", ","], "point before", (t) => t.nextPoint(-1), "again"],
  [["arrows"], "move the point or part by a pixel; with Shift by ten, with Alt by a tenth"],
  [["1"], "move single points", (t) => t.setMode("point")],
  [["2"], "move whole parts", (t) => t.setMode("part")],
  [["3"], "move the whole face", (t) => t.setMode("face")],
  [["]", "["], "make the part or face larger, smaller", (t, e) => t.scale(e.key === "]" ? 1.02 : 1 / 1.02, 0), "again"],
  [["}", "{"], "turn it", (t, e) => t.scale(1, e.key === "}" ? 0.02 : -0.02), "again"],
  [["f"], "let the other points follow those that you moved", (t) => t.others()],
  [["h"], "hidden, or seen again: it stays where it would be", (t) => t.hide()],
  [["z", "Ctrl+z"], "undo", (t) => t.face.undo(), "again"],
  [["y", "Ctrl+y", "Shift+Z", "Ctrl+Shift+Z"], "do it again", (t) => t.face.redo(), "again"],
  [["Escape"], "give a drag up; choose no point", (t) => t.escape()],
  ["view"],
  [["+", "="], "nearer", (t) => t.stage.zoom(1.25), "again"],
  [["-"], "farther", (t) => t.stage.zoom(0.8), "again"],
  [["0"], "the whole picture", (t) => t.stage.fit()],
  [["9"], "the part of the point alone", (t) => t.lookAtPart()],
  [["o", "O"], "label map stronger, weaker", (t, e) => t.setOpacity(t.opacity + (e.shiftKey ? -0.1 : 0.1)), "again"],
  [["l"], "label map on, off", (t) => t.toggle("map")],
  [["v"], "points on, off", (t) => t.toggle("dots")],
  [["?"], "this list", (t) => t.help(), "always"],
];

/** The letter on a key, whatever alphabet the keyboard writes and whether capitals are locked. */
function letterOf({ key, code, shiftKey }) {
  if (key === " ") return "Space";
  const latin = /^[^\x00-\x7f]$/.test(key) && /^Key[A-Z]$/.test(code) ? code[3] : key;
  return /^[A-Za-z]$/.test(latin) ? (shiftKey ? latin.toUpperCase() : latin.toLowerCase()) : key;
}

function named(event) {
  const key = letterOf(event);
  // AltGr, which types brackets on some keyboards, says that it is Ctrl and Alt.
  const ctrl = (event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph");
  const shift = event.shiftKey && (key.length > 1 || ctrl || /^[A-Z]$/.test(key));
  const letter = ctrl && !shift ? key.toLowerCase() : ctrl && key.length === 1 ? key.toUpperCase() : key;
  return `${ctrl ? "Ctrl+" : ""}${shift ? "Shift+" : ""}${letter}`;
}

const FIELDS = "input:not([type=range]):not([type=radio]):not([type=checkbox]), select, textarea";

/** Do what a key says; true when it was one of ours. */
export function press(tool, event) {
  const on = event.target.closest?.("button, summary, a, input, select, textarea");
  if (!tool.pictures || event.target.matches?.(FIELDS) || event.isComposing) return false;
  // Buttons and sliders keep the keys that work them.
  if (on && (["Enter", " "].includes(event.key) || (on.matches("input") && event.key in ARROWS))) return false;
  if (tool.face && event.key in ARROWS && !event.ctrlKey && !event.metaKey) {
    const step = event.shiftKey ? 10 : event.altKey ? 0.1 : 1, [dx, dy] = ARROWS[event.key];
    if (tool.face.selected < 0) tool.stage.pan(-40 * dx, -40 * dy);
    else tool.nudge(step * dx, step * dy);
    return true;
  }
  const name = named(event), plain = name === "Shift+O" ? "O" : name;
  const row = KEYS.find(([keys]) => Array.isArray(keys) && keys.includes(plain)), [, , does, when = ""] = row ?? [];
  if (!does || (event.altKey && !/[[\]{}]/.test(event.key))) return false;
  // Nothing is saved, or thrown over, because a finger rests on a key.
  if ((!event.repeat || when.includes("again")) && (tool.face || when.includes("always"))) does(tool, event);
  return true;
}
