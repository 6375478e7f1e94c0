// What is shown: one endpoint of the last answer.

import { showCharts } from "./charts.js";
import { $, make, order, put, set } from "../shared/document.js";
import { bindEvents, showEvents } from "./events.js";
import { bindModels, showModels } from "./models.js";
import { showTotals } from "./totals.js";
import { clock, time } from "../shared/words.js";

export let state = null; // the last answer
const links = new Map();

export function current() {
  const asked = new URLSearchParams(location.search).get("endpoint");
  const names = Object.keys(state.endpoints);
  return names.includes(asked) ? asked : names[0];
}

function showEndpoints(name) {
  const names = Object.keys(state.endpoints);
  for (const known of names) {
    if (links.has(known)) continue;
    const link = make("a", { href: `?endpoint=${encodeURIComponent(known)}` }, known);
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      history.pushState(null, "", link.href);
      show();
    });
    links.set(known, link);
  }
  order($("#endpoints"), names.map((known) => links.get(known)));
  for (const [known, link] of links) {
    if (known === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  $("#endpoints").hidden = names.length < 2;
}

function showServer({ source, ready, generation, limits }) {
  const servers = generation > 1 ? `, server number ${generation}` : "";
  const allowed = limits.allow.join("") === "*" ? "" : `. Allowed: ${limits.allow.join(", ") || "nothing"}`;
  const said = make("b", { "data-ready": ready }, ready ? "ready" : "is being replaced, invocations wait");
  const text = `${source}: ${said.textContent}${servers}${allowed}`;
  if ($("#server").textContent !== text) $("#server").replaceChildren(`${source}: `, said, `${servers}${allowed}`);
}

function show() {
  if (!state) return;
  const name = current();
  const endpoint = state.endpoints[name];
  put($("#name"), name);
  set($("#to-playground"), "href", `/playground?endpoint=${encodeURIComponent(name)}`);
  showEndpoints(name);
  showServer(endpoint);
  $("#endpoint").hidden = false;
  showTotals(endpoint);
  showModels(endpoint, state.when);
  showEvents(endpoint);
  showCharts(endpoint);
  put($("#since"), `since ${time(endpoint.since)}`);
  put($("#when"), clock.format(new Date(1000 * state.when)));
  set($("#when"), "datetime", new Date(1000 * state.when).toISOString());
}

/** Show another answer of /state. */
export function take(answer) {
  state = answer;
  show();
}

bindModels(show);
bindEvents(show);
addEventListener("popstate", () => show());
