// The totals at the top of the page.

import { $, figure, make, put } from "../shared/document.js";
import { bytes, count, rounded, share, time } from "../shared/words.js";

class Total {
  constructor(name, barred = false) {
    this.data = make("data");
    this.note = make("small");
    this.fill = make("i");
    this.bar = make("div", { class: "bar", "aria-hidden": "true" }, this.fill);
    $(`[data-total="${name}"]`).append(this.data, ...(barred ? [this.bar] : []), this.note);
  }

  show(value, text, note, filled = null) {
    figure(this.data, value, text);
    put(this.note, note);
    this.bar.hidden = filled === null;
    this.fill.style.width = `${100 * Math.min(1, filled ?? 0)}%`;
  }
}

const totals = {
  invocations: new Total("invocations"),
  errors: new Total("errors"),
  hits: new Total("hits"),
  loaded: new Total("loaded", true),
  memory: new Total("memory", true),
  disk: new Total("disk", true),
  evict: new Total("evict"),
  restart: new Total("restart"),
};

export function showTotals(state) {
  const { limits, counts, models, series } = state;
  const last = series.at(-1);
  const now = last ? `${rounded(last.requests / state.interval)} per second` : "";
  totals.invocations.show(state.invocations, count(state.invocations), now);

  const refused = (counts.error ?? 0) - state.errors;
  const turned = refused > 0 ? `, ${count(refused)} refused` : "";
  totals.errors.show(state.errors, count(state.errors), share(state.errors, state.invocations) + turned);
  totals.errors.data.classList.toggle("bad", state.errors > 0);

  const hitRate = state.invocations ? state.hits / state.invocations : null;
  totals.hits.show(hitRate, share(state.hits, state.invocations), `${count(state.hits)} found it loaded`);

  const loaded = models.filter((model) => model.state === "loaded").length;
  const most = limits.models ? `of ${count(limits.models)}` : "no limit";
  const kept = limits.cached ? "" : ", cache disabled";
  totals.loaded.show(loaded, count(loaded), most + kept, limits.models ? loaded / limits.models : null);

  // the limit is of the models, also of what is left of unloaded ones; the server comes on top
  const taken = models.reduce((sum, model) => sum + model.memory, state.leftover);
  const room = limits.memory ? `of ${bytes(limits.memory)}` : "of models, no limit";
  const all = state.memory ? `, ${bytes(state.memory)} with the server` : "";
  totals.memory.show(taken, bytes(taken), room + all, limits.memory ? taken / limits.memory : null);
  totals.disk.show(state.disk, bytes(state.disk), `of ${bytes(limits.disk)}`, state.disk / limits.disk);

  for (const kind of ["evict", "restart"]) {
    const latest = state.events.find((event) => event.kind === kind);
    totals[kind].show(counts[kind] ?? 0, count(counts[kind] ?? 0), latest ? `last ${time(latest.when)}` : "never");
  }
}
