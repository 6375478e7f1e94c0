// The list of events: equal ones together, the ordinary left out until asked for.

import { $, LONG, make, named, order, put, set } from "../shared/document.js";
import { count, time } from "../shared/words.js";

const KINDS = {
  error: "error",
  "failed load": "failed load",
  restart: "restart",
  leftover: "leftover",
  stale: "stale",
  evict: "eviction",
  restore: "restored",
  load: "load",
  unload: "unload",
  download: "download",
};
const QUIET = ["load", "unload", "download"]; // the ordinary: not shown until asked for
const boxes = new Map();
const items = new Map();

/** Let kinds be chosen, and then call `show`. */
export function bindEvents(show) {
  for (const [kind, name] of Object.entries(KINDS)) {
    const box = make("input", { type: "checkbox" });
    box.checked = !QUIET.includes(kind);
    box.addEventListener("change", () => show());
    const number = make("b", {}, "0");
    boxes.set(kind, { box, number });
    $("#kinds").append(make("label", { "data-kind": kind }, box, `${name} `, number));
  }
}

/** Equal events in a row are one that came several times. */
function together(events) {
  const runs = [];
  for (const event of events) {
    const last = runs.at(-1);
    if (last && last.kind === event.kind && last.target === event.target && last.what === event.what) {
      last.times += 1;
      last.first = event.when;
    } else runs.push({ ...event, times: 1, first: event.when });
  }
  return runs;
}

function newItem(event) {
  const head = event.what.split("\n", 1)[0].slice(0, LONG);
  const what = make("span", { class: "what" });
  if (head.length === event.what.length) what.append(head);
  else what.append(make("details", {}, make("summary", {}, `${head} …`), make("pre", {}, event.what)));
  return make(
    "li",
    { "data-kind": event.kind },
    make("time"),
    make("span", { class: "kind" }, KINDS[event.kind] ?? event.kind),
    make("div", {}, ...(event.target ? [named(event.target), " "] : []), what, " ", make("span", { class: "times" })),
  );
}

export function showEvents({ events, counts }) {
  for (const [kind, { number }] of boxes) put(number, count(counts[kind] ?? 0));
  const shown = together(events.filter((event) => boxes.get(event.kind)?.box.checked ?? true));
  const keys = new Set();
  const wanted = shown.map((event) => {
    const key = JSON.stringify([event.first, event.kind, event.target, event.what]);
    keys.add(key);
    if (!items.has(key)) items.set(key, newItem(event));
    const item = items.get(key);
    put(item.querySelector("time"), time(event.when));
    set(item.querySelector("time"), "datetime", new Date(1000 * event.when).toISOString());
    put(item.querySelector(".times"), event.times > 1 ? `${count(event.times)} times since ${time(event.first)}` : "");
    return item;
  });
  for (const key of items.keys()) if (!keys.has(key)) items.delete(key);
  order($("#events"), wanted);
  $("#no-events").hidden = wanted.length > 0;
}
