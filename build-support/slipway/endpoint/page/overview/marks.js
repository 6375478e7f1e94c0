// The marks of a chart: how a line of figures is drawn.

import { make } from "../shared/document.js";

const LEAST = 5; // pixels of height of what is not nothing

const drawn = (run) => "M" + run.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
export const dot = (key, cx, cy, r = 2) => make("svg:circle", { class: key, cx, cy, r });

/** A path with gaps where there is no value; a dot for what has no neighbour. */
function path(chart, { key, of }) {
  const runs = [[]];
  for (const one of chart.shown) {
    if (of(one) === null) runs.push([]);
    else runs.at(-1).push([chart.x(one.when), chart.y(of(one))]);
  }
  return runs
    .filter((run) => run.length)
    .map((run) => (run.length > 1 ? make("svg:path", { class: key, d: drawn(run) }) : dot(key, ...run[0])));
}

function area(chart, { key, of }) {
  const run = chart.shown.map((one) => [chart.x(one.when), chart.y(of(one))]);
  const closed = [[run[0][0], chart.floor], ...run, [run.at(-1)[0], chart.floor]];
  return [make("svg:path", { class: "area", d: drawn(closed) }), make("svg:path", { class: key, d: drawn(run) })];
}

/** A bar for each interval that has some: one among thousands is still to be seen. */
function bars(chart, { key, of }) {
  const width = Math.max(2, chart.x(chart.from + chart.interval) - chart.x(chart.from) - 1);
  return some(chart, of).map(([x, y]) => make("svg:rect", { class: key, x: x - width / 2, y, width, height: chart.floor - y }));
}

function stems(chart, { key, of }) {
  const stem = ([x, y]) => [make("svg:path", { class: key, d: drawn([[x, chart.floor], [x, y]]) }), dot(key, x, y, 2.5)];
  return some(chart, of).flatMap(stem);
}

function some(chart, of) {
  return chart.shown.filter(of).map((one) => [chart.x(one.when), Math.min(chart.y(of(one)), chart.floor - LEAST)]);
}

/** The marks of `line` in `chart`, drawn as the line says. */
export const marks = (chart, line) => ({ path, area, bars, stems })[line.as](chart, line);
