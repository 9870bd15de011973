// A picture under the hand: points, hidden ones, what can be undone. Whoever listens is told.

// Where no network has been: points that say where the others are. Then F lets those follow.
const FIRST = [66, 79, 84, 90, 54, 16, 0, 32, 70, 75, 33, 46, 37, 42, 87, 93];
const PAUSE = 15; // seconds without a move that do not count as work

export class Face extends EventTarget {
  constructor(picture) {
    super();
    Object.assign(this, picture); // name, width, height, points, proposed, sure, tag, …
    this.hidden = new Set(picture.hidden);
    this.touched = new Set(picture.touched); // points that the hand itself has put somewhere
    this.base = picture.proposed; // where the others follow from
    this.undos = []; // states before each change
    this.redos = [];
    this.selected = -1;
    this.last = performance.now() / 1000; // looking is work, too
    this.held = null; // what was before the drag that goes on
  }

  tell(what) { this.dispatchEvent(new Event(what)); }

  snapshot() {
    const { points, base, touched, hidden, proposed, source, sure, drags } = this;
    return { points, base, touched, hidden, proposed, source, sure, drags, ...this.held };
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

  /** What comes of `act`, from points to points, on some of them; the whole face touches none. */
  acted(act, indices, { points, base, touched }) {
    const whole = indices.length === points.length;
    return {
      points: act(points), base: whole ? act(base) : base,
      touched: whole ? touched : new Set([...touched, ...indices]),
    };
  }

  act(act, indices) { this.change(this.acted(act, indices, this)); }

  /** The same in the middle of a drag, from where it began. */
  drag(act, indices) {
    const { points, base, touched } = this;
    this.held ??= { points, base, touched };
    Object.assign(this, this.acted(act, indices, this.held));
    this.worked();
    this.tell("moved");
  }

  drop() { if (this.held) this.change({}); }

  /** The drag never was. */
  giveUp() {
    if (!this.held) return;
    Object.assign(this, this.held);
    this.held = null;
    this.tell("moved");
  }

  undo() { this.swap(this.undos, this.redos); }
  redo() { this.swap(this.redos, this.undos); }

  swap(from, to) {
    // In the middle of a drag it is the drag that is meant.
    if (this.held) { this.giveUp(); return; }
    if (!from.length) return;
    to.push(this.snapshot());
    Object.assign(this, from.pop());
    this.worked();
    this.tell("changed");
  }

  select(index) {
    this.selected = index;
    this.worked();
    this.tell("selected");
  }

  hide(indices) {
    const hidden = new Set(this.hidden), seen = indices.some((i) => !hidden.has(i));
    for (const i of indices) { if (seen) hidden.add(i); else hidden.delete(i); }
    this.change({ hidden });
  }

  /** Points that are not where they were proposed, by the hand itself. */
  moved() {
    const off = (p, q) => Math.max(Math.abs(p[0] - q[0]), Math.abs(p[1] - q[1])) > 0.05;
    return [...this.touched].filter((i) => off(this.points[i], this.proposed[i]));
  }

  /** The points, those that the network is least sure of first. */
  order() {
    const sure = (i) => this.sure[i] ?? 0, rank = (i) => (FIRST.indexOf(i) + 1) || FIRST.length + 1 + i;
    return this.points.map((_, i) => i).sort((a, b) => sure(a) - sure(b) || rank(a) - rank(b));
  }

  uncertain(index) { return this.sure.length > 0 && this.sure[index] < 0.4 && this.sure[index] > 0; }

  worked() {
    const now = performance.now() / 1000;
    this.seconds += Math.min(now - this.last, PAUSE);
    this.last = now;
  }

  /** What the tool is sent. */
  edit() {
    return {
      name: this.name, points: this.points, hidden: [...this.hidden], touched: [...this.touched], proposed: this.proposed,
      source: this.source, drags: this.drags, seconds: this.seconds, tag: this.tag,
      size: [this.width, this.height],
    };
  }
}
