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

const NEEDS_TOKEN = "This endpoint is open to others, and needs a token: open the link of “slipway token create --link”.";

let refused = false;

/** The state, or nothing: no answer, a refusal, or the answer of another program at this port. */
async function fetched() {
  refused = false;
  try {
    const response = await request("/state", { signal: AbortSignal.timeout(PATIENCE_MS) });
    refused = [401, 403].includes(response.status);
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
  if (document.hidden) say("paused", "Paused");
  else timer = setTimeout(ask, EVERY_MS);
  if (answer) {
    take(answer);
    if (!document.hidden) say("live", "Live");
  } else if (refused && !document.hidden) {
    say("gone", "No access", NEEDS_TOKEN);
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
