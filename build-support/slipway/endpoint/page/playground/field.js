// One input of one row: typed, or a file that is dropped or chosen.

import { make } from "../shared/document.js";
import { bytes as sizeText } from "../shared/words.js";
import { bytesOf, mediaOf, previewOf, read } from "./files.js";

const WIDTH = { BOOL: 1, UINT8: 1, INT8: 1, UINT16: 2, INT16: 2, FP16: 2, UINT32: 4, INT32: 4, FP32: 4 };
const KIND_NAMES = { text: "text", json: "JSON", file: "file" };

let fields = 0;

export class Field {
  /** `changed` is called whenever the value is another one. */
  constructor(input, row, changed) {
    Object.assign(this, { input, changed, file: null });
    const id = `field-${fields++}`;
    const { name, datatype, shape, optional } = input;
    const isText = datatype === "BYTES";
    const small = input.dims.length === 1 && input.dims[0] === 1 && !isText;
    this.typed = small ? make("input", { id, inputmode: "decimal", autocomplete: "off", spellcheck: "false" })
      : make("textarea", { id, rows: isText ? 1 : 2, spellcheck: "false" });
    this.typed.setAttribute("aria-describedby", `${id}-hint`);
    if (!isText) this.typed.setAttribute("placeholder", datatype === "BOOL" ? "true or false" : input.dims.length === 1 && small ? "number" : "[1, 2, 3], or JSON");
    this.kinds = isText ? ["text", "file", "json"] : ["json", "file"];
    this.kind = make("select", { "aria-label": `Form of ${name}${row}` }, ...this.kinds.map((kind) => make("option", { value: kind }, isText || kind === "file" ? KIND_NAMES[kind] : "typed")));
    this.chooser = make("input", { type: "file", id: `${id}-file`, class: "unseen", "aria-label": `File for ${name}${row}` });
    this.note = make("span", { class: "hint" }, "no file yet");
    this.drop = make("div", { class: "drop" }, this.chooser, make("label", { for: `${id}-file`, class: "button" }, "Choose a file"), make("span", { class: "hint" }, isText ? "or drop one here" : "or drop a .npy here"), this.note);
    this.preview = make("div", { class: "preview" });
    const hint = make("small", { id: `${id}-hint` }, `${datatype} ${shape}${optional ? ", optional" : ""}`);
    this.element = make("div", { class: "field", "data-input": name },
      make("div", { class: "head" }, make("label", { for: id }, make("bdi", {}, name)), hint, this.kind), this.typed, this.drop, this.preview);
    if (!input.sendable) hint.append(`: ${datatype} cannot be sent from here`);
    this.typed.addEventListener("input", () => changed());
    this.kind.addEventListener("change", () => { this.show(); changed(); });
    this.chooser.addEventListener("change", () => this.chooser.files[0] && this.takeFile(this.chooser.files[0]));
    this.element.addEventListener("dragover", (event) => { event.preventDefault(); this.element.classList.add("over"); });
    this.element.addEventListener("dragleave", () => this.element.classList.remove("over"));
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.element.classList.remove("over");
      if (event.dataTransfer.files[0]) this.takeFile(event.dataTransfer.files[0]);
    });
    this.show();
  }

  show() {
    const isFile = this.kind.value === "file";
    this.typed.hidden = isFile;
    this.drop.hidden = !isFile;
    this.preview.hidden = !isFile;
  }

  async takeFile(file) {
    this.kind.value = "file";
    this.show();
    try {
      this.setFile(await read(file), file.name);
    } catch (error) {
      this.setFile(null, error.message);
    }
    this.changed();
  }

  setFile(base64, name) {
    this.preview.querySelectorAll("[src]").forEach((shown) => URL.revokeObjectURL(shown.src));
    this.preview.replaceChildren();
    this.file = base64 === null ? null : { base64, name };
    if (base64 === null) return this.note.replaceChildren(name);
    const data = bytesOf(base64);
    this.note.replaceChildren(make("bdi", {}, name), `, ${sizeText(data.length)}`);
    const shown = previewOf(data, mediaOf(data), name);
    if (shown) this.preview.append(shown);
  }

  /** As the endpoint reads it; nothing if it is left empty. */
  get value() {
    const kind = this.kind.value;
    if (kind === "file") return this.file && { kind, value: this.file.base64, name: this.file.name };
    // an empty text is a value of an input that is required
    if (this.typed.value === "" && (this.input.optional || kind === "json")) return null;
    return { kind, value: this.typed.value };
  }

  set value(given) {
    this.typed.value = "";
    this.setFile(null, "no file yet");
    this.kind.value = given?.kind ?? this.kinds[0];
    if (given?.kind === "file") this.setFile(given.value, given.name ?? "file");
    else if (given) this.typed.value = given.value;
    this.show();
  }

  /** About how many bytes are sent of it. */
  get size() {
    const given = this.value;
    if (!given) return 0;
    if (given.kind === "file") return Math.floor((given.value.length * 3) / 4);
    if (this.input.datatype === "BYTES") return new TextEncoder().encode(given.value).length + 4;
    return (given.value.match(/[^\s,[\]]+/g)?.length ?? 0) * (WIDTH[this.input.datatype] ?? 8);
  }
}
