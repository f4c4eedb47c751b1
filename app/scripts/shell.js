// What is the same on every page and shows no numbers: the theme, the palette, and the keys that work
// everywhere. It listens at the window, which the page's own script lets nothing reach while the
// page's program does not live.
"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  // --- The theme

  const THEMES = ["system", "light", "dark"];
  const A_YEAR_S = 31_536_000;

  function turnTheme() {
    const theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    root.dataset.theme = theme;
    for (const button of document.querySelectorAll("button.theme")) button.textContent = `Theme: ${theme}`;
    document.cookie = `strata_theme=${theme}; SameSite=Strict; Path=${root.dataset.cookies || "/"}; Max-Age=${A_YEAR_S}`;
  }

  // --- The palette

  const toggleNumbers = () => dispatchEvent(new Event("strata-toggle"));
  const ACTIONS = { toggle: toggleNumbers, theme: turnTheme };

  /** Shows what holds every word that is typed. */
  function choose() {
    const words = byId("palette-search").value.toLowerCase().split(/\s+/);
    for (const choice of document.querySelectorAll("#palette .choose")) {
      const name = choice.textContent.toLowerCase();
      choice.closest("li").hidden = !words.every((word) => name.includes(word));
    }
  }

  // Arrows walk over what is left; Enter in the field takes the first.
  function walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, Enter: 0 }[event.key];
    if (step === undefined) return;
    const left = [...document.querySelectorAll("#palette li:not([hidden]) .choose")];
    const at = left.indexOf(document.activeElement);
    // A link or button that has the focus takes Enter by itself.
    if (step === 0 && at >= 0) return;
    event.preventDefault();
    if (step === 0) left[0]?.click();
    else left[at < 0 ? 0 : at + step]?.focus();
  }

  // --- The keys

  let isOn = true;
  /** Whether a g was pressed just before. */
  let isLed = false;

  function press(event) {
    const { key, target } = event;
    if ((event.ctrlKey || event.metaKey) && key === "k") {
      event.preventDefault();
      byId("open-palette").click();
      return;
    }
    if (target instanceof Element && target.closest("#palette") !== null) walk(event);
    const isTyping = target instanceof Element && target.matches("input, select, textarea");
    if (!isOn || isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
    const led = isLed;
    isLed = !led && key === "g";
    const page = led && document.querySelector(`.top-bar nav a[data-letter="${CSS.escape(key)}"]`);
    if (page) page.click();
    else if (key === "p") toggleNumbers();
    else if (key === "t") turnTheme();
    else if (key === "?") byId("open-help").click();
    else if (key === "/") {
      // Otherwise the slash would end up in the field, or in the browser's own search.
      event.preventDefault();
      (byId("search") ?? byId("key"))?.focus();
    }
  }

  addEventListener("keydown", press);
  addEventListener("input", ({ target }) => target.id === "palette-search" && choose());
  addEventListener("click", ({ target }) => {
    const pressed = target instanceof Element ? target.closest(".choose, .theme, #single-keys") : null;
    if (pressed === null) return;
    if (pressed.matches(".theme")) turnTheme();
    if (pressed.matches(".choose")) byId("palette").hidePopover?.();
    ACTIONS[pressed.dataset.act]?.();
    if (pressed.id === "single-keys") {
      isOn = !isOn;
      pressed.textContent = `Single-key shortcuts: ${isOn ? "on" : "off"}`;
    }
  });
})();
