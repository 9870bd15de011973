// How the tool asks: what goes wrong, and a notebook's kernel. A page has its own, over HTTP.

/** What goes wrong, as an error with what the page does about it. */
export function failed({ error, kind }) {
  return Object.assign(new Error(error), { kind });
}

let kernels = 0;

/** Messages of a notebook's kernel as a transport. */
export function kernel(model) {
  const asked = new Map(), mine = ++kernels; // the answers of other views of the widget come, too
  let number = 0;
  const answer = (message, buffers) => {
    const waiting = asked.get(message.id);
    if (!waiting) return;
    asked.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.error) waiting.no(failed(message));
    else waiting.yes(buffers?.length ? new Blob([buffers[0]], { type: "image/jpeg" }) : message.found);
  };
  const ask = (method, said) => new Promise((yes, no) => {
    const id = `${mine} ${++number}`;
    const late = () => { asked.delete(id); no(new Error("the kernel does not answer; is it busy, or was it ended?")); };
    asked.set(id, { yes, no, timer: setTimeout(late, 60000) });
    try {
      model.send({ id, method, said });
    } catch {
      asked.delete(id);
      no(new Error("the kernel was ended or started anew. Run the cell again; your points are kept in this browser"));
    }
  });
  model.on("msg:custom", answer);
  const last = (method, said) => { try { model.send({ id: "last", method, said }); } catch { /* it stays in the browser */ } };
  return { call: ask, image: (name) => ask("image", { name }), last, end: () => model.off("msg:custom", answer) };
}
