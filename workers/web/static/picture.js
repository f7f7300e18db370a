// The picture of a machine that can be moved and zoomed, and whose states change while the execution runs.

const SMALLEST = 0.08;
const LARGEST = 4;
const READABLE = 0.9; // at which a picture that is too large to be shown as a whole begins
const STEP = 1.25;

export class Picture {
  constructor(card) {
    this.view = card.querySelector("[data-view]");
    this.taken = null;
    this.scale = 0;
    if (!this.view) return;
    this.view.classList.add("live");
    this.adopt();
    this.listen(card);
    new ResizeObserver(() => this.show()).observe(this.view);
  }

  // Takes the SVG that now stands in the view; where one looks stays the same.
  adopt() {
    this.svg = this.view.querySelector("svg.machine");
    this.size = { width: this.svg.width.baseVal.value, height: this.svg.height.baseVal.value };
    this.svg.removeAttribute("width");
    this.svg.removeAttribute("height");
    this.states = new Map([...this.svg.querySelectorAll(".state")].map((state) => [state.dataset.state, state]));
    this.ways = [...this.svg.querySelectorAll(".way")];
    if (!this.scale) this.fit(READABLE);
    else this.show();
  }

  fit(least = SMALLEST) {
    const { width, height } = this.room();
    const whole = Math.min(width / this.size.width, (height - 20) / this.size.height, 1.25);
    this.scale = Math.max(whole, Math.min(least, 1));
    const [across, down] = [width / this.scale, height / this.scale];
    this.x = (this.size.width - across) / 2;
    this.y = whole < this.scale ? -8 : (this.size.height - down) / 2;
    const start = this.svg.querySelector(".dot");
    if (whole < this.scale && start && this.size.width > across) {
      const box = start.getBBox();
      const matrix = start.getCTM().multiply(this.svg.getCTM().inverse());
      this.x = matrix.a * box.x + matrix.e - across / 2;
    }
    this.show();
  }

  room() {
    return { width: this.view.clientWidth || 1, height: this.view.clientHeight || 1 };
  }

  show() {
    const { width, height } = this.room();
    this.svg.setAttribute("viewBox", `${this.x} ${this.y} ${width / this.scale} ${height / this.scale}`);
  }

  // Zooms; what is under the point (in pixels of the view) stays there.
  zoom(factor, px = this.room().width / 2, py = this.room().height / 2) {
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.scale * factor));
    this.x += px / this.scale - px / scale;
    this.y += py / this.scale - py / scale;
    this.scale = scale;
    this.show();
  }

  move(dx, dy) {
    this.x += dx / this.scale;
    this.y += dy / this.scale;
    this.show();
  }

  // Brings a state into the middle, unless it is in sight already.
  reveal(name, { always = false } = {}) {
    const state = this.states.get(name);
    if (!state) return false;
    const box = state.querySelector(".box").getBoundingClientRect();
    const frame = this.view.getBoundingClientRect();
    const seen = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
    if (seen && !always) return true;
    if (always && this.scale < READABLE) this.zoom(1 / this.scale);
    const place = state.querySelector(".box").getBoundingClientRect();
    const [dx, dy] = [place.left + place.width / 2 - frame.left, place.top + Math.min(place.height / 2, 60) - frame.top];
    this.move(dx - frame.width / 2, dy - frame.height / 2);
    return true;
  }

  listen(card) {
    card.addEventListener("click", (event) => {
      const kind = event.target.closest?.("[data-zoom]")?.dataset.zoom;
      if (kind === "in") this.zoom(STEP);
      if (kind === "out") this.zoom(1 / STEP);
      if (kind === "fit") this.fit();
    });
    const find = card.querySelector("[data-find]");
    find.addEventListener("input", () => this.states.has(find.value) && this.reveal(find.value, { always: true }));
    find.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const wanted = find.value.toLowerCase();
      const name = [...this.states.keys()].find((one) => one.toLowerCase().includes(wanted));
      if (name && this.reveal(name, { always: true })) this.states.get(name).querySelector("a").focus({ preventScroll: true });
    });
    this.view.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.view.addEventListener("keydown", (event) => this.key(event));
    this.view.addEventListener("focusin", (event) => {
      const name = event.target.closest?.(".state")?.dataset.state;
      this.view.scrollTo(0, 0);
      if (name && event.target.matches(":focus-visible")) this.reveal(name);
    });
    this.drag();
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && !this.used) return; // the page scrolls until one works here
    event.preventDefault();
    const frame = this.view.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - frame.left, event.clientY - frame.top);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
    if (event.key in moves) this.move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(STEP);
    else if (event.key === "-") this.zoom(1 / STEP);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }

  // One pointer moves the picture, two zoom it.
  drag() {
    const pointers = new Map();
    let moved = 0;
    this.view.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      pointers.set(event.pointerId, event);
      moved = 0;
      this.used = true;
    });
    this.view.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
      moved += Math.abs(dx) + Math.abs(dy);
      if (moved > 4 && !this.view.hasPointerCapture(event.pointerId)) this.view.setPointerCapture(event.pointerId);
      if (pointers.size === 1 && moved > 4) this.move(-dx, -dy);
      if (pointers.size === 2) this.pinch(pointers, event);
      pointers.set(event.pointerId, event);
    });
    const gone = (event) => pointers.delete(event.pointerId);
    for (const name of ["pointerup", "pointercancel"]) this.view.addEventListener(name, gone);
    // A finger is captured by what it touches, which loses it when the view captures it.
    this.view.addEventListener("lostpointercapture", (event) => event.target === this.view && gone(event));
    this.view.addEventListener("pointerleave", () => { if (!pointers.size) this.used = false; });
    this.view.addEventListener("dragstart", (event) => event.preventDefault());
    this.view.addEventListener("click", (event) => { if (moved > 4) { event.preventDefault(); event.stopPropagation(); moved = 0; } }, true);
  }

  pinch(pointers, event) {
    const other = [...pointers.values()].find((one) => one.pointerId !== event.pointerId);
    const before = pointers.get(event.pointerId);
    const gap = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    const frame = this.view.getBoundingClientRect();
    this.zoom(gap(event) / gap(before), (event.clientX + other.clientX) / 2 - frame.left, (event.clientY + other.clientY) / 2 - frame.top);
  }

  // What is new: of each state its word and note, and all ways that were taken.
  update(states, taken) {
    for (const [name, [word, note]] of Object.entries(states)) {
      const state = this.states.get(name);
      if (!state) continue;
      state.setAttribute("class", `state ${word}`);
      state.dataset.word = word;
      const link = state.firstElementChild;
      link.querySelector(".sign").setAttribute("href", `#i-${word}`);
      link.querySelector(".note").textContent = note;
      link.setAttribute("aria-label", [name, state.dataset.kind, note, word.replaceAll("-", " ")].filter(Boolean).join(", "));
      this.ends(name, word);
    }
    const pairs = new Set(taken.map((pair) => JSON.stringify(pair)));
    for (const way of this.ways) {
      if ("from" in way.dataset) way.toggleAttribute("data-taken", pairs.has(JSON.stringify([way.dataset.from, way.dataset.to])));
    }
  }

  ends(name, word) {
    for (const way of this.ways) {
      if (way.dataset.start === name) way.toggleAttribute("data-taken", word !== "not-taken");
      if (way.dataset.end === name) way.toggleAttribute("data-taken", word === "succeeded" || word === "caught" || way.dataset.type === "Fail");
    }
  }

  choose(name) {
    for (const [other, state] of this.states) {
      if (other === name) state.firstElementChild.setAttribute("aria-current", "true");
      else state.firstElementChild.removeAttribute("aria-current");
    }
  }
}
