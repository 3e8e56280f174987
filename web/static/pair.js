"use strict";
// Two calls are chosen to be laid side by side, and the differences are gone through.
(() => {
  const KEY = "miharu-chosen:" + location.pathname.replace(/[^/]*$/, "");
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);
  const chosen = () => { try { return JSON.parse(sessionStorage.getItem(KEY)) || []; } catch { return []; } };
  function choose(ids) {
    try { sessionStorage.setItem(KEY, JSON.stringify(ids)); } catch {}
    show(ids);
  }

  // ---- the tray: ticks outlive the page of the list, and its ticks of the clock ---------------------------------
  function address(ids) {
    const [a, b] = [...ids].sort(); // ids begin with the time: the older call is A
    const query = new URLSearchParams(b ? { a, b } : { a });
    const range = new URLSearchParams(location.search).get("range");
    if (range) query.set("range", range);
    return "pair?" + query;
  }
  function show(ids = chosen()) {
    for (const box of all("[data-tick]")) box.checked = ids.includes(box.dataset.tick);
    const tray = one("[data-tray]");
    if (!tray) return;
    tray.hidden = !ids.length;
    const texts = [["[data-tray-count]", ids.length === 2 ? "2 calls" : "1 call"], ["[data-tray-text]", ids.length === 2 ? "chosen." : "chosen. Choose a second to lay them side by side."]];
    for (const [selector, text] of texts) {
      const place = tray.querySelector(selector);
      if (place.textContent !== text) place.textContent = text;
    }
    const link = tray.querySelector("[data-tray-pair]");
    link.hidden = ids.length < 2;
    if (ids.length) link.href = address(ids);
  }
  const add = (id) => choose([...chosen().filter((other) => other !== id), id].slice(-2));

  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[data-tick]")) return;
    if (target.checked) add(target.dataset.tick);
    else choose(chosen().filter((id) => id !== target.dataset.tick));
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-tray-clear]")) choose([]);
  });

  // ---- b: the open call, or the row that was stepped to, beside the one that is chosen --------------------------
  document.addEventListener("miharu:beside", ({ detail: row }) => {
    const open = one("[data-beside]");
    const id = open?.dataset.beside || (row?.isConnected && row.id.startsWith("c-") && row.id.slice(2));
    if (!id) return;
    const others = chosen().filter((other) => other !== id);
    if (others.length) {
      const ids = [others.at(-1), id];
      choose([]);
      location.href = address(ids);
    } else if (open) open.click();
    else if (chosen().includes(id)) choose([]);
    else add(id);
  });

  // ---- the differences ------------------------------------------------------------------------------------------
  let at = -1;
  const places = [...all("[data-difference]")];
  function go(step) {
    at = at < 0 ? (step > 0 ? 0 : places.length - 1) : (at + step + places.length) % places.length;
    places[at].focus({ preventScroll: true });
    places[at].scrollIntoView({ block: "nearest" });
    tell();
  }
  function tell() {
    const number = one("[data-at-difference]");
    if (number && at >= 0) {
      number.textContent = at + 1;
      one("[data-of-differences]").textContent = `of ${places.length} ${places.length === 1 ? "difference" : "differences"}`;
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step-difference]");
    const next = event.target.closest(".nx");
    if (!places.length || !(button || next)) return;
    event.preventDefault();
    if (next) at = places.findIndex((place) => place.contains(next));
    go(next ? 1 : +button.dataset.stepDifference);
  });

  document.addEventListener("htmx:after:swap", () => show());
  show();
})();
