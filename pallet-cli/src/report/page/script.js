
"use strict";
(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  let wanted = "";

  // shows what concerns the nodes and changes whose text has the wanted words
  function filter() {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (text) => words.every((word) => text.toLowerCase().includes(word));
    const lanes = new Set();
    for (const lane of all(".lane")) {
      const found = has(lane.dataset.names + " " + lane.querySelector("summary").textContent);
      if (found) lanes.add(lane.id.slice("lane-".length));
      lane.hidden = !found;
    }
    for (const row of all(".row")) row.hidden = !lanes.has(row.dataset.lane);
    for (const part of all("[data-lanes]")) {
      const of = part.dataset.lanes.split(" ");
      part.hidden = words.length > 0 && !of.some((lane) => lanes.has(lane)) && !has(part.textContent);
    }
  }

  // opens the part that a link leads to
  function reveal() {
    let part = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!part || !location.hash) return;
    part.hidden = false;
    const target = part;
    for (; part; part = part.parentElement) if (part.matches("details")) part.open = true;
    target.scrollIntoView();
  }

  function prepare() {
    const tools = document.getElementById("tools");
    if (!tools) return;
    tools.hidden = false;
    const input = document.getElementById("filter");
    input.value = wanted;
    input.addEventListener("input", () => { wanted = input.value; filter(); });
    const set = (open) => all("details.part").forEach((part) => { part.open = open; });
    document.getElementById("open").addEventListener("click", () => set(true));
    document.getElementById("close").addEventListener("click", () => set(false));
    if (wanted) filter();
  }

  // follows an operation that runs
  let tag = null, misses = 0;
  function lost(text) {
    let note = document.getElementById("lost");
    if (!text) return note && note.remove();
    if (!note) {
      note = document.body.appendChild(document.createElement("p"));
      note.id = "lost";
    }
    note.textContent = text;
  }
  function replace(page) {
    const next = page.querySelector("main"), old = document.querySelector("main");
    const open = new Map(all("details[data-key]", old).map((part) => [part.dataset.key, part.open]));
    for (const part of all("details[data-key]", next)) {
      if (open.has(part.dataset.key)) part.open = open.get(part.dataset.key);
    }
    const typing = document.activeElement && document.activeElement.id === "filter";
    old.replaceWith(document.adoptNode(next));
    document.title = page.title;
    prepare();
    if (typing) document.getElementById("filter")?.focus();
  }
  async function follow() {
    if (!document.querySelector("main").dataset.live) return;
    const begun = performance.now();
    try {
      const answer = await fetch(location.pathname, {
        headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store", credentials: "omit", redirect: "error",
      });
      if (answer.status === 200) {
        tag = answer.headers.get("ETag");
        replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } else if (answer.status !== 304) {
        throw new Error(answer.statusText);
      }
      misses = 0;
      lost("");
    } catch {
      misses += 1;
      lost("pallet-cli watch does not answer" + (misses > 5 ? "; this page is no longer updated" : ""));
      if (misses > 5) return;
    }
    setTimeout(follow, Math.max(1000, 5 * (performance.now() - begun)));
  }

  prepare();
  addEventListener("hashchange", reveal);
  reveal();
  if (document.querySelector("main").dataset.live) setTimeout(follow, 1000);
})();
