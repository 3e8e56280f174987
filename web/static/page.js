"use strict";
// Times, theme, copying, saved views, and where the focus goes when the drawer opens and closes.
(() => {
  const root = document.documentElement;
  const all = (selector) => document.querySelectorAll(selector);
  const kept = {
    get: (name) => { try { return localStorage.getItem(name); } catch { return null; } },
    set: (name, value) => { try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value); } catch {} },
  };

  // ---- theme: system, light, dark ---------------------------------------------------------------------------
  function showTheme() {
    const theme = root.dataset.theme || "system";
    for (const button of all("[data-theme-toggle]")) {
      button.hidden = false;
      button.title = `Theme: ${theme} (d)`;
      button.setAttribute("aria-label", "Theme: " + theme);
    }
  }
  function nextTheme() {
    const next = { system: "light", light: "dark", dark: "system" }[root.dataset.theme || "system"];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    kept.set("miharu-theme", next === "system" ? null : next);
    showTheme();
  }

  // ---- saved views: a name and an address, kept by this browser -------------------------------------------------
  const KEPT = "miharu-views:" + location.pathname.replace(/[^/]*$/, "");
  const views = () => { try { return JSON.parse(kept.get(KEPT)) || []; } catch { return []; } };
  function showViews() {
    const box = document.querySelector("[data-saved]");
    if (!box || !document.querySelector(".filters")) return;
    const list = box.querySelector("[data-saved-list]");
    list.replaceChildren(...views().map(({ name, at }, i) => {
      const line = document.createElement("div"), link = document.createElement("a");
      line.className = "line";
      link.className = "nav";
      link.href = at;
      link.append(Object.assign(document.createElement("span"), { textContent: name }));
      const gone = lineButton("x", "Forget the view " + name);
      gone.dataset.forget = i;
      line.append(link);
      if (navigator.clipboard) {
        const share = lineButton("copy", "Copy the link to " + name);
        share.dataset.share = at;
        line.append(share);
      }
      line.append(gone);
      return line;
    }));
    box.hidden = false;
  }
  function lineButton(sign, label) {
    const button = document.createElement("button");
    button.className = "nav";
    button.type = "button";
    // A picture of ours: not each font has such signs.
    button.append(document.querySelector(`[data-sign=${sign}]`).content.cloneNode(true));
    button.title = label;
    button.setAttribute("aria-label", label);
    return button;
  }
  function here() {
    const page = location.pathname.split("/").pop();
    const query = new URLSearchParams(location.search);
    for (const name of ["sel", "before", "page", "tab"]) query.delete(name);
    return (page || "./") + (query.size ? "?" + query : "");
  }
  // The form stands in place of the button until it is sent or given up.
  function naming(open) {
    const form = document.querySelector("[data-naming]"), button = document.querySelector("[data-save]");
    form.hidden = !open;
    button.hidden = open;
    button.setAttribute("aria-expanded", String(open));
    if (!open) return button.focus();
    const words = [...all(".chip .val")].map((chip) => chip.textContent.trim());
    form.elements.name.value = [document.querySelector("h1").textContent, ...words].join(", ").slice(0, 60);
    form.elements.name.select();
  }
  function tell(text) {
    document.querySelector("[data-saved-said]").textContent = text;
  }
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-naming]")) return;
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    if (!name) return;
    kept.set(KEPT, JSON.stringify([...views(), { name, at: here() }].slice(-20)));
    showViews();
    naming(false);
    tell("Saved as " + name);
  });
  document.addEventListener("reset", (event) => event.target.matches("[data-naming]") && naming(false));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !event.target.closest?.("[data-naming]")) return;
    event.preventDefault();
    naming(false);
  });
  async function share(button) {
    await navigator.clipboard.writeText(new URL(button.dataset.share, location.href).href);
    const mark = button.textContent;
    button.textContent = "✓";
    tell("The link is copied");
    setTimeout(() => { button.textContent = mark; }, 1500);
  }

  // ---- copying ------------------------------------------------------------------------------------------------------
  async function copy(button) {
    const text = document.getElementById(button.dataset.copy).textContent;
    await navigator.clipboard.writeText(text);
    const label = button.querySelector("span"), said = label.textContent;
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = said; }, 1500);
  }

  // ---- after every swap -------------------------------------------------------------------------------------------
  let opened = false;
  function settle() {
    miharuLocalTimes();
    showTheme();
    const selected = new URLSearchParams(location.search).get("sel");
    for (const line of all("tr[id^='c-']")) {
      if (line.id === "c-" + selected) line.setAttribute("aria-current", "true");
      else line.removeAttribute("aria-current");
    }
    const drawer = document.querySelector(".drawer");
    const here = document.querySelector(".run tr[aria-current]")?.getBoundingClientRect();
    if (here && (here.top < 120 || here.bottom > innerHeight)) scrollBy({ top: here.top - innerHeight / 2 });
    if (drawer && !opened) drawer.focus({ preventScroll: true });
    if (!drawer && opened) document.querySelector(`[id="c-${CSS.escape(opened)}"] a`)?.focus({ preventScroll: true });
    // not by the address, which may have changed already: the page of the next key may be on its way
    opened = drawer ? drawer.dataset.of || selected : false;
    for (const button of all("[data-copy]")) button.hidden = !navigator.clipboard;
  }
  document.addEventListener("htmx:after:swap", settle);
  // A tree is older than what was opened or closed beside it since: folding changes nothing of that.
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    if (!ctx?.sourceElement?.matches?.(".run .tw-f,[data-unfold-all]")) return;
    const to = new URL(ctx.request.action, document.baseURI), selected = new URLSearchParams(location.search).get("sel");
    if (selected) to.searchParams.set("sel", selected);
    else to.searchParams.delete("sel");
    ctx.request.action = to.pathname + to.search;
  });

  // ---- a line at the top while something that was asked for by hand is on its way ----------------------------------
  const byHand = (event) => !event.detail.ctx?.sourceElement?.matches?.("[data-live]");
  document.addEventListener("htmx:before:request", (event) => byHand(event) && root.classList.add("is-busy"));
  for (const kind of ["htmx:after:request", "htmx:error"]) {
    document.addEventListener(kind, (event) => byHand(event) && root.classList.remove("is-busy"));
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.closest("[data-theme-toggle]")) return nextTheme();
    if (target.closest("[data-save]")) return naming(true);
    const shared = target.closest("[data-share]");
    if (shared) return void share(shared);
    const forget = target.closest("[data-forget]");
    if (forget) {
      kept.set(KEPT, JSON.stringify(views().filter((_, i) => i !== +forget.dataset.forget)));
      return showViews();
    }
    const button = target.closest("[data-copy]");
    if (button) return void copy(button);
    if (target.closest(".scrim")) {
      event.preventDefault();
      return document.querySelector("[data-close]")?.click();
    }
    for (const open of all("[data-pick][open]")) if (!open.contains(target)) open.open = false;
    // All of a row is its link, but text in it can be selected.
    if (target.closest("a,button,summary,input,select,label,[popover]") || String(getSelection())) return;
    target.closest("tr")?.querySelector("a[data-row]")?.click();
  });

  // What a form offers is asked for when it is opened.
  document.addEventListener("toggle", ({ target }) => {
    if (target.open) target.querySelector?.("[data-offer]")?.dispatchEvent(new CustomEvent("miharu:offer"));
  }, true);

  settle();
  showViews();
  // htmx begins in a timer of its own, before this one: what was typed before it began has asked nothing yet.
  setTimeout(() => {
    const find = document.querySelector("[data-find]");
    if (find && find.value && find === document.activeElement) find.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
