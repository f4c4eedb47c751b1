// Reads out what a page holds in attributes: times in local time, hints, and columns of charts; on
// hover, on focus and on touch. Without this script a page shows all but these.
"use strict";
(() => {
  const HINTED = "[title], .hover, .marker, .unknown";
  /** Of these a list has one that Tab reaches; arrows lead to the others. */
  const STOPS = ":is(time, th, dt)[tabindex]";
  const PRESSED = "a, button, input, select, summary, label";
  const box = document.createElement("div");
  box.id = "readout";
  box.className = "readout";
  box.setAttribute("role", "tooltip");
  /** What is read out. */
  let shown;
  /** What a click is made with, which older browsers do not tell of the click itself. */
  let pointer;
  /** The chart of the overview that a finger has read. */
  let plot;

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
  const changes = new MutationObserver(() => (shown?.isConnected ? show(shown) : hide()));
  const CHANGES = {
    subtree: true,
    childList: true,
    characterData: true,
    attributeFilter: ["title", "datetime", "aria-describedby", "x"],
  };

  function show(element) {
    const text = element && textOf(element);
    if (!text || element.getClientRects().length === 0) return hide();
    if (shown !== element) hide();
    shown = element;
    if (box.textContent !== text) box.textContent = text;
    if (element.getAttribute("aria-describedby") !== box.id) element.setAttribute("aria-describedby", box.id);
    if (!box.isConnected) document.documentElement.append(box);
    changes.observe(document.body, CHANGES);
    const at = element.getBoundingClientRect();
    const { width, height } = box.getBoundingClientRect();
    const isLow = at.bottom + height + 12 > innerHeight && at.top > height + 12;
    box.style.left = `${Math.max(4, Math.min(at.left, innerWidth - width - 4))}px`;
    box.style.top = `${isLow ? at.top - height - 6 : Math.max(4, Math.min(at.bottom + 6, innerHeight - height - 4))}px`;
  }

  function hide() {
    if (shown?.getAttribute("aria-describedby") === box.id) shown.removeAttribute("aria-describedby");
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
  addEventListener("focusout", hide);
  // What has the focus often scrolls into view, and its readout goes along.
  const scrolled = () => (shown?.contains(document.activeElement) ? show(shown) : hide());
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
    const before = plot;
    plot = found(event, ".overview .chart-plot");
    if (before && before !== plot) before.dispatchEvent(new PointerEvent("pointerleave"));
    const { clientX, clientY } = event;
    plot?.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }));
  });
  addEventListener(
    "pointerleave",
    (event) => {
      // It lifts at once, and what it read stays.
      if (event.pointerType === "touch" && event.target === plot) event.stopImmediatePropagation();
    },
    true,
  );

  function press(event) {
    if (event.key === "Escape" && shown !== undefined) hide();
    // With a modifier an arrow is the browser's: it goes back, or selects.
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
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
