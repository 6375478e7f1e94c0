// The drift of the last hour, and what was captured.

import { request } from "../shared/access.js";
import { $, make, named, put } from "../shared/document.js";
import { count } from "../shared/words.js";
import { get } from "./api.js";
import { problemOf } from "./problem.js";

const ADVICE = {
  "no requests": "nothing was captured in the last hour: slipway endpoint up --capture",
  "no profile": "the release has no reference profile: slipway profile NAME, and publish again",
  "too few rows": "there are too few rows yet to tell a drift from chance",
};

async function capturedOn(endpoint) {
  try {
    const response = await request("/state");
    const { capture } = (await response.json()).endpoints[endpoint];
    if (!capture) return "Requests are not captured.";
    const dropped = Object.entries(capture.dropped ?? {}).map(([why, number]) => `${count(number)} not: ${why}`);
    return [`${count(capture.written ?? 0)} answers captured`, ...dropped].join("; ") + ".";
  } catch {
    return "";
  }
}

function tensorOf({ name, side, moved, statistics }) {
  const shown = statistics.map(({ series, name: statistic, value, threshold, moved: isMoved }) => {
    const limit = threshold === "Infinity" ? "too few rows to tell" : `threshold ${Number(threshold).toPrecision(3)}`;
    return make(isMoved ? "mark" : "span", {}, `${series} ${statistic} ${Number(value).toPrecision(3)} (${limit})`.trim());
  });
  const items = shown.flatMap((one) => [one, " "]);
  return make("li", {}, make("b", {}, make("bdi", {}, name)), ` ${side}${moved ? ", moved: " : ": "}`, ...items);
}

function releaseOf({ target, requests, verdict, notes, tensors, left_out }) {
  const advice = ADVICE[verdict] ? `: ${ADVICE[verdict]}` : "";
  const head = make("p", {}, named(target), " ", make("b", { class: verdict === "drift" ? "bad" : "" }, verdict), `${advice}. ${count(requests)} requests.`);
  return make("div", { class: "release" }, head, make("ul", { class: "plain" }, ...tensors.map(tensorOf)),
    ...(left_out ? [make("p", { class: "hint" }, `${count(left_out)} tensors that moved less are left out: slipway drift shows them.`)] : []), ...notes.map((note) => make("p", { class: "hint" }, note)));
}

export async function lookForDrift(endpoint, target) {
  $("#look").disabled = true;
  put($("#drift-status"), "Comparing what came in with the reference …");
  try {
    const [{ releases }, captured] = await Promise.all([get("drift", { endpoint, target }), capturedOn(endpoint)]);
    $("#drifts").replaceChildren(...releases.map(releaseOf));
    put($("#drift-status"), captured);
  } catch (error) {
    put($("#drift-status"), "");
    $("#drifts").replaceChildren(problemOf(error.described ?? { what: error.message }));
  }
  $("#look").disabled = false;
}
