// What the page asks of the endpoint, as JSON.

import { request } from "../shared/access.js";

/** What went wrong: what, where, and what to do. */
export class Problem extends Error {
  constructor(described) {
    super(described.what);
    this.described = described;
  }
}

const GONE = {
  status: 0,
  type: "No answer",
  what: "The endpoint does not answer.",
  where: "",
  fix: "See whether it still runs: slipway endpoint up. What you filled in stays here; ask again then.",
};

async function answered(path, options) {
  let response;
  try {
    response = await request(path, { ...options, headers: { "X-Slipway-Page": "1", ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(GONE);
  }
  let body;
  try {
    body = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(response.ok ? GONE : { ...GONE, status: response.status, what: `HTTP ${response.status} without a reason.` });
  }
  if (response.ok) return body;
  const said = body.error ?? { type: response.headers.get("x-amzn-ErrorType") ?? "", what: body.Message, where: "", fix: "" };
  throw new Problem({ status: response.status, ...said });
}

export const get = (name, values, options = {}) => answered(`/playground/${name}?${new URLSearchParams(values)}`, options);

export const post = (name, value, options = {}) =>
  answered(`/playground/${name}`, {
    method: "POST",
    body: JSON.stringify(value),
    ...options,
    headers: { "Content-Type": "application/json" },
  });
