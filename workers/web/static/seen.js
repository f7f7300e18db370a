// Streams are open only while somebody sees the page: a browser has six connections to a host over HTTP/1.1, and as long as
// a stream is open, the server reads what it tells.

// Calls `end` when the page is hidden or left, and `begin` when it is seen again: not at first.
export function whileSeen(begin, end) {
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  addEventListener("pagehide", end);
  addEventListener("pageshow", (event) => event.persisted && begin()); // of the first showing who calls knows
}
