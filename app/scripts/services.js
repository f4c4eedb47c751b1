// Keeps the list of services up to date: asks for the page again and puts in what differs. Focus and
// scroll position stay.
"use strict";
(() => {
  const EVERY_MS = 2_000;
  const byId = (id) => document.getElementById(id);

  /** The parts with numbers, and the links: where these are the same, only numbers have changed. */
  const outline = (root) => [...root.querySelectorAll("[data-live], a[id]")].map((one) => one.id).join(" ");

  function put(fresh) {
    const content = byId("content");
    if (outline(content) !== outline(fresh)) {
      const focused = document.activeElement?.id;
      content.replaceWith(fresh);
      if (focused) byId(focused)?.focus();
      return;
    }
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const shown = byId(part.id);
      if (shown.innerHTML !== part.innerHTML) shown.innerHTML = part.innerHTML;
      const card = part.closest("[data-state]");
      if (card) shown.closest("[data-state]").dataset.state = card.dataset.state;
    }
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      // Also where the page stands at another address, and where one service is left.
      const answer = await fetch(byId("main").dataset.list, { headers: { accept: "text/html" } });
      if (answer.redirected) return location.reload();
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      put(page.getElementById("content"));
      byId("behind").hidden = true;
    } catch {
      byId("behind").hidden = false;
    }
  }

  const again = () => setTimeout(() => refresh().finally(again), EVERY_MS);
  again();
  document.addEventListener("visibilitychange", refresh);
})();
