"use strict";
// Crosshair, tooltip, arrow keys, and zooming into a stretch of time. Listeners are delegated, so there is
// nothing to bind again after a swap.
(() => {
  const cache = new WeakMap();
  let shown = null; // {plot, i}: survives the morph of the chart under it

  const data = (plot) => {
    const script = plot.parentElement.querySelector("script");
    if (!cache.has(script)) cache.set(script, JSON.parse(script.textContent));
    return cache.get(script);
  };

  const make = (tag, css, parent, text) => {
    const element = document.createElement(tag);
    element.className = css;
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  const money = (nano) => {
    const dollars = nano / 1e9;
    const digits = dollars >= 1 || dollars === 0 ? 2 : dollars >= 0.001 ? 4 : 1 - Math.floor(Math.log10(dollars));
    return "$" + dollars.toLocaleString("en-US", { minimumFractionDigits: Math.min(digits, 4), maximumFractionDigits: Math.min(digits, 12) });
  };
  const say = (value, unit) => {
    if (unit === "$") return money(value);
    if (unit === "%") return (value / 100).toFixed(2) + "%";
    if (unit === "ms") return value < 1000 ? value + " ms" : (value / 1000).toFixed(2) + " s";
    return value.toLocaleString("en-US");
  };

  const row = (tip, css, name, text) => {
    const line = make("div", "r", tip);
    make("i", "sw " + css, line);
    line.append(name);
    make("b", "", line, text);
  };

  const span = (chart, i) => {
    const end = chart.t[i + 1] ?? chart.end, step = end - chart.t[i];
    if (typeof chart.began === "number") return `+${say(chart.t[i] - chart.began, "ms")} – +${say(end - chart.began, "ms")}`;
    if (chart.began === null) return miharuTime(chart.t[i], "clock") + " – " + miharuTime(end, "clock");
    const form = step >= 43200000 ? "step" : "hour";
    return miharuTime(chart.t[i], step >= 10800000 ? "step" : form) + " – " + miharuTime(end, "hour");
  };

  function show(plot, wanted) {
    const chart = data(plot), columns = chart.t.length;
    if (!columns) return;
    const i = Math.max(0, Math.min(columns - 1, wanted));
    const cursor = plot.querySelector(".cur") || make("div", "cur", plot);
    const tip = plot.querySelector(".tip") || make("div", "tip", plot);
    tip.setAttribute("role", "status");
    cursor.style.left = (i / columns) * 100 + "%";
    cursor.style.width = 100 / columns + "%";
    tip.replaceChildren();
    const stack = plot.parentElement.dataset.chart === "stack";
    const head = make("div", "t", tip, span(chart, i));
    if (stack) {
      const total = chart.series.reduce((sum, one) => sum + one.v[i], 0);
      make("b", "", head, say(total, chart.unit));
    } else {
      make("b", "", head, chart.calls[i].toLocaleString("en-US") + " " + (chart.counted ?? "succeeded"));
    }
    const series = stack ? [...chart.series].sort((a, b) => b.v[i] - a.v[i]) : chart.series;
    for (const one of series) if (stack ? one.v[i] > 0 : one.v[i] !== null) row(tip, (stack ? "" : "ln ") + one.c, one.n, say(one.v[i], chart.unit));
    if (chart.previous) row(tip, "dash", "previous", say(chart.previous[i], chart.unit));
    const left = (i + 0.5) / columns < 0.55;
    tip.style.left = left ? `calc(${((i + 1) / columns) * 100}% + 10px)` : "";
    tip.style.right = left ? "" : `calc(${(1 - i / columns) * 100}% + 10px)`;
    shown = { plot, i };
  }

  function hide() {
    if (!shown) return;
    shown.plot.querySelectorAll(".cur,.tip").forEach((element) => element.remove());
    shown = null;
  }

  // ---- a stretch of steps, by dragging or with shift; zooming is an address like any other ---------------------
  let stretch = null; // {plot, from, to}: steps, both included

  function mark() {
    const { plot, from, to } = stretch, columns = data(plot).t.length;
    const brush = plot.querySelector(".brush") || make("div", "brush", plot);
    brush.style.left = (Math.min(from, to) / columns) * 100 + "%";
    brush.style.width = ((Math.abs(to - from) + 1) / columns) * 100 + "%";
  }
  function forget() {
    stretch?.plot.querySelector(".brush")?.remove();
    stretch = null;
  }
  function zoom() {
    const { plot, from, to } = stretch, { t: times, end } = data(plot);
    forget();
    const iso = (ms) => new Date(ms).toISOString().replace(/(:00)?\.000Z$/, "Z");
    const address = new URL(location.href), of = plot.dataset.zooms; // "part_" of a run, whose calls stay the same
    address.searchParams.set(of + "start", iso(times[Math.min(from, to)]));
    address.searchParams.set(of + "end", iso(times[Math.max(from, to) + 1] ?? end));
    for (const name of of ? ["sel", "page"] : ["before", "sel", "page"]) address.searchParams.delete(name);
    location.assign(address);
  }

  const column = (plot, event) => {
    const box = plot.getBoundingClientRect(), columns = data(plot).t.length;
    return Math.max(0, Math.min(columns - 1, Math.floor(((event.clientX - box.left) / box.width) * columns)));
  };

  document.addEventListener("pointerdown", (event) => {
    const plot = event.target.closest?.(".plot[data-zooms]");
    if (!plot || event.button !== 0) return;
    const from = column(plot, event);
    stretch = { plot, from, to: from, dragging: true };
    plot.setPointerCapture?.(event.pointerId);
  });
  document.addEventListener("pointermove", (event) => {
    if (stretch?.dragging) {
      stretch.to = column(stretch.plot, event);
      if (stretch.to !== stretch.from) mark();
    }
    const plot = stretch?.dragging ? stretch.plot : event.target.closest?.(".plot");
    if (shown && shown.plot !== plot) hide();
    if (plot) show(plot, column(plot, event));
  });
  document.addEventListener("pointerup", () => {
    if (!stretch?.dragging) return;
    if (stretch.to === stretch.from) forget();
    else zoom();
  });
  document.addEventListener("pointercancel", forget);
  document.addEventListener("focusout", (event) => {
    if (!event.target.closest?.(".plot")) return;
    hide();
    forget();
  });
  document.addEventListener("keydown", (event) => {
    const plot = event.target.closest?.(".plot");
    if (!plot) return;
    const last = data(plot).t.length - 1;
    const at = shown?.plot === plot ? shown.i : last + (event.key === "ArrowLeft" ? 1 : 0);
    if (event.key === "Escape" && (shown || stretch)) {
      forget();
      hide();
      event.preventDefault(); // and nothing else is closed by it
    }
    if (event.key === "Enter" && stretch) { event.preventDefault(); return zoom(); }
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const i = Math.max(0, Math.min(last, to));
    if (event.shiftKey && "zooms" in plot.dataset) {
      stretch ??= { plot, from: Math.max(0, Math.min(last, at)), to: i };
      stretch.to = i;
      mark();
    } else forget();
    show(plot, i);
  });
  document.addEventListener("htmx:after:swap", () => {
    if (stretch && !stretch.plot.isConnected) stretch = null;
    if (!shown) return;
    if (shown.plot.isConnected) show(shown.plot, shown.i);
    else shown = null;
  });
})();
