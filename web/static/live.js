"use strict";
// One tick a second while somebody is looking, for the parts that can be seen.
(() => {
  const SECOND = 1000, SLOW = 10, IDLE = 5 * 60 * SECOND, IDLE_EVERY = 10, WORST = 30;
  let paused = false, failures = 0, wait = 0, ticks = 0, active = Date.now();
  const seen = new Set(), watched = new WeakSet();

  const watcher = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      if (!isIntersecting) seen.delete(target);
      else if (!seen.has(target)) {
        seen.add(target);
        if (target.dataset.stale) ask(target);
      }
    }
  }, { rootMargin: "120px" });

  function watch() {
    for (const part of document.querySelectorAll("[data-live]")) {
      if (watched.has(part)) continue;
      watched.add(part);
      watcher.observe(part);
    }
    for (const part of seen) if (!part.isConnected) seen.delete(part);
  }

  function ask(part) {
    delete part.dataset.stale;
    part.dispatchEvent(new CustomEvent("miharu:tick"));
  }

  function tick() {
    const slow = ticks++ % SLOW === 0;
    for (const part of document.querySelectorAll("[data-live]")) {
      if (part.dataset.live === "slow-tick" && !slow) continue;
      if (seen.has(part)) ask(part);
      else part.dataset.stale = "1"; // asked for as soon as it comes into view
    }
  }

  function show() {
    const state = paused ? "Paused" : failures ? "Reconnecting…" : "Live";
    for (const button of document.querySelectorAll("[data-live-button]")) {
      button.hidden = false;
      button.dataset.state = paused ? "paused" : failures ? "lost" : "live";
      button.setAttribute("aria-pressed", String(paused));
      button.title = paused ? "Go on (space)" : "Pause (space)";
      const text = button.querySelector("[data-live-text]");
      if (text.textContent !== state) text.textContent = state;
    }
  }

  setInterval(() => {
    if (document.hidden || paused || --wait > 0) return;
    wait = failures ? Math.min(2 ** failures, WORST) : Date.now() - active > IDLE ? IDLE_EVERY : 1;
    if (wait > 1) ticks = 0; // a rare tick brings the charts too
    tick();
  }, SECOND);

  // Calls that run are counted here, between what the server says of them.
  setInterval(() => {
    if (document.hidden || paused) return;
    for (const text of document.querySelectorAll("[data-elapsed]")) {
      // Another part of the page may have come anew; this one counts on from what it was last told.
      if (text.told !== text.dataset.elapsed) {
        text.told = text.dataset.elapsed;
        text.from = performance.now() - text.told;
      }
      text.textContent = ((performance.now() - text.from) / SECOND).toFixed(1) + " s";
    }
  }, 100);

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
    show();
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.response) return;
    failures += 1;
    show();
  });
  document.addEventListener("miharu:pause", () => {
    paused = !paused;
    wait = ticks = 0;
    show();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-live-button]")) document.dispatchEvent(new CustomEvent("miharu:pause"));
  });

  // Rows that were not there before light up once.
  let newest = "";
  function fresh() {
    const rows = [...document.querySelectorAll("[data-live] tr[id^='c-']")];
    const before = newest;
    for (const row of rows) {
      if (before && row.id > before) row.classList.add("fresh");
      if (row.id > newest) newest = row.id;
    }
  }

  function settle() {
    watch();
    show();
    fresh();
  }
  document.addEventListener("htmx:after:swap", settle);
  settle();
})();
