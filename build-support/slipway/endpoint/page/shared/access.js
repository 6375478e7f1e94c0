// The token of an endpoint that is opened for others: from the link's #token=…, kept for this tab, sent as a header.

const KEY = "slipway-token";

let token = "";

function take() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  try {
    if (given) sessionStorage.setItem(KEY, given);
    token = given || sessionStorage.getItem(KEY) || "";
  } catch {
    token = given || token; // a browser that stores nothing
  }
  // out of the address, the history and what is copied from it
  if (given) history.replaceState(null, "", location.pathname + location.search);
}

take();
window.addEventListener("hashchange", take);

/** As fetch, with the token where there is one. */
export function request(path, options = {}) {
  const headers = new Headers(options.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  return fetch(path, { cache: "no-store", ...options, headers });
}

/** Use `given` from now on, as if it had come with the link. */
export function signIn(given) {
  token = given;
  try {
    sessionStorage.setItem(KEY, given);
  } catch {
    // a browser that stores nothing: it holds until the page is left
  }
}
