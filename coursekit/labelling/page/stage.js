// The photograph with its label map and points, and the hand on it: drag, pan, zoom, pinch.

import { box, distance, middle, nearest, outlines, shifted, turned } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";
// How near the hand must come to a point, and how far it must go before anything moves: screen px.
const REACH = { mouse: 11, pen: 14, touch: 26 };
const STILL = { mouse: 3, pen: 5, touch: 9 };
const CLOSEST = 40, PARTS = ["skin", "nose", "r_brow", "l_brow", "r_eye", "l_eye", "u_lip", "l_lip", "mouth"];
let stages = 0;

function shape(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

export class Stage {
  /** `tool` has the face, the mode and its indices (`reach(index)`). */
  constructor(host, tool) {
    this.host = host;
    this.tool = tool;
    this.view = { x: 0, y: 0, zoom: 1 };
    this.pointers = new Map();
    this.doing = null;
    this.busy = false;
    this.wanted = false;
    this.build();
    for (const [name, does] of Object.entries({
      pointerdown: this.down, pointermove: this.move, pointerup: this.up, pointercancel: this.cancel,
      wheel: this.wheel, contextmenu: (event) => event.preventDefault(),
    })) host.addEventListener(name, does.bind(this), { passive: false });
    new ResizeObserver(() => this.resized()).observe(host);
  }

  build() {
    const id = `ck-mask-${++stages}`, jaw = `ck-jaw-${stages}`;
    this.svg = shape("svg", { "aria-hidden": "true" }, this.host);
    this.world = shape("g", {}, this.svg);
    this.photo = shape("image", { x: -0.5, y: -0.5, preserveAspectRatio: "none" }, this.world);
    this.map = shape("g", { class: "ck-map" }, this.world);
    const seen = shape("mask", { id, maskUnits: "userSpaceOnUse" }, this.map);
    const above = shape("mask", { id: jaw, maskUnits: "userSpaceOnUse" }, this.map);
    this.whites = shape("rect", { fill: "#fff" }, above);
    this.paths = { below: shape("path", { fill: "#000" }, above) };
    this.layers = { mask: shape("image", {}, seen), skin: shape("image", { mask: `url(#${jaw})`, class: "ck-under" }, this.map) };
    this.parts = shape("g", {}, this.map);
    this.masks = [seen, above];
    for (const part of PARTS) {
      this.paths[part] = shape("path", { class: `ck-${part}`, "data-part": part }, this.parts);
    }
    this.layers.hair = shape("image", {}, this.map);
    this.lines = shape("g", { class: "ck-lines" }, this.world);
    this.frame = shape("g", { class: "ck-frame" }, this.world);
    this.frame.rect = shape("rect", {}, this.frame);
    this.frame.grip = shape("circle", { class: "ck-grip" }, this.frame);
    this.dots = shape("g", { class: "ck-dots" }, this.world);
    this.points = [];
    for (let i = 0; i < 106; i++) {
      this.points.push(shape("circle", { class: "ck-dot", "data-point": i }, this.dots));
    }
  }

  groups(groups, colours) {
    this.strokes = outlines(groups).map((indices) => ({ indices, line: shape("polyline", {}, this.lines) }));
    for (const [name, colour] of Object.entries(colours)) {
      if (this.paths[name]) this.paths[name].style.fill = colour;
    }
  }

  /** Another picture. */
  show(face, address) {
    this.face = face;
    this.doing = null;
    for (const [name, value] of Object.entries({ width: face.width, height: face.height, href: address })) {
      this.photo.setAttribute(name, value);
    }
    this.regions({});
    this.trace(face.paths);
    this.fit();
  }

  /** Hair and skin, where networks found them. */
  regions(found) {
    const { width, height } = this.face;
    for (const part of [...Object.values(this.layers), ...this.masks, this.whites]) {
      for (const [key, value] of Object.entries({ x: -0.5, y: -0.5, width, height })) part.setAttribute(key, value);
    }
    for (const [name, image] of Object.entries(this.layers)) {
      if (found[name]) image.setAttribute("href", found[name]);
      else image.removeAttribute("href");
    }
    const known = Boolean(found.mask);
    this.host.classList.toggle("ck-parsed", known);
    if (known) this.parts.setAttribute("mask", `url(#${this.masks[0].id})`);
    else this.parts.removeAttribute("mask");
  }

  trace(paths) {
    for (const [part, path] of Object.entries(this.paths)) path.setAttribute("d", paths[part] ?? "");
  }

  /** The label map after the points: one request at a time, the last points always. */
  async follow() {
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    while (this.wanted) {
      this.wanted = false;
      const face = this.face, start = performance.now();
      try {
        const found = await this.tool.transport.call("draw", { points: face.points });
        if (face === this.face) this.trace(found.paths);
        this.host.dataset.lag = (performance.now() - start).toFixed(1);
      } catch { /* said where the points are kept */ }
    }
    this.busy = false;
  }

  // -- what is seen

  resized() {
    if (!this.face || !this.host.clientWidth) return;
    if (this.whole) this.fit();
    else this.place();
  }

  fit() {
    const { clientWidth: w, clientHeight: h } = this.host, { width, height } = this.face;
    const zoom = Math.min(w / width, h / height) || 1;
    this.view = { zoom, x: (w - zoom * (width - 1)) / 2, y: (h - zoom * (height - 1)) / 2 };
    this.whole = true;
    this.place();
  }

  /** Make some points fill the stage. */
  look(indices) {
    const around = box(this.face.points, indices);
    const side = 1.6 * Math.max(around.right - around.left, around.bottom - around.top, 8);
    const { clientWidth: w, clientHeight: h } = this.host;
    const zoom = Math.min(w, h) / side;
    this.view = {
      zoom, x: w / 2 - zoom * (around.left + around.right) / 2, y: h / 2 - zoom * (around.top + around.bottom) / 2,
    };
    this.whole = false;
    this.place();
  }

  zoom(factor, at = [this.host.clientWidth / 2, this.host.clientHeight / 2]) {
    const least = 0.25 * Math.min(this.host.clientWidth / this.face.width, this.host.clientHeight / this.face.height);
    const zoom = Math.min(Math.max(this.view.zoom * factor, least), CLOSEST), share = zoom / this.view.zoom;
    this.pan((1 - share) * (at[0] - this.view.x), (1 - share) * (at[1] - this.view.y), zoom);
  }

  pan(dx, dy, zoom = this.view.zoom) {
    this.view = { zoom, x: this.view.x + dx, y: this.view.y + dy };
    this.whole = false;
    this.place();
  }

  /** Keep a point in sight. */
  reveal(index) {
    const [x, y] = this.onScreen(this.face.points[index]), edge = 24;
    const { clientWidth: w, clientHeight: h } = this.host;
    const back = (v, size) => v < edge ? edge - v : v > size - edge ? size - edge - v : 0;
    if (back(x, w) || back(y, h)) this.pan(back(x, w), back(y, h));
  }

  place() {
    const { x, y, zoom } = this.view;
    this.world.setAttribute("transform", `matrix(${zoom} 0 0 ${zoom} ${x} ${y})`);
    this.photo.classList.toggle("ck-pixels", zoom > 6);
    this.draw();
  }

  onScreen([x, y]) { return [this.view.x + this.view.zoom * x, this.view.y + this.view.zoom * y]; }
  inPhoto([x, y]) { return [(x - this.view.x) / this.view.zoom, (y - this.view.y) / this.view.zoom]; }

  draw() {
    const { face, view } = this, small = Math.min(this.host.clientWidth, this.host.clientHeight) < 500 ? 0.75 : 1;
    const chosen = new Set(face.selected < 0 ? [] : this.tool.reach(face.selected));
    const moved = new Set(face.moved());
    this.points.forEach((dot, i) => {
      const [x, y] = face.points[i];
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", y);
      dot.setAttribute("r", small * (i === face.selected ? 6 : chosen.has(i) ? 5 : 3.6) / view.zoom);
      dot.classList.toggle("ck-selected", i === face.selected);
      dot.classList.toggle("ck-chosen", chosen.has(i));
      dot.classList.toggle("ck-hidden", face.hidden.has(i));
      dot.classList.toggle("ck-uncertain", face.uncertain(i) && !moved.has(i));
      dot.classList.toggle("ck-moved", moved.has(i));
    });
    for (const { indices, line } of this.strokes) {
      line.setAttribute("points", indices.map((i) => face.points[i].join(",")).join(" "));
    }
    const together = chosen.size > 1;
    this.frame.style.display = together ? "" : "none";
    if (together) this.surround([...chosen]);
  }

  surround(indices) {
    const b = box(this.face.points, indices), room = 10 / this.view.zoom;
    for (const [name, value] of Object.entries({
      x: b.left - room, y: b.top - room, width: b.right - b.left + 2 * room, height: b.bottom - b.top + 2 * room,
    })) this.frame.rect.setAttribute(name, value);
    this.grip = [b.right + room, b.bottom + room];
    this.frame.grip.setAttribute("cx", this.grip[0]);
    this.frame.grip.setAttribute("cy", this.grip[1]);
    this.frame.grip.setAttribute("r", 7 / this.view.zoom);
  }

  // -- the hand

  at(event) {
    const frame = this.host.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  down(event) {
    if (!this.tool.face) return;
    this.host.focus({ preventScroll: true });
    const at = this.at(event);
    this.pointers.set(event.pointerId, at);
    try { this.host.setPointerCapture(event.pointerId); } catch { /* a script's pointer */ }
    if (this.pointers.size > 1) {
      this.face.giveUp();
      this.doing = { kind: "pinch" };
      return;
    }
    const kind = event.pointerType || "mouse", place = this.inPhoto(at);
    const reach = (REACH[kind] ?? REACH.mouse) / this.view.zoom;
    this.doing = { kind: "pan", at, start: at, still: STILL[kind] ?? STILL.mouse };
    if (event.button !== 0) return;
    const { face } = this, grips = this.frame.style.display !== "none";
    if (grips && distance(this.grip, place) < reach) {
      const indices = this.tool.reach(face.selected);
      Object.assign(this.doing, { kind: "turn", indices, centre: middle(face.points, indices), place });
      return;
    }
    const index = nearest(face.points, place, reach);
    if (index < 0) return;
    face.select(index);
    Object.assign(this.doing, { kind: "move", indices: this.tool.reach(index), place });
  }

  move(event) {
    if (!this.pointers.has(event.pointerId) || !this.doing) return;
    const at = this.at(event), before = this.pointers.get(event.pointerId);
    const { doing, face } = this;
    if (doing.kind === "pinch") { this.pinch(event.pointerId, at, before); return; }
    this.pointers.set(event.pointerId, at);
    // Somebody else has ended the drag: a key, or the page that went out of sight.
    if (doing.begun && doing.kind !== "pan" && !face.held) { this.doing = null; return; }
    if (!doing.begun && distance(at, doing.start) < doing.still) return;
    doing.begun = true;
    const place = this.inPhoto(at);
    if (doing.kind === "pan") {
      this.pan(at[0] - doing.at[0], at[1] - doing.at[1]);
      doing.at = at;
    } else if (doing.kind === "move") {
      const dx = place[0] - doing.place[0], dy = place[1] - doing.place[1];
      face.drag((points) => shifted(points, doing.indices, dx, dy), doing.indices);
    } else {
      const arm = (p) => [p[0] - doing.centre[0], p[1] - doing.centre[1]], a = arm(doing.place), b = arm(place);
      const factor = Math.max(Math.hypot(...b) / Math.hypot(...a), 0.05);
      // It scales; with Shift it turns, too.
      const angle = event.shiftKey ? Math.atan2(b[1], b[0]) - Math.atan2(a[1], a[0]) : 0;
      face.drag((points) => turned(points, doing.indices, doing.centre, factor, angle), doing.indices);
    }
  }

  pinch(id, at, before) {
    const other = [...this.pointers].find(([key]) => key !== id)?.[1];
    this.pointers.set(id, at);
    if (!other) return;
    this.zoom(distance(at, other) / Math.max(distance(before, other), 1), other);
    this.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
    const { doing, face } = this;
    this.doing = null;
    if (doing?.begun) face.drop();
    else if (doing?.kind === "pan" && event.button === 0) face.select(-1);
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.doing = null;
    this.face?.giveUp();
  }

  wheel(event) {
    // In a notebook the page scrolls until the stage is chosen.
    if (!this.tool.face || (!event.ctrlKey && document.activeElement !== this.host && !this.host.contains(document.activeElement))) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.at(event));
  }
}
