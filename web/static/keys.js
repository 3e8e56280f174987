"use strict";
// The keys. Each does what a link or a button on the page does.
(() => {
  const PAGES = { o: "overview", l: "live", c: "calls", r: "routes", m: "models", u: "users", t: "tags", s: "sessions", e: "errors", d: "compare" };
  const OFF = "miharu-keys-off";
  let going = 0, off = false, at = null;
  try { off = localStorage.getItem(OFF) === "1"; } catch {}

  const one = (selector) => document.querySelector(selector);
  const press = (selector) => one(selector)?.click();
  const goTo = (name) => press(`.side a[data-page="${name}"]`);
  const help = () => one("#keys").showModal();

  function pick(name) {
    const open = one(`[data-pick="${name}"]`);
    if (!open) return;
    open.open = true;
    const enter = () => (open.querySelector(".pop select,.pop input:not([type=hidden]),.pop a") || open.querySelector("summary")).focus();
    enter();
    if (!open.querySelector("[data-offer]")) return;
    // What it offers is on its way.
    new MutationObserver((_, watcher) => { watcher.disconnect(); enter(); }).observe(open.querySelector("form"), { childList: true });
  }

  const rows = () => [...document.querySelectorAll("main tr")].filter((row) => row.querySelector("a[data-row]") && row.offsetParent);
  function move(step) {
    const list = rows();
    if (!list.length) return;
    const now = list.findIndex((row) => row === at || row.hasAttribute("aria-current"));
    const next = list[now < 0 ? (step > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, now + step))];
    at?.classList.remove("at");
    at = next;
    at.classList.add("at");
    const link = at.querySelector("a[data-row]");
    if (one(".drawer")) link.click();
    else link.focus({ preventScroll: true });
    at.scrollIntoView({ block: "nearest" });
  }

  function escape() {
    const open = one("[data-pick][open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    else if (one("[data-close]")) press("[data-close]");
    else press("[data-zoom-out]");
  }

  const KEYS = {
    "/": () => one("[data-find]")?.focus(),
    "?": help,
    j: () => move(1),
    k: () => move(-1),
    "[": () => press("[data-step=chevron-up]"),
    "]": () => press("[data-step=chevron-down]"),
    f: () => pick("filter"),
    t: () => pick("range"),
    x: () => pick("export"),
    c: () => goTo("compare"),
    d: () => press("[data-theme-toggle]"),
    " ": () => document.dispatchEvent(new CustomEvent("miharu:pause")),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = event.target.closest?.("input,select,textarea,[contenteditable]");
    if (event.key === "Escape") {
      if (one("dialog[open]")) return; // the browser closes it
      if (typing) return void typing.blur();
      return escape();
    }
    if (typing || off || one("dialog[open]")) return;
    // Space and Enter press what has the focus.
    if (event.key === " " && event.target.closest?.("a,button,summary,.plot,[tabindex='0']")) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      if (PAGES[event.key]) { event.preventDefault(); return goTo(PAGES[event.key]); }
    }
    if (event.key === "g") { going = Date.now(); return; }
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) help();
    if (event.target.matches("dialog")) event.target.close(); // its backdrop
  });
  const box = one("[data-keys-on]");
  box.checked = !off;
  box.addEventListener("change", () => {
    off = !box.checked;
    try { off ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF); } catch {}
  });
  for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false;
})();
