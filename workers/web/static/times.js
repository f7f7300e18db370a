// Times in the reader's own zone. `localize(element)` is for what is added to the page later.

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const clock = new Intl.DateTimeFormat(undefined, CLOCK);

export function localize(element) {
  for (const time of element.querySelectorAll("time[datetime]")) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    const text = time.dataset.form === "clock" ? precise(when) : `${day.format(when)}, ${clock.format(when)}`;
    if (time.textContent !== text) time.textContent = text;
    time.title = time.dateTime;
  }
}

function precise(when) {
  return `${clock.format(when)}.${String(when.getMilliseconds()).padStart(3, "0")}`;
}

localize(document);
