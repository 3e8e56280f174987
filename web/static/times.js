"use strict";
// The server writes UTC; the reader sees their own zone, and what they type into a form is of their zone.
// Days and months begin there too: the server learns of the zone by a cookie, and the page is asked for again.
// Where no cookie is kept, everything stays UTC, so that labels and bars mean the same.
const miharuZone = (() => {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const used = document.documentElement.dataset.tz || "UTC";
  if (own === used) return own;
  const value = encodeURIComponent(`${own},${-new Date().getTimezoneOffset()}`);
  try {
    document.cookie = `miharu-zone=${value};max-age=31536000;samesite=lax`;
    if (document.cookie.includes(`miharu-zone=${value}`) && sessionStorage.getItem("miharu-zone") !== own) {
      sessionStorage.setItem("miharu-zone", own);
      location.reload();
    }
  } catch { /* neither cookies nor storage */ }
  return used;
})();
const miharuIsOwn = miharuZone === (Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");

const miharuTime = (() => {
  const format = (options) => {
    try {
      return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: miharuZone });
    } catch {
      return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
    }
  };
  const exact = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
  const clock = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const hour = format({ hour: "2-digit", minute: "2-digit" });
  const day = format({ day: "numeric", month: "short" });
  const date = format({ day: "numeric", month: "short", year: "numeric" });
  const unlessToday = (at) => (date.format(at) === date.format(new Date()) ? "" : day.format(at) + " ");
  const narrow = matchMedia("(max-width:460px)");
  return (ms, form) => {
    const at = new Date(ms);
    if (form === "row" && narrow.matches) return unlessToday(at) + clock.format(at);
    if (form === "hour") return hour.format(at);
    if (form === "clock") return clock.format(at);
    if (form === "day") return day.format(at);
    if (form === "step") return `${day.format(at)} ${hour.format(at)}`;
    if (form === "full") return `${date.format(at)}, ${exact.format(at)}`;
    return unlessToday(at) + (form === "brief" ? hour : exact).format(at);
  };
})();

const miharuLocalTimes = () => {
  const all = (selector) => document.querySelectorAll(selector);
  for (const time of all("time[data-form]")) {
    const text = miharuTime(Date.parse(time.dateTime), time.dataset.form);
    if (time.textContent !== text) time.textContent = text;
    if (time.title) time.title = miharuTime(Date.parse(time.dateTime), "full");
  }
  for (const text of all("text[data-ms]")) text.textContent = miharuTime(+text.dataset.ms, text.dataset.form);
  if (miharuIsOwn) for (const note of all("[data-zone]")) note.textContent = miharuZone;
  for (const input of all("[data-instants] input[type=datetime-local]")) {
    if (input.dataset.local) continue;
    const at = new Date(input.value + "Z");
    if (miharuIsOwn) input.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
    input.dataset.local = "1";
  }
};

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-instants]")) return;
  for (const input of event.target.querySelectorAll("input[type=datetime-local]")) {
    const at = new Date(input.value + (miharuIsOwn ? "" : "Z"));
    if (isNaN(at)) continue;
    input.type = "hidden"; // which takes any text
    input.value = at.toISOString().slice(0, 16) + "Z";
  }
});
