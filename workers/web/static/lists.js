// Lists that follow what happens: on each event (`data-live`), or every so many seconds (`data-every`), the page is read
// again, and parts that differ are put in their place.

import { whileSeen } from "./seen.js";
import { localize } from "./times.js";

const AT_MOST_EVERY = 1000; // milliseconds between two readings
const SOON = 300; // milliseconds after which what was not ready is looked for
const place = document.querySelector("[data-live], [data-every]");
const button = document.getElementById("live");
let events = null;
let waiting = null;
let read = 0;
let paused = false;

function listen() {
  if (events || paused || document.hidden || !place.dataset.live) return;
  events = new EventSource(place.dataset.live);
  events.addEventListener("changed", look);
}

function rest() {
  events?.close();
  events = null;
}

function look() {
  if (waiting) return;
  waiting = setTimeout(() => {
    waiting = null;
    read = Date.now();
    fetchAgain();
  }, Math.max(0, read + AT_MOST_EVERY - Date.now()));
}

// A document that XMLHttpRequest parses runs no scripts, and needs no markup made of text.
function fetchAgain() {
  const request = new XMLHttpRequest();
  request.responseType = "document";
  request.open("GET", location.href);
  request.addEventListener("load", () => {
    if (request.status === 200 && request.response) replace(request.response);
  });
  request.send();
}

function replace(fresh) {
  if (paused) return;
  localize(fresh);
  for (const part of document.querySelectorAll("[data-part]")) {
    const news = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!news || part.isEqualNode(news) || isInUse(part)) continue;
    const kept = focusIn(part);
    const adopted = document.adoptNode(news);
    part.replaceWith(adopted);
    if (kept) restore(adopted, kept);
    adopted.dispatchEvent(new CustomEvent("replaced", { bubbles: true }));
  }
  hurry();
}

// What the server still counts is asked for again.
function hurry() {
  if (document.querySelector("[data-pending]")) setTimeout(look, SOON);
}

// Nobody's selection of text is taken away.
function isInUse(part) {
  const selection = getSelection();
  return selection && !selection.isCollapsed && part.contains(selection.anchorNode);
}

function focusIn(part) {
  const focused = document.activeElement;
  if (!focused || !part.contains(focused)) return null;
  return { id: focused.id, href: focused.getAttribute("href"), label: focused.getAttribute("aria-label") };
}

function restore(part, { id, href, label }) {
  const found = [...part.querySelectorAll("a, button, [tabindex]")].find(
    (one) => (id && one.id === id) || (href && one.getAttribute("href") === href) || (label && one.getAttribute("aria-label") === label),
  );
  found?.focus({ preventScroll: true });
}

if (place) {
  whileSeen(() => {
    if (paused) return;
    look();
    listen();
  }, rest);
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(!paused));
      if (paused) {
        rest();
      } else {
        look();
        listen();
      }
    });
  }
  const seconds = Number(place.dataset.every ?? 0);
  if (seconds) setInterval(() => paused || document.hidden || look(), seconds * 1000);
  listen();
  hurry();
}
