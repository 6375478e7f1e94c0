// The request as curl, boto3 and slipway's client: tabs, a button that copies, files to save.

import { $, make, put } from "../shared/document.js";
import { bytesOf, saveLink } from "./files.js";

const NAMES = { curl: "curl", boto3: "boto3", client: "slipway" };
const tabs = new Map();

let code = null;
let chosen = "curl";

function show(kind, takesFocus = false) {
  chosen = kind;
  for (const [other, tab] of tabs) {
    tab.setAttribute("aria-selected", String(other === kind));
    tab.tabIndex = other === kind ? 0 : -1;
  }
  $("#program").setAttribute("aria-labelledby", tabs.get(kind).id);
  put($("#program pre"), code[kind]);
  put($("#copied"), "");
  if (takesFocus) tabs.get(kind).focus();
}

export function showCode(given) {
  $("#code").hidden = !given;
  code = given;
  if (!code) return;
  show(chosen);
  const files = Object.entries(code.files).map(([name, data]) =>
    make("li", {}, saveLink(bytesOf(data), name, `Save ${name}`), ": the code reads it from its folder"));
  $("#files").replaceChildren(...files);
  $("#files").hidden = !files.length;
}

export function bindCode() {
  const kinds = Object.keys(NAMES);
  for (const kind of kinds) {
    const tab = make("button", { type: "button", role: "tab", id: `tab-${kind}`, "aria-controls": "program" }, NAMES[kind]);
    tab.addEventListener("click", () => show(kind));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = step ? kinds.at((kinds.indexOf(kind) + step) % kinds.length) : { Home: kinds[0], End: kinds.at(-1) }[event.key];
      if (!next) return;
      event.preventDefault();
      show(next, true);
    });
    tabs.set(kind, tab);
    $("#tabs").append(tab);
  }
  $("#copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code[chosen]);
      put($("#copied"), "Copied.");
    } catch {
      getSelection().selectAllChildren($("#program pre"));
      put($("#copied"), "The browser does not let the page copy; it is selected: press Ctrl-C.");
    }
  });
}
