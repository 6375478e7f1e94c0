// Choosing one release among thousands: type to find, arrow keys and Enter to choose.

import { make, put } from "../shared/document.js";
import { count } from "../shared/words.js";
import { get } from "./api.js";

const PAUSE_MS = 150; // typing

let pickers = 0;

export class Picker {
  /** `chosen` is called with a choice; `failed` with what went wrong. */
  constructor(root, label, { endpoint, chosen, failed }) {
    Object.assign(this, { endpoint, chosen, failed, choices: [], total: 0, active: -1, asked: 0 });
    const id = `picker-${pickers++}`;
    this.input = make("input", {
      id, role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": `${id}-list`,
      autocomplete: "off", spellcheck: "false", placeholder: "type to find a model or a release",
    });
    this.list = make("ul", { id: `${id}-list`, role: "listbox", "aria-label": label, hidden: "" });
    this.status = make("span", { class: "unseen", role: "status" });
    root.append(make("label", { for: id }, label), make("div", { class: "picker" }, this.input, this.list), this.status);
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.open());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // a click is not to take the focus, which would close the list first
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.take(Number(event.target.closest("[role=option]")?.dataset.index ?? -1)));
    this.list.addEventListener("scroll", () => this.scrolled());
  }

  show(text) {
    this.input.value = text;
    this.close();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), PAUSE_MS);
  }

  async open(offset = 0) {
    const number = ++this.asked;
    try {
      // what was chosen is no search for itself
      const find = this.input.selectionEnd - this.input.selectionStart === this.input.value.length ? "" : this.input.value;
      const found = await get("releases", { endpoint: this.endpoint(), find, offset });
      if (number !== this.asked || document.activeElement !== this.input) return;
      this.choices = offset ? [...this.choices, ...found.choices] : found.choices;
      this.total = found.total;
      this.render(offset ? this.active : -1);
    } catch (error) {
      this.failed(error);
    }
  }

  render(active) {
    this.active = active;
    const options = this.choices.map((choice, index) => optionOf(choice, index, `${this.list.id}-${index}`));
    const left = this.total - this.choices.length;
    const note = this.total ? (left ? `${count(left)} more: type to find them, or scroll` : "") : "No release is called so.";
    this.list.replaceChildren(...options);
    if (note) this.list.append(make("li", { class: "hint", role: "presentation" }, note));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    put(this.status, `${count(this.total)} found`);
    this.mark(active);
  }

  mark(index) {
    this.active = index;
    const options = this.list.querySelectorAll("[role=option]");
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    if (options[index]) {
      this.input.setAttribute("aria-activedescendant", options[index].id);
      options[index].scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.list;
    if (this.choices.length < this.total && scrollTop + clientHeight > scrollHeight - 80 && !this.list.hidden) this.open(this.choices.length);
  }

  close() {
    clearTimeout(this.timer);
    this.asked++;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  take(index) {
    const choice = this.choices[index];
    if (!choice || choice.problem) return;
    this.show(textOf(choice));
    this.chosen(choice);
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter") {
      event.preventDefault();
      if (!this.list.hidden) this.take(Math.max(0, this.active));
    } else if (step) {
      event.preventDefault();
      if (this.list.hidden) this.open();
      else {
        const next = Math.max(0, Math.min(this.choices.length - 1, this.active + step));
        this.mark(next);
        if (next === this.choices.length - 1 && next < this.total - 1) this.open(this.choices.length);
      }
    }
  }
}

export const textOf = ({ alias, name, target }) => (alias ? name : target);

function optionOf(choice, index, id) {
  const option = make("li", { role: "option", id, "data-index": index, "aria-selected": "false" }, make("bdi", {}, textOf(choice)));
  if (choice.alias) option.append(make("span", { class: "badge" }, "alias"), make("small", {}, choice.problem ?? `→ ${choice.target}`));
  if (choice.problem) option.setAttribute("aria-disabled", "true");
  return option;
}
