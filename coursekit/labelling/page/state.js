// A picture under the hand: points, hidden ones, what can be undone. Whoever listens is told.

const PAUSE = 15; // seconds without a move that do not count as work

export class Face extends EventTarget {
  constructor(picture) {
    super();
    Object.assign(this, picture); // name, width, height, points, proposed, sure, tag, …
    this.hidden = new Set(picture.hidden);
    this.undos = [];
    this.redos = [];
    this.selected = -1;
    this.sequence = 0;
    this.last = 0;
    this.held = null; // points before the drag that goes on
  }

  tell(what) { this.dispatchEvent(new Event(what)); }

  snapshot() {
    return {
      points: this.held ?? this.points, hidden: new Set(this.hidden), proposed: this.proposed,
      source: this.source, drags: this.drags,
    };
  }

  /** A change that can be undone; `drags` says whether the hand did it. */
  change(values, drags = 1) {
    this.undos.push(this.snapshot());
    this.redos.length = 0;
    this.held = null;
    Object.assign(this, values);
    this.drags += drags;
    this.worked();
    this.tell("changed");
  }

  /** Points in the middle of a drag. */
  drag(points) {
    this.held ??= this.points;
    this.points = points;
    this.worked();
    this.tell("moved");
  }

  drop() { if (this.held) this.change({ points: this.points }); }

  /** The drag never was. */
  giveUp() {
    if (!this.held) return;
    this.points = this.held;
    this.held = null;
    this.tell("moved");
  }

  undo() { this.swap(this.undos, this.redos); }
  redo() { this.swap(this.redos, this.undos); }

  swap(from, to) {
    this.giveUp();
    if (!from.length) return;
    to.push(this.snapshot());
    Object.assign(this, from.pop());
    this.worked();
    this.tell("changed");
  }

  select(index) {
    this.selected = index;
    this.tell("selected");
  }

  hide(indices) {
    const hidden = new Set(this.hidden), seen = indices.some((i) => !hidden.has(i));
    for (const i of indices) { if (seen) hidden.add(i); else hidden.delete(i); }
    this.change({ hidden });
  }

  moved() {
    return this.points.flatMap((p, i) =>
      Math.max(Math.abs(p[0] - this.proposed[i][0]), Math.abs(p[1] - this.proposed[i][1])) > 0.05
        ? [i] : []);
  }

  /** The points, those that the network is least sure of first. */
  order() {
    const all = this.points.map((_, i) => i);
    if (this.sure.length) all.sort((a, b) => this.sure[a] - this.sure[b] || a - b);
    return all;
  }

  uncertain(index) { return this.sure.length > 0 && this.sure[index] < 0.4 && this.sure[index] > 0; }

  worked() {
    const now = performance.now() / 1000;
    if (this.last) this.seconds += Math.min(now - this.last, PAUSE);
    this.last = now;
  }

  /** What the tool is sent. */
  edit() {
    return {
      name: this.name, points: this.points, hidden: [...this.hidden], proposed: this.proposed,
      source: this.source, drags: this.drags, seconds: this.seconds, tag: this.tag,
      sequence: ++this.sequence,
    };
  }
}
