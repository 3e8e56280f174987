"use strict";
// In the head and not deferred: the page must not flash in the other theme first.
(() => {
  try {
    const theme = localStorage.getItem("miharu-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {}
})();
