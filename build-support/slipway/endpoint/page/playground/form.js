// The form: a field for each input of each row.

import { $, make, put } from "../shared/document.js";
import { bytes } from "../shared/words.js";
import { Field } from "./field.js";

let release = null;
let rows = []; // of fields by input

const BODY = { name: "BODY", datatype: "BYTES", shape: "of any form", dims: [1], optional: false, sendable: true };

export function showForm(described) {
  release = described;
  rows = [];
  $("#rows").replaceChildren();
  const container = release.container;
  for (const id of ["content-type", "accept"]) $(`#of-${id}`).hidden = !container;
  $("#of-parameters").hidden = container;
  $("#parameters").value = "";
  $("#further").open = container;
  addRow();
  showExamples();
  $("#question").hidden = false;
}

const inputs = () => (release.container ? [BODY] : release.inputs);

function addRow(values = {}) {
  const number = rows.length + 1;
  const fields = inputs().map((input) => new Field(input, number > 1 ? ` in row ${number}` : "", changed));
  const remove = make("button", { type: "button", "aria-label": `Remove row ${number}` }, "Remove");
  const group = make("fieldset", { class: "row" }, make("legend", {}, `Row ${number}`), make("div", { class: "fields" }, ...fields.map((field) => field.element)), remove);
  const row = { group, fields };
  remove.addEventListener("click", () => {
    rows = rows.filter((other) => other !== row);
    group.remove();
    changed();
    $("#add-row").focus();
  });
  fields.forEach((field) => (field.value = values[field.input.name] ?? null));
  rows.push(row);
  $("#rows").append(group);
  changed();
  return row;
}

function showExamples() {
  const examples = release.examples ?? [];
  const choose = make("option", { value: "" }, "choose a golden case");
  $("#example select").replaceChildren(choose, ...examples.map((one, index) => make("option", { value: index }, one.name)));
  $("#example").hidden = !examples.length;
}

function changed() {
  rows.forEach(({ group }, index) => put(group.querySelector("legend"), rows.length > 1 ? `Row ${index + 1}` : ""));
  $("#rows").toggleAttribute("data-several", rows.length > 1);
  const most = release.max_rows || 1;
  $("#more").hidden = most < 2;
  $("#add-row").disabled = rows.length >= most;
  put($("#row-hint"), `${rows.length} of at most ${most} in one request`);
  const size = rows.flatMap(({ fields }) => fields).reduce((sum, field) => sum + field.size, 0);
  const isLarge = size > release.limit;
  $("#size").classList.toggle("bad", isLarge);
  put($("#size"), isLarge ? `About ${bytes(size)}: more than the ${bytes(release.limit)} that a request may have. Send less at once.`
    : `About ${bytes(size)} of at most ${bytes(release.limit)}`);
  $("#ask").disabled = isLarge;
}

/** What is filled in, as the endpoint reads it. */
export function filledIn() {
  return {
    rows: rows.map(({ fields }) => Object.fromEntries(fields.filter((field) => field.value).map((field) => [field.input.name, field.value]))),
    parameters: $("#parameters").value.trim(),
    content_type: release.container ? $("#content-type").value.trim() : "",
    accept: release.container ? $("#accept").value.trim() : "",
  };
}

export function fillIn(question) {
  $("#rows").replaceChildren();
  rows = [];
  for (const row of question.rows) addRow(row);
  $("#parameters").value = question.parameters ?? "";
  if (question.content_type) $("#content-type").value = question.content_type;
  $("#accept").value = question.accept ?? "";
  if (question.parameters) $("#further").open = true;
}

export function bindForm() {
  $("#add-row").addEventListener("click", () => addRow().fields[0]?.typed.focus());
  $("#example select").addEventListener("change", (event) => {
    const chosen = release.examples[event.target.value];
    if (chosen) fillIn(chosen);
  });
  // a file that misses its field is not to replace the page
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
}
