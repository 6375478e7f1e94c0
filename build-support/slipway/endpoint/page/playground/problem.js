// An error on the page: in full, and with what to do.

import { make } from "../shared/document.js";

/** An element that shows `described`, as the endpoint's JSON has it. */
export function problemOf({ status, type, what, where, fix }) {
  const kind = [status || "", type].filter(Boolean).join(" ");
  const parts = [make("p", { class: "what" }, make("b", {}, kind ? `${kind}: ` : ""), make("bdi", {}, what ?? ""))];
  if (fix) parts.push(make("p", {}, make("b", {}, "What to do: "), fix));
  if (where) parts.push(make("p", { class: "hint" }, make("bdi", {}, where)));
  return make("div", { class: "error" }, ...parts);
}
