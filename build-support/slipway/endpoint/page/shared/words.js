// Words for figures.

export const NONE = "–";
const grouped = new Intl.NumberFormat("en");
export const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
export const minutes = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const dated = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const count = (number) => grouped.format(number);

export function rounded(number) {
  return number >= 100 ? count(Math.round(number)) : String(Number(number.toPrecision(number < 10 ? 2 : 3)));
}

export function bytes(size) {
  let unit = 0;
  for (; size >= 1024 && unit < 4; unit++) size /= 1024;
  return `${unit ? rounded(size) : size} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

/** Like figures below each other have like many digits. */
export function milliseconds(time) {
  if (time === null) return NONE;
  if (time >= 1000) return `${(time / 1000).toFixed(time < 10000 ? 2 : 1)} s`;
  return `${time.toFixed(time < 1 ? 2 : time < 100 ? 1 : 0)} ms`;
}

export const tickOfTime = (time) => (time >= 1000 ? `${rounded(time / 1000)} s` : `${rounded(time)} ms`);

export function share(part, whole) {
  if (!whole) return NONE;
  const percent = (100 * part) / whole;
  // what is not quite all, or not quite nothing, is not called so
  const text = percent > 99.9 && percent < 100 ? "99.9" : percent > 0 && percent < 0.1 ? "<0.1" : percent.toFixed(1);
  return `${text.replace(/\.0$/, "")} %`;
}

export function time(seconds) {
  const date = new Date(1000 * seconds);
  return (Date.now() - date > 20 * 3600e3 ? dated : clock).format(date);
}

export function ago(seconds) {
  if (seconds < 1.5) return "now";
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return `${Math.floor(seconds)} s ago`;
}
