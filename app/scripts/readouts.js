// Reads out what a page holds in attributes: times in local time, hints, and charts; with a mouse, a
// finger and the keys. Without this script a page shows all but these.
"use strict";
(() => {
  const HINTED = "[title], .hover, .marker, .unknown";
  /** Of these a list has one that Tab reaches; arrows lead to the others. */
  const STOPS = ":is(time, th, dt)[tabindex]";
  const LIVE_PLOT = ".chart-plot[data-step]";
  const PRESSED = "a, button, input, select, summary, label";
  const box = document.createElement("div");
  box.id = "readout";
  box.className = "readout";
  box.setAttribute("role", "tooltip");
  /** What is read out. */
  let shown;
  /** What says that it is. */
  let described;
  /** What a click is made with, which older browsers do not tell of the click itself. */
  let pointer;
  /** What somebody points at in a live chart, whose card then shows the numbers of that instant. */
  let plot;
  /** Where they point, as a share of its width. */
  let share;

  const two = (n) => String(n).padStart(2, "0");

  function local(datetime) {
    const at = new Date(datetime);
    if (Number.isNaN(at.getTime())) return undefined;
    const offset = -at.getTimezoneOffset();
    const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
    const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
    const zone = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60].map(two).join(":");
    return `${date} ${clock} UTC${offset < 0 ? "−" : "+"}${zone}, your time`;
  }

  const textOf = (element) =>
    element.matches("time")
      ? local(element.dateTime)
      : (element.getAttribute("title") ?? element.querySelector("title")?.textContent);

  // A page is drawn again each second, which changes what is read out, moves it, or takes it away.
  const changes = new MutationObserver(() => (shown?.isConnected ? show(shown, described) : hide()));
  const CHANGES = {
    subtree: true,
    childList: true,
    characterData: true,
    attributeFilter: ["title", "datetime", "aria-describedby", "x"],
  };

  /** `focused` is what has the focus meanwhile: a chart, whose columns have none. */
  function show(element, focused = element) {
    const text = element && textOf(element);
    if (!text || element.getClientRects().length === 0) return hide();
    if (shown !== element) hide();
    shown = element;
    described = focused;
    if (box.textContent !== text) box.textContent = text;
    if (described.getAttribute("aria-describedby") !== box.id) described.setAttribute("aria-describedby", box.id);
    if (!box.isConnected) document.documentElement.append(box);
    changes.observe(document.body, CHANGES);
    const at = element.getBoundingClientRect();
    const { width, height } = box.getBoundingClientRect();
    const isLow = at.bottom + height + 12 > innerHeight && at.top > height + 12;
    box.style.left = `${Math.max(4, Math.min(at.left, innerWidth - width - 4))}px`;
    box.style.top = `${isLow ? at.top - height - 6 : Math.max(4, Math.min(at.bottom + 6, innerHeight - height - 4))}px`;
  }

  function hide() {
    if (described?.getAttribute("aria-describedby") === box.id) described.removeAttribute("aria-describedby");
    described = undefined;
    shown = undefined;
    changes.disconnect();
    box.remove();
  }

  const found = ({ target }, selector) => (target instanceof Element ? target.closest(selector) : null);

  // The browser itself shows hints to a mouse, but no local time.
  addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const time = found(event, "time[datetime]");
    if (time !== null) show(time);
    else if (shown !== undefined && shown !== document.activeElement) hide();
  });
  addEventListener("focusin", (event) => {
    const focused = found(event, `time[datetime], ${HINTED}`);
    // Of a row with a hint its name has the focus.
    const isMeant = focused === event.target || found(event, "th, dt") === event.target;
    if (focused !== null && isMeant && event.target.matches(":focus-visible")) show(focused);
  });
  addEventListener("focusout", (event) => {
    hide();
    if (found(event, LIVE_PLOT) !== null) pointAt(null);
  });
  // What has the focus often scrolls into view, and its readout goes along.
  const scrolled = () => (described?.contains(document.activeElement) ? show(shown, described) : hide());
  addEventListener("scroll", scrolled, { capture: true, passive: true });

  // A finger hovers nowhere: a tap reads out, and a tap elsewhere takes it away.
  function tap(event) {
    if (pointer !== "touch") return;
    const time = found(event, "time[datetime]");
    const hinted = found(event, PRESSED) === null ? found(event, HINTED) : null;
    show(time ?? hinted);
  }
  addEventListener("pointerdown", (event) => {
    pointer = event.pointerType;
    if (event.pointerType !== "touch") return;
    point(event);
  });

  // --- Charts: a live one says in `data-step` how far an arrow leads; any other has columns.

  function pointAt(where, at) {
    if (plot !== undefined && plot !== where) plot.dispatchEvent(new CustomEvent("strata-point"));
    plot = where ?? undefined;
    share = plot && Math.min(1, Math.max(0, at));
    plot?.dispatchEvent(new CustomEvent("strata-point", { detail: share }));
  }

  function point(event) {
    const where = found(event, LIVE_PLOT);
    if (where === null && plot === undefined) return;
    const { left, width } = where?.getBoundingClientRect() ?? {};
    pointAt(where, (event.clientX - left) / width);
  }

  // A finger lifts at once, and what it read stays until it taps elsewhere.
  addEventListener("pointermove", (event) => event.pointerType !== "touch" && point(event));
  document.addEventListener("pointerleave", ({ pointerType }) => pointerType !== "touch" && pointAt(null));

  /** Where an arrow leads in the chart that has the focus; nothing where it leads nowhere. */
  function walk(chart, key) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    const isEnd = key === "End";
    if (step === undefined && !isEnd && key !== "Home") return false;
    const live = chart.closest(LIVE_PLOT);
    if (live !== null) {
      const from = live === plot ? share : 1;
      pointAt(live, step === undefined ? Number(isEnd) : from + step * Number(live.dataset.step));
      return true;
    }
    const columns = [...chart.querySelectorAll(".hover")];
    const last = columns.length - 1;
    const at = columns.indexOf(shown);
    const next = step === undefined ? (isEnd ? last : 0) : at < 0 ? last : at + step;
    if (columns[next] === undefined) return false;
    show(columns[next], chart);
    return true;
  }

  function press(event) {
    if (event.key === "Escape") {
      if (shown !== undefined) hide();
      pointAt(null);
    }
    // With a modifier an arrow is the browser's: it goes back, or selects.
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const chart = found(event, ".chart-plot svg[tabindex]");
    if (chart !== null && walk(chart, event.key)) return event.preventDefault();
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const from = found(event, STOPS);
    if (step === undefined || from === null) return;
    const stops = [...(from.closest("ol, ul, dl, table")?.querySelectorAll(STOPS) ?? [])];
    const next = stops[stops.indexOf(from) + step];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  }

  // Before the page's own script, which lets nothing pass where the page's program does not live.
  addEventListener("click", tap, true);
  addEventListener("keydown", press, true);
})();
