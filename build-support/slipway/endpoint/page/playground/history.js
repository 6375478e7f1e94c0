// What was asked in this tab: in memory only.

import { $, make, named } from "../shared/document.js";
import { clock } from "../shared/words.js";
import { latencyOf, summaryOf } from "./answer.js";

const MOST = 50;

/** Add an ask at the top; `again` shows it again, as it was answered. */
export function remember(asked, again) {
  const { answer } = asked.result;
  const button = make("button", { type: "button" }, "Show");
  button.setAttribute("aria-label", `Show what ${answer.target} was asked at ${clock.format(asked.when)}`);
  button.addEventListener("click", () => again(asked));
  const item = make("li", {}, make("time", {}, clock.format(asked.when)), named(answer.target),
    make("span", { class: answer.error ? "bad" : "" }, make("bdi", {}, summaryOf(answer))), make("small", {}, latencyOf(answer)), button);
  $("#asked").prepend(item);
  while ($("#asked").children.length > MOST) $("#asked").lastChild.remove();
  $("#history").hidden = false;
}
