// The side: how far the folder is, and the network that is trained again.

import { h } from "./layout.js";

const SHOWN = 30; // pictures before and after this one
const WORDS = { new: "", file: "has landmarks", draft: "begun", saved: "saved" };

export class Panel {
  constructor(tool, parts) {
    this.tool = tool;
    this.parts = parts;
  }

  /** The list about the picture at `index`. */
  list(pictures, index) {
    const { parts } = this, saved = pictures.filter((p) => p[1] === "saved");
    const mean = (rows, k) => (rows.reduce((sum, row) => sum + row[k], 0) / rows.length).toFixed(1);
    const last = saved.slice(-10);
    parts.count.textContent = `${index + 1} of ${pictures.length}`;
    parts.number.value = index + 1;
    parts.number.max = pictures.length;
    parts.done.textContent = `${saved.length} of ${pictures.length} saved`
      + (saved.length ? `; points moved: ${mean(saved, 2)} a picture, ${mean(last, 2)} in the last ${last.length}` : "");
    const from = Math.max(0, index - SHOWN);
    parts.list.start = from + 1;
    parts.list.replaceChildren(...pictures.slice(from, index + SHOWN).map((picture, k) => this.row(picture, from + k, index)));
  }

  row([name, state, moved, drags, seconds], k, index) {
    const many = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
    const work = moved || drags ? `${many(moved, "point")} in ${many(drags, "move")}, ${seconds} s` : "";
    const told = [WORDS[state], work].filter(Boolean).join(", ");
    return h("li", { class: `ck-${state}` }, h("button", {
      type: "button", "aria-current": k === index ? "true" : null, onclick: () => this.tool.go(k),
    }, h("span", {}, name), h("small", {}, told)));
  }

  async train() {
    try {
      this.told(await this.tool.transport.call("train", {}));
      this.watch();
    } catch (error) {
      this.tool.warn(error.message);
    }
  }

  async cancel() {
    try {
      this.told(await this.tool.transport.call("cancel", {}));
    } catch (error) {
      this.tool.warn(error.message);
    }
  }

  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      try {
        const told = await this.tool.transport.call("training", {});
        this.told(told);
        if (told.state === "running") this.watch();
        else if (told.state === "done") this.tool.retrained();
      } catch {
        this.watch();
      }
    }, 1000);
  }

  told({ state, epoch, of, nme, pictures, held_back: held, error }) {
    const { parts } = this, runs = state === "running";
    parts.cancel.hidden = parts.progress.hidden = !runs;
    parts.train.disabled = runs;
    if (of) { parts.progress.max = of; parts.progress.value = epoch; }
    const score = nme == null ? "" : `; error ${(100 * nme).toFixed(1)} % of the face's box on ${held ? `${held} that were held back` : "the same pictures"}`;
    parts.training.textContent = {
      idle: "",
      running: of ? `epoch ${epoch} of ${of}, ${pictures} pictures${score}` : "reading what is saved, and rendering faces beside it …",
      done: `trained on ${pictures} pictures${score}. It proposes from now on.`,
      cancelled: "cancelled; the network is as it was",
      failed: `failed: ${error}`,
    }[state] ?? state;
  }
}
