// The page's own script, which runs before anything is drawn. It loads the page's program, which is
// WebAssembly, and does what the program cannot do: it says whether the program lives. `stream.js`,
// served in one file with it, brings the program the live numbers; `take_over.js` puts what the
// program draws in the place of what the server drew.
//
// Until the program is alive, and if it never is, the page works as without scripts. The style asks
// for `data-program`, which stands on <html> while the program is expected or lives.
"use strict";
(() => {
  const root = document.documentElement;
  const { live: worker, build, js, wasm } = document.currentScript.dataset;
  // The application's policy may ask for it of each script.
  const { nonce } = document.currentScript;
  const address = () => location.pathname + location.search;

  // --- What the page has to say above everything else

  /** By what it is about; the first counts most. */
  const notices = { program: undefined, updated: undefined, parts: undefined, loggedOut: undefined, lost: undefined, translated: undefined };

  function tell(about, text) {
    notices[about] = text;
    const place = document.getElementById("notice");
    if (place === null) return;
    const [first, told = ""] = Object.entries(notices).find(([, text]) => text !== undefined) ?? [];
    if (place.dataset.told === told) return;
    place.dataset.told = told;
    place.replaceChildren();
    if (told === "") return;
    const banner = document.createElement("p");
    banner.className = "banner behind";
    banner.append(told);
    if (first !== "lost" && first !== "translated") {
      const link = document.createElement("a");
      const isOut = first === "loggedOut";
      // Where an application around the dashboard says who may look, it has the page to log in, too.
      const { base, home = `${base}/login?to=${encodeURIComponent(address())}` } = root.dataset;
      // An empty address is that of the page, whatever its path begins with.
      link.href = isOut ? home : "";
      // The program would follow the link without loading anything.
      link.rel = "external";
      link.append(!isOut || home === "" ? "Reload" : "home" in root.dataset ? "Application" : "Log in");
      banner.append(" ", link);
    }
    place.append(banner);
  }

  // --- Whether the program lives

  const STARTS_WITHIN_MS = 10_000;
  const STILL = "so these numbers stand still. Links and forms work; a reload brings newer numbers.";
  /** The address of what is shown, while nothing of ours follows it. */
  let shown = address();
  let starts;

  const isAlive = () => root.hasAttribute("data-hydrated");
  const follow = strataStream({ isAlive, notices, tell, worker, build, nonce });
  const isTrap = (error) => error instanceof WebAssembly.RuntimeError;

  function goOnWithout(why) {
    clearTimeout(starts);
    shown = address();
    root.removeAttribute("data-program");
    root.removeAttribute("data-hydrated");
    tell("program", `${why}, ${STILL}`);
    follow();
  }

  // The place for notices may not be there yet.
  addEventListener("DOMContentLoaded", () => tell("program", notices.program));

  /** Whether the policy of the site forbids WebAssembly. Either of the two may be told first. */
  let isForbidden = false;
  addEventListener("securitypolicyviolation", ({ blockedURI, disposition }) => {
    // A policy that only reports forbids nothing.
    if (disposition !== "enforce" || blockedURI !== "wasm-eval" || isAlive()) return;
    isForbidden = true;
    goOnWithout("The content security policy of this site lacks 'wasm-unsafe-eval' in its script-src");
  });

  function failed(error) {
    if (isForbidden) return;
    if (isTrap(error)) {
      goOnWithout("The page's program has stopped, perhaps because a translator or an extension changed the page");
    } else if (!isAlive()) {
      goOnWithout("The page's program cannot be loaded here");
    }
  }

  // A program that has stopped must not answer: links, forms and keys work as without scripts. What
  // hears them at the window first needs no program.
  function stayPlain(event) {
    if (!isAlive()) event.stopImmediatePropagation();
  }
  for (const kind of ["click", "keydown", "submit"]) document.addEventListener(kind, stayPlain, true);
  addEventListener(
    "popstate",
    (event) => {
      stayPlain(event);
      // Somebody went back or forward, and the page stands under another page's address.
      if (!isAlive() && address() !== shown) location.reload();
    },
    true,
  );

  // A translator puts texts of its own in the place of those that the program changes.
  function watchTranslators() {
    new MutationObserver((changes, observer) => {
      const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
      if (!added.some(({ nodeName }) => nodeName === "FONT")) return;
      observer.disconnect();
      tell("translated", "A translator has changed this page. Numbers that it translated stand still until the original is shown.");
    }).observe(document.body, { childList: true, subtree: true });
  }

  // A part that the program does not know, or could not draw, is there as the server drew it.
  const PART_STILL =
    "A part of this page stands still: the page's program does not know it, or could not draw it. A reload brings newer numbers.";
  addEventListener("strata-parts-live", () => tell("parts", undefined));
  addEventListener("strata-parts-still", () => tell("parts", PART_STILL));

  // --- The beginning

  async function start() {
    const program = await import(js);
    await program.default({ module_or_path: wasm });
    if (document.readyState === "loading") {
      await new Promise((ready) => addEventListener("DOMContentLoaded", ready));
    }
    program.take_over();
  }

  if (typeof WebAssembly === "object") {
    root.setAttribute("data-program", "expected");
    addEventListener("error", ({ error }) => isTrap(error) && failed(error));
    addEventListener("unhandledrejection", ({ reason }) => failed(reason));
    starts = setTimeout(() => goOnWithout("The page's program has not come yet"), STARTS_WITHIN_MS);
    new MutationObserver(() => {
      if (!isAlive() || root.getAttribute("data-program") === "alive") return;
      clearTimeout(starts);
      root.setAttribute("data-program", "alive");
      tell("program", undefined);
      watchTranslators();
      follow();
    }).observe(root, { attributeFilter: ["data-hydrated"] });
    start().catch(failed);
  } else {
    goOnWithout("WebAssembly is off in this browser");
  }
})();
