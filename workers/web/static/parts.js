// Parts of a page: asked for from the server, and put in the place of those that are shown.
// Markup is never made of text: the browser parses the answer as a document of its own.

import { localize } from "./times.js";

export function load(address) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.onload = () => {
      if (request.responseURL && new URL(request.responseURL).pathname !== address.pathname) location.reload(); // a login
      else if (request.response) resolve(request.response);
      else reject(new Error(`no page at ${address.pathname}`));
    };
    request.onerror = () => reject(new Error("the server does not answer"));
    request.send();
  });
}

// Replaces each of the parts by the one of the same id in `found`; where nothing changed, nothing is touched.
export function swap(found, parts) {
  const swapped = [];
  for (const id of parts) {
    const before = document.getElementById(id);
    const after = found.getElementById(id);
    if (!before || !after) continue;
    const fresh = document.importNode(after, true);
    localize(fresh);
    if (before.isEqualNode(fresh)) continue;
    const kept = positions(before);
    const focused = before.contains(document.activeElement) ? pathTo(before, document.activeElement) : null;
    before.replaceWith(fresh);
    for (const [path, top, left] of kept) at(fresh, path)?.scrollTo({ top, left, behavior: "instant" });
    if (focused) at(fresh, focused)?.focus({ preventScroll: true });
    fresh.dispatchEvent(new CustomEvent("replaced", { bubbles: true }));
    swapped.push(id);
  }
  return swapped;
}

function positions(root) {
  return [root, ...root.querySelectorAll("pre, .scroll, .panel-body, .tabs")]
    .filter((element) => element.scrollTop || element.scrollLeft)
    .map((element) => [pathTo(root, element), element.scrollTop, element.scrollLeft]);
}

function pathTo(root, element) {
  const path = [];
  for (let at = element; at !== root; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}

function at(root, path) {
  return path.reduce((element, index) => element?.children[index], root);
}
