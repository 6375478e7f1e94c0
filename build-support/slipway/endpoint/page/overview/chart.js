// A chart over time, whose values can be read with pointer and keys.

import { make, put, set } from "../shared/document.js";
import { dot, marks } from "./marks.js";
import { clock, minutes } from "../shared/words.js";

const LEFT = 50;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 22;
const NARROWEST = 2.75; // pixels of an interval
const SPANS_S = [120, 300, 600, 900];
const STEPS_S = [15, 30, 60, 120, 180, 300];

/** One chart; `lines` name what they show of an interval. The chosen interval is common to all. */
export class Chart {
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

  /** `interval`: seconds of each of `series`. */
  show(series, interval, restarts) {
    this.series = series;
    this.interval = interval;
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
    const most = ((this.width - LEFT - RIGHT) / NARROWEST) * this.interval;
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
      ...this.lines.flatMap((line) => marks(this, line)),
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
