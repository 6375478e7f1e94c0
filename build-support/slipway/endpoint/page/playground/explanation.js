// Why an answer is as it is: a heat map over the picture, bars of columns, marked words.

import { $, make } from "../shared/document.js";
import { count, milliseconds } from "../shared/words.js";
import { bytesOf, mediaOf } from "./files.js";

const MOST_PARTS = 20;

const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Number(Math.abs(value).toPrecision(3))}`;

export function clearExplanation() {
  $("#explanation").replaceChildren();
}

export function showExplanation(said, question) {
  const input = question.rows[0]?.[said.input];
  const shown = { image: heatOf, text: wordsOf }[said.kind];
  const parts = [factsOf(said)];
  if (shown && input) parts.push(shown(said, input));
  parts.push(partsOf(said));
  if (said.statements.length) parts.push(make("ul", { class: "statements" }, ...said.statements.map((text) => make("li", {}, text))));
  $("#explanation").replaceChildren(...parts);
}

function factsOf({ score, answer, base, adds_up, method, is_exact, rows, requests, seed, ms }) {
  const sum = adds_up ? `: ${Number(base.toPrecision(4))} without the input, and what each part adds` : "";
  const how = is_exact ? "exact" : `estimated, seed ${seed}`;
  const cost = `${method}, ${how}; ${count(rows)} rows in ${count(requests)} requests, ${milliseconds(ms)}`;
  return make("div", {}, make("p", {}, make("b", {}, make("bdi", {}, score), ` ${Number(answer.toPrecision(4))}`), sum), make("p", { class: "hint" }, cost));
}

/** The largest parts as bars to both sides of nothing. */
function partsOf({ parts, kind }) {
  const ranked = [...parts].sort((one, other) => Math.abs(other.contribution) - Math.abs(one.contribution));
  const most = Math.abs(ranked[0]?.contribution ?? 0) || 1;
  const items = ranked.slice(0, MOST_PARTS).map(({ name, value, contribution, error }) => {
    const bar = make("i", { class: contribution < 0 ? "against" : "for" });
    bar.style.width = `${(50 * Math.abs(contribution)) / most}%`;
    if (contribution < 0) bar.style.right = "50%";
    else bar.style.left = "50%";
    const error_text = error ? ` ± ${Number(error.toPrecision(2))}` : "";
    const label = make("span", { class: "label" }, make("bdi", {}, name), value && kind === "row" ? make("small", {}, ` ${value}`) : "");
    return make("li", {}, label, make("span", { class: "track both", "aria-hidden": "true" }, bar), make("span", { class: "number" }, signed(contribution), make("small", {}, error_text)));
  });
  const left = ranked.length - items.length;
  const list = make("ul", { class: "bars contributions" }, ...items);
  if (left > 0) list.append(make("li", { class: "hint" }, `${count(left)} smaller ones are left out here`));
  return kind === "row" ? list : make("details", {}, make("summary", {}, "The parts as a list"), list);
}

/** Each word with the colour of what it adds; the sign is said in its title and in the list. */
function wordsOf({ parts }, input) {
  const characters = Array.from(input.value); // as Python counts them
  const most = Math.max(...parts.map(({ contribution }) => Math.abs(contribution)), Number.MIN_VALUE);
  const text = make("p", { class: "words" });
  let at = 0;
  for (const { place: [first, end], contribution } of [...parts].filter(({ place }) => place.length === 2).sort((one, other) => one.place[0] - other.place[0])) {
    text.append(characters.slice(at, first).join(""));
    const mark = make("mark", { class: contribution < 0 ? "against" : "for", title: signed(contribution) }, characters.slice(first, end).join(""));
    mark.style.setProperty("--much", `${Math.round((70 * Math.abs(contribution)) / most)}%`);
    text.append(mark);
    at = end;
  }
  text.append(characters.slice(at).join(""));
  return make("div", {}, legend(), text);
}

const legend = () => make("p", { class: "legend hint" }, make("mark", { class: "for" }, "adds to the score"), " ", make("mark", { class: "against" }, "takes from it"));

/** The picture as it was sent, and the map over it. */
function heatOf({ heat, size, score }, input) {
  const [width, height] = size;
  const canvas = make("canvas", { width, height, role: "img", "aria-label": `Heat map of what ${score} rests on; the list has the regions` });
  const pen = canvas.getContext("2d");
  const most = Math.max(...heat.flat().map(Math.abs), Number.MIN_VALUE);
  const map = new OffscreenCanvas(heat[0]?.length || 1, heat.length || 1);
  const colours = new ImageData(map.width, map.height);
  heat.flat().forEach((value, index) => {
    const [red, green, blue] = value > 0 ? [214, 40, 40] : [30, 90, 200];
    colours.data.set([red, green, blue, Math.round((190 * Math.abs(value)) / most)], 4 * index);
  });
  map.getContext("2d").putImageData(colours, 0, 0);
  const over = () => pen.drawImage(map, 0, 0, width, height);
  const data = input.kind === "file" ? bytesOf(input.value) : null;
  const media = data && mediaOf(data);
  if (media?.startsWith("image/")) {
    createImageBitmap(new Blob([data], { type: media })).then(
      (picture) => { pen.drawImage(picture, 0, 0, width, height); over(); },
      over,
    );
  } else over();
  return make("div", { class: "heat" }, legend(), canvas);
}
