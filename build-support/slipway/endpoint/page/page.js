// The live page: asks for /state and shows it. What comes from there is only ever set as text:
// anybody can ask for a target model of any name, and errors hold what models say.

const EVERY_MS = 2000;
const PATIENCE_MS = 10000;
const MANY = 12; // models, from which on they can be searched
const LONG = 220; // characters, more of which are folded away
const SVG = "http://www.w3.org/2000/svg";

// ---------------------------------------------------------------- words for figures

const NONE = "–";
const grouped = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const minutes = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const dated = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

const count = (number) => grouped.format(number);

function rounded(number) {
  return number >= 100 ? count(Math.round(number)) : String(Number(number.toPrecision(number < 10 ? 2 : 3)));
}

function bytes(size) {
  let unit = 0;
  for (; size >= 1024 && unit < 4; unit++) size /= 1024;
  return `${unit ? rounded(size) : size} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

/** Like figures below each other have like many digits. */
function milliseconds(time) {
  if (time === null) return NONE;
  if (time >= 1000) return `${(time / 1000).toFixed(time < 10000 ? 2 : 1)} s`;
  return `${time.toFixed(time < 1 ? 2 : time < 100 ? 1 : 0)} ms`;
}

const tickOfTime = (time) => (time >= 1000 ? `${rounded(time / 1000)} s` : `${rounded(time)} ms`);

function share(part, whole) {
  if (!whole) return NONE;
  const percent = (100 * part) / whole;
  // what is not quite all, or not quite nothing, is not called so
  const text = percent > 99.9 && percent < 100 ? "99.9" : percent > 0 && percent < 0.1 ? "<0.1" : percent.toFixed(1);
  return `${text.replace(/\.0$/, "")} %`;
}

function time(seconds) {
  const date = new Date(1000 * seconds);
  return (Date.now() - date > 20 * 3600e3 ? dated : clock).format(date);
}

function ago(seconds) {
  if (seconds < 1.5) return "now";
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return `${Math.floor(seconds)} s ago`;
}

// ---------------------------------------------------------------- the document

const $ = (selector) => document.querySelector(selector);

/** An element with attributes and children; text children are text, whatever they hold. */
function make(name, attributes = {}, ...children) {
  const element = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Set a text, but leave an equal one alone: a selection, and what a screen reader says, stay. */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function set(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** A figure for people, with the number itself as its value. */
function figure(element, value, text) {
  set(element, "value", value ?? "");
  put(element, text);
}

/** Make the children of `parent` be `wanted`, in order, and move only those that have to. */
function order(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}

/** A target model's name, kept apart from the direction of what is around it. */
const named = (target) => make("bdi", target.length > LONG ? { class: "long" } : {}, target);

// ---------------------------------------------------------------- totals

class Total {
  constructor(name, barred = false) {
    this.data = make("data");
    this.note = make("small");
    this.fill = make("i");
    this.bar = make("div", { class: "bar", "aria-hidden": "true" }, this.fill);
    $(`[data-total="${name}"]`).append(this.data, ...(barred ? [this.bar] : []), this.note);
  }

  show(value, text, note, filled = null) {
    figure(this.data, value, text);
    put(this.note, note);
    this.bar.hidden = filled === null;
    this.fill.style.width = `${100 * Math.min(1, filled ?? 0)}%`;
  }
}

const totals = {
  invocations: new Total("invocations"),
  errors: new Total("errors"),
  hits: new Total("hits"),
  loaded: new Total("loaded", true),
  memory: new Total("memory", true),
  disk: new Total("disk", true),
  evict: new Total("evict"),
  restart: new Total("restart"),
};

function showTotals(state) {
  const { limits, counts, models, series } = state;
  const last = series.at(-1);
  const now = last ? `${rounded(last.requests / state.interval)} per second` : "";
  totals.invocations.show(state.invocations, count(state.invocations), now);

  const refused = (counts.error ?? 0) - state.errors;
  const turned = refused > 0 ? `, ${count(refused)} refused` : "";
  totals.errors.show(state.errors, count(state.errors), share(state.errors, state.invocations) + turned);
  totals.errors.data.classList.toggle("bad", state.errors > 0);

  const hitRate = state.invocations ? state.hits / state.invocations : null;
  totals.hits.show(hitRate, share(state.hits, state.invocations), `${count(state.hits)} found it loaded`);

  const loaded = models.filter((model) => model.state === "loaded").length;
  const most = limits.models ? `of ${count(limits.models)}` : "no limit";
  const kept = limits.cached ? "" : ", cache disabled";
  totals.loaded.show(loaded, count(loaded), most + kept, limits.models ? loaded / limits.models : null);

  // the limit is of the models, the server comes on top
  const taken = models.reduce((sum, model) => sum + model.memory, 0);
  const room = limits.memory ? `of ${bytes(limits.memory)}` : "of models, no limit";
  const all = state.memory ? `, ${bytes(state.memory)} with the server` : "";
  totals.memory.show(taken, bytes(taken), room + all, limits.memory ? taken / limits.memory : null);
  totals.disk.show(state.disk, bytes(state.disk), `of ${bytes(limits.disk)}`, state.disk / limits.disk);

  for (const kind of ["evict", "restart"]) {
    const latest = state.events.find((event) => event.kind === kind);
    totals[kind].show(counts[kind] ?? 0, count(counts[kind] ?? 0), latest ? `last ${time(latest.when)}` : "never");
  }
}

// ---------------------------------------------------------------- charts

const LEFT = 50;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 22;
const LEAST = 5;
const NARROWEST = 2.75; // pixels of an interval
const SPANS_S = [120, 300, 600, 900];
const STEPS_S = [15, 30, 60, 120, 180, 300];

let interval = 1; // seconds, as the state says

/** One chart; `lines` name what they show of an interval. The chosen interval is common to all. */
class Chart {
  static all = [];
  static chosen = null;

  static choose(when) {
    Chart.chosen = when;
    for (const chart of Chart.all) chart.mark();
  }

  constructor(root, label, lines, scale, written) {
    Object.assign(this, { lines, scale, written, series: [], restarts: [] });
    this.svg = make("svg:svg", { "aria-hidden": "true" });
    this.cross = make("svg:g");
    const slider = { role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0 };
    this.plot = make("div", { class: "plot", "aria-label": `${label}: arrow keys choose a time`, ...slider }, this.svg);
    this.at = make("span", { class: "at" });
    this.values = lines.map(() => make("b"));
    const keys = lines.map(({ key, name }, index) => {
      const mark = make("svg:svg", { viewBox: "0 0 16 8", "aria-hidden": "true" }, make("svg:path", { class: key, d: "M1 4H15" }));
      return make("li", {}, mark, `${name} `, this.values[index]);
    });
    root.querySelector("figcaption").append(this.at);
    root.append(make("ul", { class: "legend" }, ...keys), this.plot);
    Chart.all.push(this);

    for (const kind of ["pointermove", "pointerdown"]) {
      this.plot.addEventListener(kind, (event) => this.point(event.clientX));
    }
    this.plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && Chart.choose(null));
    this.plot.addEventListener("blur", () => Chart.choose(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  show(series, restarts) {
    this.series = series;
    this.restarts = restarts;
    this.draw();
  }

  /** Only what lies in the span that is shown. */
  get shown() {
    return this.series.filter((one) => one.when >= this.from);
  }

  draw() {
    this.width = this.plot.clientWidth;
    this.height = this.svg.clientHeight;
    if (!this.width || !this.series.length) return;
    this.until = this.series.at(-1).when;
    const age = this.until - this.series[0].when;
    // a narrow chart shows less, so that its lines stay lines
    const most = ((this.width - LEFT - RIGHT) / NARROWEST) * interval;
    const fitting = SPANS_S.filter((span, index) => !index || span <= most);
    this.from = this.until - (fitting.find((span) => span >= age) ?? fitting.at(-1));
    const values = this.shown.flatMap((one) => this.lines.map(({ of }) => of(one))).filter((value) => value !== null);
    const { ticks, place } = this.scale(values);
    this.floor = this.height - BOTTOM;
    this.y = (value) => TOP + (1 - place(value)) * (this.height - TOP - BOTTOM);

    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.replaceChildren(
      ...ticks.flatMap((tick) => this.row(tick)),
      ...this.columns(),
      ...this.lines.flatMap((line) => this.line(line)),
      ...this.restarts.filter((when) => when >= this.from).flatMap((when) => this.restart(when)),
      this.cross,
    );
    this.mark();
  }

  x(when) {
    return LEFT + ((when - this.from) / (this.until - this.from)) * (this.width - LEFT - RIGHT);
  }

  row(tick) {
    const y = this.y(tick);
    return [
      make("svg:line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }),
      make("svg:text", { x: LEFT - 7, y: y + 4, "text-anchor": "end" }, this.written(tick)),
    ];
  }

  columns() {
    const pixels = (this.width - LEFT - RIGHT) / (this.until - this.from); // a second's
    const step = STEPS_S.find((seconds) => seconds * pixels >= (seconds < 60 ? 76 : 52)) ?? STEPS_S.at(-1);
    const made = [make("svg:line", { class: "axis", x1: LEFT, x2: this.width - RIGHT, y1: this.floor, y2: this.floor })];
    for (let when = Math.ceil(this.from / step) * step; when <= this.until; when += step) {
      const x = this.x(when);
      made.push(make("svg:line", { class: "axis", x1: x, x2: x, y1: this.floor, y2: this.floor + 4 }));
      if (x > this.width - RIGHT - 14) continue;
      const text = (step < 60 ? clock : minutes).format(new Date(1000 * when));
      made.push(make("svg:text", { x, y: this.floor + 17, "text-anchor": "middle" }, text));
    }
    return made;
  }

  line(line) {
    return { path: this.path, area: this.area, bars: this.bars, stems: this.stems }[line.as].call(this, line);
  }

  /** A path with gaps where there is no value; a dot for what has no neighbour. */
  path({ key, of }) {
    const runs = [[]];
    for (const one of this.shown) {
      if (of(one) === null) runs.push([]);
      else runs.at(-1).push([this.x(one.when), this.y(of(one))]);
    }
    return runs
      .filter((run) => run.length)
      .map((run) => (run.length > 1 ? make("svg:path", { class: key, d: drawn(run) }) : dot(key, ...run[0])));
  }

  area({ key, of }) {
    const run = this.shown.map((one) => [this.x(one.when), this.y(of(one))]);
    const closed = [[run[0][0], this.floor], ...run, [run.at(-1)[0], this.floor]];
    return [make("svg:path", { class: "area", d: drawn(closed) }), make("svg:path", { class: key, d: drawn(run) })];
  }

  /** A bar for each interval that has some: one among thousands is still to be seen. */
  bars({ key, of }) {
    const width = Math.max(2, this.x(this.from + interval) - this.x(this.from) - 1);
    return this.some(of).map(([x, y]) => make("svg:rect", { class: key, x: x - width / 2, y, width, height: this.floor - y }));
  }

  stems({ key, of }) {
    const stem = ([x, y]) => [make("svg:path", { class: key, d: drawn([[x, this.floor], [x, y]]) }), dot(key, x, y, 2.5)];
    return this.some(of).flatMap(stem);
  }

  some(of) {
    return this.shown.filter(of).map((one) => [this.x(one.when), Math.min(this.y(of(one)), this.floor - LEAST)]);
  }

  restart(when) {
    const x = this.x(Math.min(when, this.until));
    const left = x > this.width / 2;
    return [
      make("svg:line", { class: "restart", x1: x, x2: x, y1: TOP - 4, y2: this.floor }),
      make("svg:text", { class: "restart", x: x + (left ? -4 : 4), y: TOP, "text-anchor": left ? "end" : "start" }, "restart"),
    ];
  }

  /** Show the values of the chosen interval, or else of the last one. */
  mark() {
    if (!this.series.length) return;
    const chosen = Chart.chosen && this.shown.find((one) => one.when === Chart.chosen);
    const one = chosen || this.series.at(-1);
    this.lines.forEach(({ of, text }, index) => put(this.values[index], text(of(one))));
    put(this.at, chosen ? `at ${clock.format(new Date(1000 * one.when))}` : "latest");
    const said = this.lines.map(({ name, of, text }) => `${name} ${text(of(one))}`).join(", ");
    const shown = this.shown;
    set(this.plot, "aria-valuemax", shown.length - 1);
    // while it moves by itself, a screen reader is not to read it out
    if (chosen || document.activeElement !== this.plot) {
      set(this.plot, "aria-valuenow", shown.indexOf(one));
      set(this.plot, "aria-valuetext", `${clock.format(new Date(1000 * one.when))}: ${said}`);
    }
    if (!chosen) return this.cross.replaceChildren();
    const x = this.x(one.when);
    const dots = this.lines
      .filter(({ of }) => of(one))
      .map(({ key, of }) => dot(key, x, this.y(of(one)), 3.5));
    this.cross.replaceChildren(make("svg:line", { class: "cross", x1: x, x2: x, y1: TOP, y2: this.floor }), ...dots);
  }

  point(clientX) {
    if (!this.series.length) return;
    const x = clientX - this.plot.getBoundingClientRect().left;
    const distance = (one) => Math.abs(this.x(one.when) - x);
    Chart.choose(this.shown.reduce((best, one) => (distance(one) < distance(best) ? one : best)).when);
  }

  key(event) {
    const shown = this.shown;
    const found = shown.findIndex((one) => one.when === Chart.chosen);
    const now = found < 0 ? shown.length - 1 : found;
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1,
      PageDown: now - 12, PageUp: now + 12, Home: 0, End: shown.length - 1 }[event.key];
    if (event.key === "Escape") Chart.choose(null);
    if (next === undefined || !shown.length) return;
    event.preventDefault();
    Chart.choose(shown[Math.max(0, Math.min(shown.length - 1, next))].when);
  }
}

const drawn = (run) => "M" + run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
const dot = (key, cx, cy, r = 2) => make("svg:circle", { class: key, cx, cy, r });

function logarithmic(values) {
  const positive = values.some((value) => value > 0) ? values.filter((value) => value > 0) : [1, 1000];
  const low = Math.floor(Math.log10(Math.min(...positive)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive))));
  const ticks = [];
  for (let power = low; power <= high; power++) {
    for (const factor of high - low < 3 && power < high ? [1, 2, 5] : [1]) ticks.push(factor * 10 ** power);
  }
  return { ticks, place: (value) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low) };
}

function linear(values) {
  const rough = Math.max(...values, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const most = step * Math.ceil(Math.max(...values, 1) / step);
  const ticks = [];
  for (let tick = 0; tick <= most + step / 2; tick += step) ticks.push(tick);
  return { ticks, place: (value) => value / most };
}

const each = (key) => (one) => one[key] / interval;

const latency = new Chart(
  $("#latency"),
  "Latency",
  ["p50", "p90", "p99"].map((key) => ({ key, name: key, of: (one) => one[key], text: milliseconds, as: "path" })),
  logarithmic,
  tickOfTime,
);
const rate = new Chart(
  $("#rate"),
  "Requests per second",
  [
    { key: "requests", name: "all", of: each("requests"), text: rounded, as: "area" },
    { key: "cold", name: "cold", of: each("cold"), text: rounded, as: "bars" },
    { key: "failed", name: "failed", of: each("failed"), text: rounded, as: "stems" },
  ],
  linear,
  rounded,
);

function showCharts(state) {
  interval = state.interval;
  const restarts = state.events.filter((event) => event.kind === "restart").map((event) => event.when);
  latency.show(state.series, restarts);
  rate.show(state.series, restarts);
}

// ---------------------------------------------------------------- models

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

function showModels({ models }, now) {
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
  put($("#stale"), `${which} overwritten after the download, and the instance serves what was there before, as AWS would. Publish under a new name instead.`);
}

function showSorting() {
  for (const head of heads) {
    if (head.dataset.key === sorting.key) head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

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

// ---------------------------------------------------------------- events

const KINDS = {
  error: "error",
  "failed load": "failed load",
  restart: "restart",
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

for (const [kind, name] of Object.entries(KINDS)) {
  const box = make("input", { type: "checkbox" });
  box.checked = !QUIET.includes(kind);
  box.addEventListener("change", () => show());
  const number = make("b", {}, "0");
  boxes.set(kind, { box, number });
  $("#kinds").append(make("label", { "data-kind": kind }, box, `${name} `, number));
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

function showEvents({ events, counts }) {
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

// ---------------------------------------------------------------- which endpoint

let state = null; // the last answer
const links = new Map();

function current() {
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

addEventListener("popstate", () => show());

// ---------------------------------------------------------------- asking

let timer = 0;
let asking = false;

function say(link, text, notice = "") {
  set($("#link"), "data-link", link);
  put($("#link"), text);
  document.body.toggleAttribute("data-old", link === "gone");
  $("#notice").hidden = !notice;
  put($("#notice"), notice);
  const name = state ? `${current()} – Slipway endpoint` : "Slipway endpoint";
  const title = link === "gone" ? `Gone: ${name}` : name;
  if (document.title !== title) document.title = title;
}

/** The state, or nothing: no answer, or that of another program at this port. */
async function fetched() {
  try {
    const response = await fetch("/state", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

async function ask() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  const answer = await fetched();
  asking = false;
  if (document.hidden) say("paused", "Paused");
  else timer = setTimeout(ask, EVERY_MS);
  if (answer) {
    state = answer;
    show();
    if (!document.hidden) say("live", "Live");
  } else if (!document.hidden) {
    // what was shown stays, and is called old
    const since = state ? ` What is shown is of ${clock.format(new Date(1000 * state.when))}.` : "";
    say("gone", "Gone", `The endpoint does not answer.${since} Asking again every ${EVERY_MS / 1000} seconds.`);
  }
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) ask();
});
ask();
