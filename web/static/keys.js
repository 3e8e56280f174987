"use strict";
// The keys. Each does what a link or a button on the page does.
(() => {
  const COVERING = CSS.supports("selector(:popover-open)") ? "dialog[open],:popover-open" : "dialog[open]";
  const OFF = "miharu-keys-off";
  let going = 0, off = false, at = null;
  try { off = localStorage.getItem(OFF) === "1"; } catch {}

  const one = (selector) => document.querySelector(selector);
  const press = (selector) => one(selector)?.click();
  const page = (key) => one(`.side a[data-key="${CSS.escape(key)}"]`);
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
    const now = list.findIndex((row) => row.dataset.at || row.hasAttribute("aria-current"));
    const next = list[now < 0 ? (step > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, now + step))];
    delete at?.dataset.at;
    at = next;
    at.dataset.at = "1";
    const link = at.querySelector("a[data-row]");
    if (one(".drawer")) link.click();
    else link.focus({ preventScroll: true });
    at.scrollIntoView({ block: "nearest" });
  }

  // In a tree: the errors one after the other, and folding. What is on another page is behind the link.
  function error(step) {
    const list = [...document.querySelectorAll(".run tr.fail")];
    const all = rows(), now = all.findIndex((row) => row.hasAttribute("aria-current"));
    const next = step > 0 ? list.find((row) => all.indexOf(row) > now) : list.findLast((row) => all.indexOf(row) < now);
    if (!next || now < 0) return press(`[data-error=${step > 0 ? "after" : "before"}]`);
    next.querySelector("a[data-row]").click();
    next.scrollIntoView({ block: "center" });
  }
  function fold(open) {
    const row = at?.isConnected ? at : one(".run tr[aria-current]");
    const link = row?.querySelector(".tw-f[aria-expanded]");
    if (link && (link.getAttribute("aria-expanded") === "true") !== open) link.click();
  }

  function escape() {
    const open = one("[data-pick][open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    else if (one("[data-close]")) press("[data-close]");
    else press(one(".run [data-zoom-out]") ? ".run [data-zoom-out]" : "[data-zoom-out]");
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
    e: () => error(1),
    E: () => error(-1),
    c: () => press(`.side a[data-page="compare"]`),
    b: () => document.dispatchEvent(new CustomEvent("miharu:beside", { detail: at })),
    n: () => press("[data-step-difference='1']"),
    d: () => press("[data-theme-toggle]"),
    " ": () => document.dispatchEvent(new CustomEvent("miharu:pause")),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = event.target.closest?.("input,select,textarea,[contenteditable]");
    if (event.key === "Escape") {
      if (one(COVERING)) return; // the browser closes it
      if (typing) return void typing.blur();
      return escape();
    }
    if (typing || off || one("dialog[open]")) return;
    // Space and Enter press what has the focus.
    if (event.key === " " && event.target.closest?.("a,button,summary,.plot,[tabindex='0']")) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      if (page(event.key)) { event.preventDefault(); return page(event.key).click(); }
    }
    if (event.key === "g") { going = Date.now(); return; }
    const sideways = { ArrowLeft: false, ArrowRight: true }[event.key];
    if (sideways !== undefined && one(".run") && !event.target.closest?.(".plot,[role=group],pre")) {
      event.preventDefault();
      return event.shiftKey ? press(sideways ? "[data-unfold-all]" : "[data-fold-all]") : fold(sideways);
    }
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
