// The two charts: latency, and requests per second.

import { Chart } from "./chart.js";
import { $ } from "../shared/document.js";
import { milliseconds, rounded, tickOfTime } from "../shared/words.js";

let interval = 1; // seconds, as the state says

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

export function showCharts(state) {
  interval = state.interval;
  const restarts = state.events.filter((event) => event.kind === "restart").map((event) => event.when);
  latency.show(state.series, interval, restarts);
  rate.show(state.series, interval, restarts);
}
