// The playground: choose a release, fill its inputs, ask.

import { signIn } from "../shared/access.js";
import { $, make, put } from "../shared/document.js";
import { get, post } from "./api.js";
import { showAnswer, showAsking } from "./answer.js";
import { bindCode, showCode } from "./code.js";
import { lookForDrift } from "./drift.js";
import { clearExplanation, showExplanation } from "./explanation.js";
import { bindForm, fillIn, filledIn, showForm } from "./form.js";
import { remember } from "./history.js";
import { Picker } from "./picker.js";
import { problemOf } from "./problem.js";

const address = new URLSearchParams(location.search);
let endpoint = address.get("endpoint") ?? "";
let release = null; // as the endpoint describes it
let second = ""; // the target that is asked, too
let last = null; // the question that was answered last
let stop = null; // of what is being asked

function fail(error) {
  const described = error.described ?? { type: "", what: `This page failed: ${error.message}`, fix: "Reload it, and report this." };
  $("#sign-in").hidden = described.status !== 401;
  $("#problem").hidden = false;
  $("#problem").replaceChildren(problemOf(described));
}

function settle() {
  $("#problem").hidden = true;
  $("#problem").replaceChildren();
}

/** What is chosen is the address, so that it can be shared. */
function share(choice) {
  const values = new URLSearchParams();
  if (endpoint) values.set("endpoint", endpoint);
  values.set(choice.alias ? "model" : "release", choice.alias ? choice.name : choice.target);
  history.replaceState(null, "", `${location.pathname}?${values}`);
}

const picker = new Picker($("#picker"), "Model or release", { endpoint: () => endpoint, chosen: choose, failed: fail });
const other = new Picker($("#second"), "Ask a second release, too", { endpoint: () => endpoint, chosen: ({ target }) => (second = target), failed: fail });

async function choose(choice) {
  put($("#chosen"), "Reading its signature …");
  try {
    release = await get("release", { endpoint, target: choice.target });
  } catch (error) {
    put($("#chosen"), "");
    return fail(error);
  }
  settle();
  share(choice);
  const { name, target, shadow, container, max_rows } = release;
  const served = choice.alias ? `${name} is served by ${target}. ` : "";
  put($("#chosen"), container ? "A container: bytes in, bytes out." : `${served}${max_rows ? `Up to ${max_rows} rows in a request.` : "One row in a request."}${shadow ? ` Its shadow: ${shadow}.` : ""}`);
  second = shadow && shadow !== target ? shadow : "";
  other.show(second);
  showForm(release);
  if (second) $("#further").open = true;
  for (const id of ["answer", "why", "code"]) $(`#${id}`).hidden = true;
  $("#drift").hidden = container;
  $("#drifts").replaceChildren();
  put($("#drift-status"), "");
}

async function ask(event) {
  event?.preventDefault();
  if (stop || !release || $("#ask").disabled) return;
  stop = new AbortController();
  $("#cancel").hidden = false;
  $("#answer").setAttribute("aria-busy", "true");
  showAsking("Asking … a first answer waits until the model is loaded.");
  const asked = { release, second, question: filledIn(), when: new Date() };
  const body = { endpoint, target: release.target, second, ...asked.question };
  try {
    asked.result = await post("ask", body, { signal: stop.signal });
    settle();
    show(asked);
    remember(asked, again);
    $("#answer").focus({ preventScroll: true });
    $("#answer").scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  } catch (error) {
    if (error.name === "AbortError") showAsking("Cancelled. The endpoint may still finish it.");
    else {
      showAsking("It was not answered.");
      fail(error);
    }
  }
  stop = null;
  $("#cancel").hidden = true;
  $("#answer").removeAttribute("aria-busy");
}

function show(asked) {
  last = asked;
  showAnswer(asked.result);
  showCode(asked.result.answer.code);
  clearExplanation();
  put($("#explaining"), "The model is asked with parts of the input left out.");
  $("#why").hidden = !asked.result.answer.outputs;
  const rows = asked.question.rows.map((_, index) => make("option", { value: index }, index + 1));
  $("#row").replaceChildren(...rows);
  $("#of-row").hidden = rows.length < 2;
}

/** Show an earlier ask: its form, and what was answered then. */
function again(asked) {
  release = asked.release;
  second = asked.second;
  picker.show(release.target);
  other.show(second);
  showForm(release);
  fillIn(asked.question);
  show(asked);
  $("#answer").focus();
}

async function explain() {
  const { release: of } = last;
  const question = { ...last.question, rows: [last.question.rows[$("#row").value || 0]] };
  $("#explain").disabled = true;
  put($("#explaining"), "Asking the model again and again; at most a minute …");
  try {
    const said = await post("explain", { endpoint, target: of.target, requests: $("#requests").value, ...question });
    put($("#explaining"), "");
    showExplanation(said, question);
  } catch (error) {
    put($("#explaining"), "");
    $("#explanation").replaceChildren(problemOf(error.described ?? { what: error.message }));
  }
  $("#explain").disabled = false;
}

function showEndpoints(names) {
  put($("#name"), endpoint);
  $("#endpoints").hidden = names.length < 2;
  $("#overview").href = `/?endpoint=${encodeURIComponent(endpoint)}`;
  $("#endpoints").replaceChildren(...names.map((name) => {
    const link = make("a", { href: `/playground?endpoint=${encodeURIComponent(name)}` }, name);
    if (name === endpoint) link.setAttribute("aria-current", "page");
    return link;
  }));
}

/** Show what the address names: a model by its alias, or a release. */
async function begin() {
  try {
    const [model, target] = [address.get("model"), address.get("release")];
    const found = await get("releases", { endpoint, find: model ?? "" });
    settle();
    endpoint = found.endpoint;
    showEndpoints(found.endpoints);
    const alias = found.choices.find((choice) => choice.alias && choice.name === model);
    if (alias) picker.show(alias.name);
    else if (target) picker.show(target);
    if (alias || target) await choose(alias ?? { alias: false, target });
    else if (model) fail({ described: { what: `No alias is called ${model}.`, fix: "Choose a release below." } });
    else put($("#chosen"), `${found.total} can be chosen.`);
  } catch (error) {
    fail(error);
  }
}

bindForm();
bindCode();
$("#question").addEventListener("submit", ask);
$("#question").addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && ask(event));
other.input.addEventListener("input", () => other.input.value || (second = ""));
$("#cancel").addEventListener("click", () => stop?.abort());
$("#explain").addEventListener("click", explain);
$("#look").addEventListener("click", () => lookForDrift(endpoint, release.target));
$("#sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn($("#token").value.trim());
  $("#token").value = "";
  $("#sign-in").hidden = true;
  begin();
});
begin();
