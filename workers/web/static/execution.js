// The page of one execution. Every view has an address; links are followed without leaving the page.

import { load, swap } from "./parts.js";
import { Picture } from "./picture.js";
import { whileSeen } from "./seen.js";

const root = document.querySelector(".execution");
const said = document.getElementById("said");
const picture = new Picture(document.getElementById("picture"));
const TICK = 5000; // milliseconds after which durations are shown anew where nothing else happens
const NUMBER = new Intl.NumberFormat("en");
const REFRESH = 1000; // milliseconds between two looks at tables while the execution runs
let shown = new URL(location.href);
let turns = 0;
const newest = {}; // of each part, the turn in which what is shown was asked for

// Which parts of the page differ between two addresses of it.
function changed(before, after) {
  const differs = (...names) => names.some((name) => String(before.searchParams.getAll(name)) !== String(after.searchParams.getAll(name)));
  const parts = [];
  if (differs("fold")) parts.push("picture");
  if (differs("tab", "start", "visit", "state", "fold", "whole")) parts.push("panel", "tab"); // links in both keep the rest
  return parts;
}

async function refresh(parts, address = shown) {
  const asked = new URL(address);
  for (const part of parts) asked.searchParams.append("part", part);
  const turn = (turns += 1);
  const found = await load(asked);
  if (address.href !== shown.href) return; // somebody has clicked on
  parts = parts.filter((part) => (newest[part] ?? 0) < turn); // a later answer has come first
  for (const part of parts) newest[part] = turn;
  if (parts.includes("picture")) {
    const fresh = found.querySelector("svg.machine");
    if (fresh) picture.svg.replaceWith(document.importNode(fresh, true));
    picture.adopt();
  }
  swap(found, parts.filter((part) => part !== "picture"));
  links();
}

async function go(address, { push = true, keyboard = false } = {}) {
  const parts = changed(shown, address);
  if (push) history.pushState(null, "", address);
  shown = address;
  const state = address.searchParams.get("state");
  try {
    if (parts.length) await refresh(parts, address);
  } catch {
    location.assign(address); // the server says what is wrong
    return;
  }
  picture.choose?.(state);
  if (state && parts.includes("panel")) {
    picture.reveal?.(state);
    const title = document.getElementById("panel-title");
    said.textContent = `Step ${state} is shown`;
    if (keyboard) title.focus();
    else if (matchMedia("(max-width: 900px)").matches) document.getElementById("panel").scrollIntoView({ block: "nearest" });
  }
}

// Links in the picture keep what else is shown: their own address is from when the picture was drawn.
function links() {
  for (const [name, state] of picture.states ?? []) {
    const address = new URL(shown);
    address.searchParams.set("state", name);
    address.searchParams.delete("visit");
    state.firstElementChild.setAttribute("href", address.search);
  }
  for (const link of document.querySelectorAll("[data-fold]")) {
    const address = new URL(shown);
    const folds = new Set(address.searchParams.getAll("fold"));
    if (!folds.delete(link.dataset.fold)) folds.add(link.dataset.fold);
    address.searchParams.delete("fold");
    for (const name of folds) address.searchParams.append("fold", name);
    link.setAttribute("href", address.search || "?");
  }
}

root.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if ("load" in link.dataset) return open(event, link);
  const href = link.getAttribute("href");
  if (!href.startsWith("?")) return;
  event.preventDefault();
  go(new URL(href, location.href), { keyboard: event.detail === 0 });
});

// A claim is loaded in the place of the button that asks for it.
async function open(event, link) {
  event.preventDefault();
  const found = await load(new URL(link.href)).catch(() => null);
  const payload = found?.getElementById("payload") ?? found?.getElementById("main");
  if (payload) link.closest("p").replaceWith(document.importNode(payload, true));
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !document.getElementById("panel").contains(document.activeElement)) return;
  const state = picture.states?.get(shown.searchParams.get("state"));
  state?.firstElementChild.focus();
});

addEventListener("popstate", () => go(new URL(location.href), { push: false }));

let due = 0;
let again = null;

// Tables follow at most once a second, and only the first page of each: others are read as they are. The end comes at once.
function follow(parts, { last = false } = {}) {
  const wait = last ? 0 : Math.max(0, due - Date.now());
  if (last) clearTimeout(again);
  else if (again) return;
  again = setTimeout(async () => {
    again = null;
    due = Date.now() + REFRESH;
    if (document.hidden && !last) return;
    await refresh(parts()).catch(() => null);
  }, wait);
}

function followed() {
  const tab = shown.searchParams.has("start") || ["data", "definition"].includes(shown.searchParams.get("tab")) ? [] : ["tab"];
  const steps = shown.searchParams.has("state") ? (stale ? ["panel"] : []) : ["panel"];
  stale = false;
  return ["head", ...steps, ...tab];
}

let stale = false;
let source = null;
let clock = null;
let over = false;

function listen() {
  if (source || over || document.hidden) return;
  source = new EventSource(root.dataset.live);
  source.addEventListener("standing", (event) => {
    const standing = JSON.parse(event.data);
    picture.update?.(standing.states, standing.taken);
    stale ||= shown.searchParams.get("state") in standing.states;
    root.querySelector("[data-events]").textContent = NUMBER.format(standing.events);
    follow(followed);
    if (standing.ended) said.textContent = `The execution has ended: ${standing.status}`;
  });
  source.addEventListener("end", () => {
    over = true;
    rest();
    follow(followed, { last: true });
  });
  clock = setInterval(() => follow(followed), TICK);
}

function rest() {
  source?.close();
  source = null;
  clearInterval(clock);
}

const chosen = shown.searchParams.get("state");
const telling = chosen ?? [...(picture.states?.entries() ?? [])].findLast(([, state]) => state.matches(".failed, .running, .waiting"))?.[0];
if (telling) picture.reveal(telling);
if (root.dataset.ended !== "yes") {
  whileSeen(listen, rest);
  listen(); // what is new is told at the beginning of each stream
}
