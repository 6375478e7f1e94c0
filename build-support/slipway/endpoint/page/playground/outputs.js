// The outputs of an answer: labels, scores as bars, pictures, sounds, arrays. All of it is text
// or a picture of pixels, whatever a model answers.

import { make } from "../shared/document.js";
import { bytes as sizeText, count } from "../shared/words.js";
import { bytesOf, previewOf, saveLink } from "./files.js";

const MOST_BARS = 24; // of a row
const SCROLLED = { tabindex: 0, role: "group", "aria-label": "Elements" }; // by the keyboard, too

/** An element for each output; `marked` has the places of elements that differ elsewhere. */
export function outputsOf(outputs, marked = {}) {
  return outputs.map((output) => outputOf(output, outputs, new Set(marked[output.name] ?? [])));
}

function outputOf(output, all, marked) {
  const { name, datatype, shape } = output;
  const head = make("h4", {}, make("bdi", {}, name), " ", make("small", {}, `${datatype} [${shape.join(", ")}]`));
  return make("div", { class: "output", "data-output": name }, head, ...bodyOf(output, all, marked), ...restOf(output));
}

function bodyOf(output, all, marked) {
  if (!output.count) return [make("p", { class: "hint" }, "no elements")];
  if (output.datatype === "BYTES") return output.elements.map((element, index) => elementOf(element, `${output.name}, element ${index + 1}`, marked.has(index)));
  if (output.picture) return [pictureOf(output.picture, output.name)];
  if (areScores(output)) return barsOf(output, namesFor(output, all), marked);
  return [arrayOf(output, marked)];
}

function restOf({ left_out, npy, name }) {
  if (!left_out) return [];
  const more = make("p", { class: "hint" }, `… and ${count(left_out)} more elements. `);
  more.append(npy ? saveLink(bytesOf(npy), `${name}.npy`, "Save all as .npy") : "The code below gets them all.");
  return [more];
}

/** One element of BYTES. */
export function elementOf(element, name, isMarked = false) {
  const { text, media, hex, base64, size, escaped, left_out } = element;
  const box = make("div", { class: "element" });
  if (media) box.append(previewOf(bytesOf(base64), media, name) ?? "", saveLink(bytesOf(base64), name, `${media}, ${sizeText(size)}: save`));
  else if (hex !== undefined) box.append(make("code", {}, hex), " ", saveLink(bytesOf(base64), name, `${sizeText(size)}, no text: save`));
  else {
    const long = text.length > 60 || text.includes("\n");
    if (text === "") box.append(make("span", { class: "hint" }, "empty"));
    else box.append(make(long ? "pre" : "b", { class: "said" }, make("bdi", {}, text)));
    if (escaped) box.append(make("small", {}, " control characters are written out"));
    if (left_out) box.append(make("small", {}, ` and ${count(left_out)} more characters`));
  }
  return isMarked ? make("mark", {}, box) : box;
}

/** Floating-point numbers from 0 to 1, some in each row. */
function areScores({ datatype, shape, elements, left_out }) {
  const width = shape.at(-1) ?? 0;
  if (!datatype.startsWith("FP") && datatype !== "BF16") return false;
  return !left_out && shape.length > 0 && shape.length < 3 && width <= MOST_BARS && elements.every((text) => Number(text) >= 0 && Number(text) <= 1);
}

/** The texts of another output of the same shape name the scores. */
function namesFor(output, all) {
  const width = output.shape.at(-1);
  const named = width > 1 && all.find((other) => other.datatype === "BYTES" && other.count === output.count && String(other.shape) === String(output.shape));
  if (width === 1) return () => "";
  return (index) => (named && named.elements[index].text) || `${output.name}[${index % width}]`;
}

function barsOf({ elements, shape }, nameOf, marked) {
  const width = shape.at(-1);
  const several = elements.length > width;
  const rows = [];
  for (let start = 0; start < elements.length; start += width) {
    const items = elements.slice(start, start + width).map((text, place) => {
      const index = start + place;
      const bar = make("i", { "aria-hidden": "true" });
      bar.style.width = `${100 * Math.max(0, Math.min(1, Number(text) || 0))}%`;
      const value = make(marked.has(index) ? "mark" : "span", { class: "number" }, text);
      const name = nameOf(index);
      return make("li", name ? {} : { class: "unnamed" }, ...(name ? [make("bdi", { class: "label" }, name)] : []), make("span", { class: "track", "aria-hidden": "true" }, bar), value);
    });
    if (several) rows.push(make("p", { class: "hint" }, `Row ${start / width + 1}`));
    rows.push(make("ul", { class: "bars" }, ...items));
  }
  return rows;
}

function arrayOf({ elements, shape }, marked) {
  const width = shape.at(-1) || 1;
  const pre = make("pre", SCROLLED);
  elements.forEach((text, index) => {
    pre.append(marked.has(index) ? make("mark", {}, text) : text);
    if (index < elements.length - 1) pre.append((index + 1) % width && shape.length ? ", " : "\n");
  });
  return pre;
}

function pictureOf({ width, height, channels, base64 }, name) {
  const canvas = make("canvas", { width, height, role: "img", "aria-label": `${name}: a picture of ${width} by ${height} pixels` });
  const pixels = bytesOf(base64);
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * channels;
    const [red, green, blue] = channels === 1 ? [pixels[at], pixels[at], pixels[at]] : pixels.subarray(at, at + 3);
    image.data.set([red, green, blue, channels === 4 ? pixels[at + 3] : 255], 4 * pixel);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
