// Files: read to base64, shown before they are sent, saved.

import { make } from "../shared/document.js";

const SHOWN = { "image/png": "img", "image/jpeg": "img", "image/gif": "img", "image/webp": "img",
  "audio/wav": "audio", "audio/mpeg": "audio", "audio/ogg": "audio", "audio/flac": "audio" };

export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** A file's bytes as base64. */
export function read(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error(`${file.name} cannot be read: ${reader.error?.message ?? "it is no file"}`));
    reader.readAsDataURL(file);
  });
}

/** What a browser can show, by the first bytes: a file's name may say anything. No SVG, which may hold scripts. */
export function mediaOf(bytes) {
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF8")) return "image/gif";
  if (head.startsWith("RIFF") && head.slice(8) === "WEBP") return "image/webp";
  if (head.startsWith("RIFF") && head.slice(8) === "WAVE") return "audio/wav";
  return { "ID3": "audio/mpeg", Ogg: "audio/ogg", fLa: "audio/flac" }[head.slice(0, 3)] ?? "";
}

/** A picture or a player of `bytes`, or nothing. */
export function previewOf(bytes, media, name) {
  const tag = SHOWN[media];
  if (!tag) return null;
  const url = URL.createObjectURL(new Blob([bytes], { type: media }));
  if (tag === "audio") return make("audio", { controls: "", src: url, "aria-label": name });
  const picture = make("img", { src: url, alt: name });
  picture.addEventListener("error", () => picture.replaceWith(make("p", { class: "hint" }, `${name} is no picture that a browser can show.`)));
  return picture;
}

/** A link that saves `bytes` as a file called `name`. */
export function saveLink(bytes, name, text) {
  const url = URL.createObjectURL(new Blob([bytes]));
  return make("a", { href: url, download: name }, text);
}
