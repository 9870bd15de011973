// The tool: a picture, the hand, and what is kept. `mount` for a page, `render` for a notebook.

import { apart, box, middle, resized, shifted, turned, wholeParts } from "./geometry.js";
import { Face } from "./state.js";
import { Saver } from "./saver.js";
import { Stage } from "./stage.js";
import { press } from "./keys.js";
import { build } from "./layout.js";
import { Panel } from "./panel.js";
import { failed, kernel } from "./transport.js";

let tools = 0;

class Tool {
  constructor(root, transport) {
    this.transport = transport;
    this.number = ++tools;
    this.opacity = 0.45;
    this.mode = "point";
    this.face = null;
    this.images = new Map();
    this.photos = new Map(); // by picture: which photograph of that name `images` holds
    this.parts = build(root, this);
    this.stage = new Stage(this.parts.stage, this);
    this.panel = new Panel(this, this.parts);
    this.setOpacity(this.opacity);
    // A page has no keys but the tool's; in a notebook they are its own while it is chosen.
    this.keys = document.body.matches(".ck-page") ? document : root;
    this.keys.addEventListener("keydown", this.pressed = (event) => {
      if (!root.querySelector("dialog[open]") && press(this, event)) event.preventDefault();
      // To a notebook b is a cell below, and x is no cell any more.
      event.stopPropagation();
    });
    this.leave = () => this.saver?.leave(this.face);
    addEventListener("pagehide", this.leave);
    document.addEventListener("visibilitychange", this.unseen = () => { if (document.hidden) this.leave(); else this.look(); });
  }

  async open() {
    try {
      this.about = await this.transport.call("open", {});
    } catch (error) {
      this.warn(error.message);
      return;
    }
    const { about } = this;
    this.pictures = about.pictures;
    this.whole = wholeParts(about.groups);
    this.stage.groups(about.groups, about.colours);
    this.saver = new Saver(this.transport, about.folder, {
      say: (text, bad) => this.say(text, bad), warn: (text) => this.warn(text),
      conflict: (face, text) => this.disagree(face, text), kept: (name, found) => this.kept(name, found),
    });
    this.panel.told(about.training);
    if (about.training.state === "running") this.panel.watch();
    this.parts.proposer.textContent = `Points come from ${about.proposer}.`;
    await this.go(this.pictures.findIndex(([name]) => name === about.at));
    if (about.left_out.length) this.warn(about.left_out.join(" "));
  }

  close() {
    this.leave();
    this.keys.removeEventListener("keydown", this.pressed);
    removeEventListener("pagehide", this.leave);
    document.removeEventListener("visibilitychange", this.unseen);
    clearTimeout(this.panel.timer);
  }

  // -- which picture

  async go(index) {
    if (!this.pictures?.[index]) return;
    const name = this.pictures[index][0];
    this.face?.drop();
    this.rest();
    this.index = this.wants = index;
    this.panel.list(this.pictures, index);
    this.say("opening …");
    try {
      let [picture, address] = await Promise.all([this.transport.call("picture", { name }), this.image(name)]);
      if (this.photos.has(name) && this.photos.get(name) !== picture.photo) {
        this.images.delete(name); // it was replaced since
        address = await this.image(name);
      }
      this.photos.set(name, picture.photo);
      if (this.wants === index) this.show(new Face(picture), address);
    } catch (error) {
      if (this.wants !== index) return;
      this.parts.stage.classList.add("ck-none");
      this.parts.title.textContent = name;
      this.say("");
      this.warn(error.message);
    }
  }

  /** Nothing is under the hand: a picture is being opened, or cannot be. */
  rest() {
    this.face = this.stage.doing = null;
    for (const part of this.parts.works) part.inert = true;
    this.parts.stage.classList.add("ck-opening");
  }

  show(face, address) {
    this.face = face;
    const { parts } = this;
    for (const part of parts.works) part.inert = false;
    parts.stage.classList.remove("ck-none", "ck-opening");
    parts.title.textContent = face.file;
    parts.stage.dataset.name = face.name;
    this.warn(face.message);
    this.say({ saved: "saved", draft: "begun", file: "has landmarks", new: face.source }[face.state]);
    this.stage.show(face, address);
    face.addEventListener("moved", () => { this.stage.draw(); this.stage.follow(); this.describe(); });
    face.addEventListener("selected", () => { this.stage.draw(); this.describe(true); });
    face.addEventListener("changed", () => {
      if (face === this.looked?.face && apart(this.looked.at, box(face.points, face.points.keys()))) this.hair(face);
      this.stage.draw();
      this.stage.follow();
      this.describe();
      this.saver.note(face);
    });
    this.describe();
    if (document.activeElement === document.body && document.body.matches(".ck-page")) parts.stage.focus();
    this.back(face);
    this.transport.call("at", { name: face.name }).catch(() => {});
    this.hair(face);
    this.ahead();
  }

  /** Points that this browser has sent and nobody has kept; those of others count as well. */
  back(face) {
    const left = this.saver.left(face.name);
    if (!left?.points) return;
    const to = [face.width, face.height], { source, touched } = left;
    const [points, proposed] = [left.points, left.proposed].map((those) => resized(those, left.size ?? to, to)), same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
    if (same(points, face.points) && same(left.hidden, [...face.hidden])) { this.saver.clear(face.name); return; }
    // Changed elsewhere since: what that window has seen is no longer there, and the hand is asked.
    if (left.window !== face.window) face.tag = left.tag;
    face.change({ points, proposed, source, hidden: new Set(left.hidden), touched: new Set(touched) }, 0);
    face.seconds = Math.max(face.seconds, left.seconds);
    this.warn("Points are back that could not be kept last time. Undo takes them away.");
  }

  /** The page is seen again: what other windows have done. */
  async look() {
    try {
      const { pictures } = await this.transport.call("rows", {});
      pictures.forEach((row, i) => { this.pictures[i].splice(0, row.length, ...row); });
      this.panel.list(this.pictures, this.index);
    } catch { /* said at the next move */ }
  }

  async hair(face) {
    if (!this.about.parsing) return;
    this.looked = { face, at: box(face.points, face.points.keys()) };
    try {
      const found = await this.transport.call("regions", { name: face.name, points: face.points });
      if (face === this.face) this.stage.regions(found);
    } catch (error) {
      if (face === this.face) this.warn(error.message);
    }
  }

  async image(name) {
    if (!this.images.has(name)) {
      this.images.set(name, this.transport.image(name).then((blob) => URL.createObjectURL(blob)));
      for (const [old, address] of this.images) {
        if (this.images.size <= 4) break;
        this.images.delete(old);
        address.then((url) => URL.revokeObjectURL(url), () => {});
      }
    }
    try {
      return await this.images.get(name);
    } catch (error) {
      this.images.delete(name);
      throw error;
    }
  }

  /** The next picture and its proposal, while the hand is at work on this one. */
  ahead() {
    const next = this.pictures[this.index + 1]?.[0];
    if (!next) return;
    this.image(next).then(() => this.transport.call("picture", { name: next })).catch(() => {});
  }

  step(by) { return this.go(this.index + by); }

  nextOpen() {
    const n = this.pictures.length;
    for (let k = 1; k <= n; k++) {
      const index = (this.index + k) % n;
      if (["new", "draft"].includes(this.pictures[index][1])) return this.go(index);
    }
    return this.warn("Every picture is saved.");
  }

  async save() { return this.face !== null && this.saver.save(this.face); }

  async saveAndNext() {
    const index = this.index;
    if (!await this.save() || this.index !== index) return;
    if (index + 1 < this.pictures.length) await this.go(index + 1);
    else this.warn("This was the last picture; u goes to those that are not saved.");
  }

  kept(name, { state, moved }) {
    const index = this.pictures.findIndex((picture) => picture[0] === name), face = this.face;
    const row = this.pictures[index];
    row[1] = state;
    row[2] = moved;
    if (face?.name === name) { row[3] = face.drags; row[4] = Math.round(face.seconds); }
    this.panel.list(this.pictures, this.index);
  }

  // -- the hand

  reach(index) {
    if (this.mode === "point") return [index];
    if (this.mode === "face") return this.face.points.map((_, i) => i);
    return Object.values(this.whole).find((part) => part.includes(index));
  }

  setMode(mode) {
    this.mode = mode;
    this.parts.stage.closest(".ck-tool").querySelector(`.ck-modes [value=${mode}]`).checked = true;
    if (!this.face) return;
    if (mode === "face" && this.face.selected < 0) this.face.select(54);
    this.stage.draw();
    this.describe(true);
  }

  chosen() { return this.face && this.face.selected >= 0 ? this.reach(this.face.selected) : []; }

  nudge(dx, dy) {
    const indices = this.chosen();
    if (!indices.length) return;
    this.face.act((points) => shifted(points, indices, dx, dy), indices);
    this.stage.reveal(this.face.selected);
  }

  scale(factor, angle) {
    const indices = this.chosen();
    if (indices.length < 2) { this.warn("Choose a part first: key 2, then one of its points."); return; }
    const centre = middle(this.face.points, indices);
    this.face.act((points) => turned(points, indices, centre, factor, angle), indices);
  }

  hide() {
    const indices = this.chosen();
    if (indices.length) this.face.hide(indices);
    else this.warn("Choose a point first.");
  }

  nextPoint(by) {
    const order = this.face.order(), at = order.indexOf(this.face.selected);
    const next = at < 0 ? (by > 0 ? 0 : order.length - 1) : (at + by + order.length) % order.length;
    this.face.select(order[next]);
    this.stage.reveal(order[next]);
  }

  escape() {
    this.stage.doing = null;
    if (this.face.held) this.face.giveUp();
    else this.face.select(-1);
  }

  async others() {
    const { face } = this, moved = [...face.touched];
    if (!moved.length) { this.warn("Move some points first; the others follow them."); return; }
    await this.replace("follow", { points: face.points, base: face.base, moved }, ({ points }) => ({ points }));
  }

  propose(of) {
    const { name } = this.face;
    return this.replace("propose", { name, of }, ({ points, sure, source }) => (
      { points, sure, source, proposed: points, base: points, touched: new Set() }));
  }

  copyLast() {
    const before = this.pictures[this.index - 1];
    if (before) return this.propose(before[0]);
    return this.warn("There is no picture before this one.");
  }

  /** Points from the tool, as one change that can be undone. */
  async replace(method, said, values) {
    const { face } = this, { points } = face;
    try {
      const found = await this.transport.call(method, said);
      if (face !== this.face || points !== face.points) return; // the hand was faster
      face.change(values(found), method === "follow" ? 1 : 0);
      this.warn(found.message ?? "");
    } catch (error) {
      this.warn(error.message);
    }
  }

  retrained() {
    this.parts.proposer.textContent = "Points come from the network that was trained here.";
    // What nobody has touched is proposed anew.
    if (this.face && this.face.state === "new" && !this.face.undos.length) this.go(this.index);
  }

  // -- two windows

  disagree(face, text) {
    if (face !== this.face) { this.warn(`${text} (${face.name})`); return; }
    this.parts.quarrelText.textContent = text;
    if (!this.parts.quarrel.open) this.parts.quarrel.showModal();
  }

  async settle(whose) {
    this.parts.quarrel.close();
    const { face } = this;
    if (whose === "mine") {
      try { await this.saver.insist(face); } catch (error) { this.warn(error.message); }
      return;
    }
    this.saver.yield(face.name);
    this.go(this.index);
  }

  // -- what is said

  say(text, bad = false) {
    this.parts.status.textContent = text;
    this.parts.status.classList.toggle("ck-bad", bad);
  }

  warn(text) {
    this.parts.message.textContent = text;
    this.parts.message.hidden = !text;
  }

  describe(aloud = false) {
    const { face } = this, { selected } = face, { parts } = this;
    const hidden = face.hidden.has(selected);
    parts.hide.setAttribute("aria-pressed", String(hidden));
    parts.together.disabled = this.chosen().length < 2;
    if (selected < 0) {
      const n = face.moved().length;
      parts.point.textContent = `No point is chosen. ${n} moved, ${face.hidden.size} hidden.`;
      return;
    }
    const [x, y] = face.points[selected].map((v) => v.toFixed(1));
    const text = `${selected}: ${this.about.names[selected]}, ${x}, ${y}${hidden ? ", hidden" : ""}${face.uncertain(selected) ? ", uncertain" : ""}`;
    parts.point.textContent = text;
    if (aloud) parts.speech.textContent = text;
  }

  setOpacity(value) {
    this.opacity = Math.min(Math.max(value, 0), 1);
    this.parts.opacity.value = this.opacity;
    this.parts.stage.style.setProperty("--ck-opacity", this.opacity);
  }

  toggle(what) { this.parts.stage.classList.toggle(`ck-no-${what}`); }

  lookAtPart() {
    if (this.face.selected < 0) { this.stage.look(this.face.points.map((_, i) => i)); return; }
    this.stage.look(Object.values(this.whole).find((part) => part.includes(this.face.selected)));
  }

  help() { this.parts.help.showModal(); }
}

/** Show the tool in an element; `transport` has `call(method, said)`, `image(name)` and `last`. */
export function mount(root, transport) {
  const tool = new Tool(root, transport);
  tool.open();
  return tool;
}

function render({ model, el }) {
  const transport = kernel(model), root = document.createElement("div");
  el.append(root);
  const tool = mount(root, transport);
  return () => { tool.close(); transport.end(); };
}

export default { render, mount, failed };
