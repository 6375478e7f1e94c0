// The table of models: sorted by any column, searched when there are many.

import { $, figure, make, named, order, put, set } from "../shared/document.js";
import { NONE, ago, bytes, count, milliseconds, share } from "../shared/words.js";

const MANY = 12; // models, from which on they can be searched

const STATES = ["loading", "loaded", "unloading", "on disk", "gone"];
const heads = [...document.querySelectorAll("thead th")];
const labels = Object.fromEntries(heads.map((head) => [head.dataset.key, head.textContent]));
const rows = new Map();
const sorting = { key: "state", down: false };

const TEXTS = {
  state: (model) => model.state,
  memory: (model) => (model.memory ? bytes(model.memory) : NONE),
  disk: (model) => (model.disk ? bytes(model.disk) : NONE),
  p50: (model) => milliseconds(model.p50),
  p99: (model) => milliseconds(model.p99),
  last: (model, now) => (model.last ? ago(now - model.last) : "never"),
};

/** By the chosen column; then by name, so that rows do not jump while models are used. */
function compare(one, other) {
  const value = (model) => {
    if (sorting.key === "state") return Math.max(0, STATES.indexOf(model.state) - 2); // whatever is in the server
    return sorting.key === "target" ? model.target : (model[sorting.key] ?? -1);
  };
  const [a, b] = [value(one), value(other)];
  const first = a < b ? -1 : a > b ? 1 : 0;
  return (sorting.down ? -first : first) || (one.target < other.target ? -1 : 1);
}

function newRow(target) {
  const row = make("tr", { role: "row" });
  for (const key of Object.keys(labels)) {
    if (key === "target") row.append(make("th", { scope: "row", role: "rowheader" }, named(target), " "));
    else if (key === "state") row.append(make("td", { role: "cell", "data-key": key }, make("span", { class: "state" })));
    else row.append(make("td", { role: "cell", "data-key": key }, make("data")));
    if (key !== "target") row.lastChild.setAttribute("data-label", labels[key]);
    if (key === "hits") row.lastChild.append(" ", make("small"));
  }
  return row;
}

function fill(row, model, now) {
  set(row, "data-state", model.state);
  set(row, "data-stale", model.stale);
  const mark = row.querySelector(".stale");
  if (!model.stale) mark?.remove();
  else if (!mark) row.firstChild.append(make("span", { class: "stale" }, "stale"));
  for (const cell of row.querySelectorAll("td")) {
    const key = cell.dataset.key;
    const text = (TEXTS[key] ?? ((one) => count(one[key])))(model, now);
    if (key === "state") {
      set(cell.firstChild, "data-state", model.state);
      put(cell.firstChild, text);
    } else figure(cell.firstChild, model[key], text);
    if (key === "errors") cell.firstChild.classList.toggle("bad", model.errors > 0);
    if (key === "hits") put(cell.lastChild, share(model.hits, model.invocations));
  }
}

export function showModels({ models }, now) {
  const known = new Set(models.map((model) => model.target));
  for (const target of rows.keys()) if (!known.has(target)) rows.delete(target);
  for (const model of models) {
    if (!rows.has(model.target)) rows.set(model.target, newRow(model.target));
    fill(rows.get(model.target), model, now);
  }
  $("#models").hidden = !models.length;
  $("#no-models").hidden = models.length > 0;
  $("#find").hidden = models.length < MANY && !$("#find input").value;
  const wanted = $("#find input").value.trim().toLowerCase();
  const found = models.filter((model) => model.target.toLowerCase().includes(wanted));
  order($("tbody"), found.sort(compare).map((model) => rows.get(model.target)));

  const stale = models.filter((model) => model.stale).length;
  $("#stale").hidden = !stale;
  const which = stale === 1 ? "One target model is stale: its object was" : `${stale} target models are stale: their objects were`;
  put($("#stale"), `${which} overwritten after the download, and the instance still serves the previous object, as AWS would. Publish under a new name instead.`);
}

function showSorting() {
  for (const head of heads) {
    if (head.dataset.key === sorting.key) head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

/** Sort and find as is asked for, and then call `show`. */
export function bindModels(show) {
  for (const head of heads) {
    head.setAttribute("role", "columnheader");
    const button = make("button", { type: "button" }, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const { key } = head.dataset;
      const words = key === "target" || key === "state";
      sorting.down = key === sorting.key ? !sorting.down : !words;
      sorting.key = key;
      showSorting();
      show();
    });
  }
  $("#find input").addEventListener("input", () => show());
  showSorting();
}
