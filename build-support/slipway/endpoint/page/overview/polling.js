// Asking for /state every two seconds, as long as somebody looks.

import { request } from "../shared/access.js";
import { $, put, set } from "../shared/document.js";
import { current, state, take } from "./view.js";
import { clock } from "../shared/words.js";

const EVERY_MS = 2000;
const PATIENCE_MS = 10000;

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

const LINK = "Open the link that “slipway token create NAME --link” prints.";
// by status: why the state is not shown
const REFUSALS = {
  401: `This endpoint is open to others, and needs a token. ${LINK}`,
  403: `The token does not allow to look at this endpoint. ${LINK}`,
  429: "Too many attempts were refused: this address has to wait a minute. Then reload the page.",
};

let refusal = "";

/** The state, or nothing: no answer, a refusal, or the answer of another program at this port. */
async function fetched() {
  refusal = "";
  try {
    const response = await request("/state", { signal: AbortSignal.timeout(PATIENCE_MS) });
    refusal = REFUSALS[response.status] ?? "";
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** Ask, and again after a while unless nobody looks. */
export async function ask() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  const answer = await fetched();
  asking = false;
  // every refusal counts as a failed attempt: a page without a token asks once
  if (refusal) say("gone", "No access", refusal);
  else if (document.hidden) say("paused", "Paused");
  else timer = setTimeout(ask, EVERY_MS);
  if (answer) {
    take(answer);
    if (!document.hidden) say("live", "Live");
  } else if (!refusal && !document.hidden) {
    // what was shown stays, and is called old
    const since = state ? ` What is shown is of ${clock.format(new Date(1000 * state.when))}.` : "";
    say("gone", "Gone", `The endpoint does not answer.${since} Asking again every ${EVERY_MS / 1000} seconds.`);
  }
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && !refusal) ask();
});
// another link was opened in this tab; access.js has taken its token by now
window.addEventListener("hashchange", () => {
  if (refusal) ask();
});
