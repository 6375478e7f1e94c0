// What was answered: one release, or two side by side.

import { $, make, named, put } from "../shared/document.js";
import { bytes, milliseconds } from "../shared/words.js";
import { elementOf, outputsOf } from "./outputs.js";
import { problemOf } from "./problem.js";

/** The latency in words: what an answer waited for. */
export function latencyOf({ ms, cache }) {
  if (ms === undefined) return "";
  const how = { hit: ", the model was loaded (hit)", load: ", with loading the model (load)" }[cache] ?? "";
  return `${milliseconds(ms)}${how}`;
}

export function summaryOf(said) {
  if (said.error) return `${said.error.type || "error"}: ${said.error.what}`.slice(0, 120);
  if (said.body) return (said.body.text ?? bytes(said.body.size)).slice(0, 120);
  const texts = (said.outputs ?? []).map(({ name, elements }) => {
    const shown = elements.slice(0, 3).map((one) => (typeof one === "string" ? one : (one.text ?? one.media ?? bytes(one.size))));
    return shown.join("") && `${name}: ${shown.join(", ")}${elements.length > 3 ? ", …" : ""}`;
  });
  return texts.filter(Boolean).join("; ").slice(0, 120) || "no output";
}

function columnOf(said, marked, title) {
  const column = make("article", { class: "said-by" }, make("h3", {}, title, named(said.target)));
  const facts = [latencyOf(said), said.received_bytes === undefined ? "" : `${bytes(said.sent_bytes)} sent, ${bytes(said.received_bytes)} received`];
  column.append(make("p", { class: "facts" }, facts.filter(Boolean).join("; ")));
  if (said.error) column.append(problemOf(said.error));
  else if (said.body) column.append(make("p", { class: "hint" }, make("bdi", {}, said.body.content_type)), elementOf(said.body, "body"));
  else column.append(...outputsOf(said.outputs, marked));
  return column;
}

function differencesOf({ lines }) {
  if (!lines.length) return make("p", { class: "same" }, "Both answer the same, within the tolerances of golden cases.");
  const list = make("ul", {}, ...lines.map((line) => make("li", {}, make("bdi", {}, line))));
  return make("div", { class: "differences" }, make("p", {}, make("b", {}, "They differ:")), list);
}

export function showAnswer({ answer, second, differences }) {
  const columns = [columnOf(answer, differences?.marked, second ? "First: " : "")];
  if (second) columns.push(columnOf(second, differences?.marked, "Second: "));
  const between = differences ? [differencesOf(differences)] : [];
  $("#answers").querySelectorAll("[src^='blob:']").forEach((shown) => URL.revokeObjectURL(shown.src));
  $("#answers").replaceChildren(...between, make("div", { class: second ? "columns two" : "columns" }, ...columns));
  $("#answer").hidden = false;
  const said = answer.error ? "It was not answered: see below." : `Answered in ${latencyOf(answer)}.`;
  put($("#asking"), said);
}

export function showAsking(text) {
  $("#answer").hidden = false;
  put($("#asking"), text);
}
