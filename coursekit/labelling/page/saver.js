// Each move of the hand is sent at once, and lies in the browser until it was kept.

const WAITS = [1, 2, 4, 8]; // seconds between tries

export class Saver {
  /** `say(text, bad)` shows how it stands, `warn` what stays in sight; `conflict` asks the hand. */
  constructor(transport, folder, { say, warn, conflict, kept }) {
    Object.assign(this, { transport, say, warn, conflict, kept });
    this.prefix = `coursekit annotate ${folder} `;
    this.window = crypto.getRandomValues(new Uint32Array(3)).join("-");
    this.waiting = new Map(); // by picture: the face whose last state is not kept
    this.sending = null;
    this.tries = 0;
    this.sequence = 0; // of all that this page sends: a picture may be opened twice
    this.refused = new Set(); // pictures whose conflict is not settled
  }

  key(name) { return this.prefix + name; }

  /** What is sent of a picture. */
  edit(face) { return { ...face.edit(), window: this.window, sequence: ++this.sequence }; }

  /** Something was changed. */
  note(face) {
    const edit = this.edit(face);
    try { localStorage.setItem(this.key(face.name), JSON.stringify(edit)); } catch { /* full, or off */ }
    this.waiting.set(face.name, { face, edit });
    if (!this.refused.has(face.name)) this.say("keeping …");
    return this.send();
  }

  /** Send what waits, one after the other; resolves when nothing waits or it must wait. */
  send() {
    this.sending ??= this.all().finally(() => { this.sending = null; });
    return this.sending;
  }

  async all() {
    for (;;) {
      const next = [...this.waiting].find(([name]) => !this.refused.has(name));
      if (!next) return;
      const [name, { face, edit }] = next;
      if (!await this.one("keep", name, face, edit)) return;
    }
  }

  async one(method, name, face, edit) {
    try {
      const found = await this.transport.call(method, { ...edit, tag: face.tag });
      Object.assign(face, { tag: found.tag, state: found.state });
      if (this.waiting.get(name)?.edit === edit) this.waiting.delete(name);
      if (!this.waiting.has(name)) this.forget(name);
      this.tries = 0;
      this.kept(name, found);
      this.say(method === "save" ? "saved" : "kept");
      if (found.message) this.warn(found.message);
      return true;
    } catch (error) {
      if (error.kind === "conflict") {
        this.refused.add(name);
        this.say("changed elsewhere", true);
        this.conflict(face, error.message);
        return true;
      }
      this.say(method === "save" ? "not saved" : "not kept yet, tries again", true);
      this.warn(`Not ${method === "save" ? "saved" : "kept yet"}: ${error.message}`);
      this.again();
      return false;
    }
  }

  again() {
    clearTimeout(this.timer);
    const wait = WAITS[Math.min(this.tries++, WAITS.length - 1)];
    this.timer = setTimeout(() => this.send(), 1000 * wait);
  }

  /** Landmark file and label map; true when they are written. */
  async save(face) {
    face.worked();
    const edit = this.edit(face);
    this.waiting.set(face.name, { face, edit });
    while (this.sending) await this.sending;
    if (this.refused.has(face.name)) {
      this.conflict(face, "This picture was changed elsewhere.");
      return false;
    }
    this.say("saving …");
    const saving = this.one("save", face.name, face, edit);
    this.sending = saving.finally(() => { this.sending = null; });
    const done = await saving;
    await this.sending;
    if (done && this.waiting.size) this.send();
    return done && !this.refused.has(face.name);
  }

  /** The hand has decided: its points count, whatever is there now. */
  async insist(face) {
    face.tag = (await this.transport.call("picture", { name: face.name })).tag;
    this.refused.delete(face.name);
    return this.note(face);
  }

  /** The hand has decided: what is there now counts. */
  yield(name) {
    this.refused.delete(name);
    this.waiting.delete(name);
    this.clear(name);
  }

  /** What lies here is kept; unless another window has laid it. */
  forget(name) { if (this.left(name)?.window === this.window) this.clear(name); }
  clear(name) { try { localStorage.removeItem(this.key(name)); } catch { /* off */ } }

  /** What was sent and never kept, by this browser. */
  left(name) {
    try { return JSON.parse(localStorage.getItem(this.key(name))); } catch { return null; }
  }

  /** The page goes: what is in the middle of a drag, too. */
  leave(face) {
    if (face?.held) face.drop();
    for (const [name, { face: other, edit }] of this.waiting) {
      if (!this.refused.has(name)) this.transport.last("keep", { ...edit, tag: other.tag });
    }
  }
}
