// The document. What comes from /state is only ever set as text: anybody can ask for a target
// model of any name, and errors hold what models say.

export const LONG = 220; // characters, more of which are folded away
const SVG = "http://www.w3.org/2000/svg";

export const $ = (selector) => document.querySelector(selector);

/** An element with attributes and children; text children are text, whatever they hold. */
export function make(name, attributes = {}, ...children) {
  const element = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Set a text, but leave an equal one alone: a selection, and what a screen reader says, stay. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function set(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** A figure for people, with the number itself as its value. */
export function figure(element, value, text) {
  set(element, "value", value ?? "");
  put(element, text);
}

/** Make the children of `parent` be `wanted`, in order, and move only those that have to. */
export function order(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}

/** A target model's name, kept apart from the direction of what is around it. */
export const named = (target) => make("bdi", target.length > LONG ? { class: "long" } : {}, target);
