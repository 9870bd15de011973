// The page of `coursekit annotate`: the tool over HTTP. The token stands in the address, after #.

import tool from "/tool.js";

const kept = "coursekit annotate token";
const token = location.hash.slice(1) || sessionStorage.getItem(kept) || "";
sessionStorage.setItem(kept, token);
history.replaceState(null, "", location.pathname); // no token in what is copied or photographed

const post = (method, said, more = {}) => fetch(`/api/${method}`, {
  method: "POST", headers: { "X-Token": token, "Content-Type": "application/json" },
  body: JSON.stringify(said), ...more,
});

async function asked(method, said) {
  let answer;
  try {
    answer = await post(method, said);
  } catch {
    throw new Error("coursekit annotate does not answer. Start it again, and open the address that it prints; your points are kept in this browser.");
  }
  if (!answer.ok) throw tool.failed(await answer.json().catch(() => ({ error: `${answer.status} ${answer.statusText}` })));
  return answer;
}

tool.mount(document.getElementById("tool"), {
  call: async (method, said) => (await asked(method, said)).json(),
  image: async (name) => (await asked("image", { name })).blob(),
  last: (method, said) => { post(method, said, { keepalive: true }).catch(() => {}); },
});
