"use strict";
// The ticker, the reader's time zone, the theme, and the keys. The page is whole without any of it.

// ---- times: the server writes UTC, the reader sees their own zone -------------------------------------------
const miharuTime = (() => {
  const format = (options) => new Intl.DateTimeFormat("en-GB", options);
  const clock = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
  const hour = format({ hour: "2-digit", minute: "2-digit" });
  const day = format({ day: "numeric", month: "short" });
  const date = format({ day: "numeric", month: "short", year: "numeric" });
  return (ms, form) => {
    const at = new Date(ms);
    if (form === "hour") return hour.format(at);
    if (form === "day") return day.format(at);
    if (form === "step") return `${day.format(at)} ${hour.format(at)}`;
    if (form === "full") return `${date.format(at)}, ${clock.format(at)}`;
    return (date.format(at) === date.format(new Date()) ? "" : day.format(at) + " ") + clock.format(at);
  };
})();

(() => {
  const root = document.documentElement;
  const all = (selector) => document.querySelectorAll(selector);

  function localTimes() {
    for (const time of all("time[data-form]")) {
      const text = miharuTime(Date.parse(time.dateTime), time.dataset.form);
      if (time.textContent !== text) time.textContent = text;
      if (time.title) time.title = miharuTime(Date.parse(time.dateTime), "full");
    }
    for (const text of all("text[data-ms]")) text.textContent = miharuTime(+text.dataset.ms, text.dataset.form);
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const note of all("[data-zone]")) note.textContent = zone;
  }

  // ---- live: one tick a second while somebody is looking ------------------------------------------------------
  const SECOND = 1000, SLOW = 10, IDLE = 5 * 60 * SECOND, IDLE_EVERY = 10, WORST = 30;
  let paused = false, failures = 0, wait = 0, ticks = 0, active = Date.now();

  function showLive() {
    const state = paused ? "Paused" : failures ? "Reconnecting…" : "Live";
    for (const button of all("[data-live]")) {
      button.hidden = false;
      button.dataset.state = paused ? "paused" : failures ? "lost" : "live";
      button.setAttribute("aria-pressed", String(paused));
      button.title = paused ? "Go on" : "Pause";
      const text = button.querySelector("[data-live-text]");
      if (text.textContent !== state) text.textContent = state;
    }
  }

  function tick() {
    document.body.dispatchEvent(new CustomEvent("miharu:tick"));
    if (ticks++ % SLOW === 0) document.body.dispatchEvent(new CustomEvent("miharu:slow-tick"));
  }

  setInterval(() => {
    if (document.hidden || paused || --wait > 0) return;
    wait = failures ? Math.min(2 ** failures, WORST) : Date.now() - active > IDLE ? IDLE_EVERY : 1;
    if (wait > 1) ticks = 0; // a rare tick brings the charts too
    tick();
  }, SECOND);

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || paused) return;
    ticks = wait = 0;
    tick();
  });
  for (const kind of ["pointermove", "keydown", "scroll", "pointerdown"]) {
    document.addEventListener(kind, () => { active = Date.now(); if (!failures) wait = Math.min(wait, 1); }, { passive: true });
  }
  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail.ctx?.response?.status;
    failures = status && status < 500 && status !== 401 && status !== 403 ? 0 : failures + 1;
    showLive();
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.response) return;
    failures += 1;
    showLive();
  });

  // ---- after every swap -----------------------------------------------------------------------------------------
  let opened = false;
  function settle() {
    localTimes();
    showLive();
    showTheme();
    const selected = new URLSearchParams(location.search).get("sel");
    for (const line of all("tr[id^='c-']")) {
      if (line.id === "c-" + selected) line.setAttribute("aria-current", "true");
      else line.removeAttribute("aria-current");
    }
    const drawer = document.querySelector(".drawer");
    if (drawer && !opened) drawer.focus({ preventScroll: true });
    if (!drawer && opened) document.querySelector(`[id="c-${CSS.escape(opened)}"] a`)?.focus({ preventScroll: true });
    opened = drawer ? selected : false;
    for (const button of all("[data-copy]")) button.hidden = !navigator.clipboard;
  }
  document.addEventListener("htmx:after:swap", settle);

  // ---- theme: system, light, dark -------------------------------------------------------------------------------
  function showTheme() {
    const theme = root.dataset.theme || "system";
    for (const button of all("[data-theme-toggle]")) {
      button.hidden = false;
      button.title = "Theme: " + theme;
      button.setAttribute("aria-label", button.title);
    }
  }
  function nextTheme() {
    const next = { system: "light", light: "dark", dark: "system" }[root.dataset.theme || "system"];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem("miharu-theme");
      else localStorage.setItem("miharu-theme", next);
    } catch {}
    showTheme();
  }

  // ---- clicks and keys --------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.closest("[data-theme-toggle]")) return nextTheme();
    if (target.closest("[data-live]")) {
      paused = !paused;
      wait = ticks = 0;
      return showLive();
    }
    if (target.closest("[data-copy]")) {
      const text = document.querySelector("[data-copied]").textContent;
      return void navigator.clipboard.writeText(text).then(() => { target.closest("[data-copy]").textContent = "Copied"; });
    }
    const scrim = target.closest(".scrim");
    if (scrim) {
      event.preventDefault();
      return document.querySelector("[data-close]")?.click();
    }
    for (const open of all("[data-pick][open]")) if (!open.contains(target)) open.open = false;
    // All of a row is its link, but text in it can be selected.
    if (target.closest("a,button,summary,input,select") || String(getSelection())) return;
    target.closest("tr")?.querySelector("a[data-row]")?.click();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input,select,textarea")) return;
    const press = (selector) => document.querySelector(selector)?.click();
    if (event.key === "Escape") {
      const open = document.querySelector("[data-pick][open]");
      if (open) open.open = false;
      else press("[data-close]");
    }
    if (event.key === "[") press("[data-step=chevron-up]");
    if (event.key === "]") press("[data-step=chevron-down]");
  });

  settle();
})();
