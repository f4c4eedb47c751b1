// The page's own script, which runs before anything is drawn. It sees to what the page's program,
// which is WebAssembly, cannot: it says whether the program lives, and brings it the live numbers.
//
// Until the program is alive, and if it never is, the page works as without scripts. The style asks
// for `data-program`, which stands on <html> while the program is expected or lives.
"use strict";
(() => {
  const root = document.documentElement;
  const { live: worker, build } = document.currentScript.dataset;
  const address = () => location.pathname + location.search;

  // --- What the page has to say above everything else

  /** By what it is about; the first counts most. */
  const notices = { program: undefined, updated: undefined, loggedOut: undefined, lost: undefined, translated: undefined };

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
      // An empty address is that of the page, whatever its path begins with.
      link.href = isOut ? `/login?to=${encodeURIComponent(address())}` : "";
      // The program would follow the link without loading anything.
      link.rel = "external";
      link.append(isOut ? "Log in" : "Reload");
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

  function failed(error) {
    if (isTrap(error)) {
      goOnWithout("The page's program has stopped, perhaps because a translator or an extension changed the page");
    } else if (!isAlive()) {
      goOnWithout("The page's program cannot be loaded here");
    }
  }

  // Half of a page must not answer: links, forms and keys work as without scripts. What hears
  // them at the window first needs no program.
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
    }).observe(document.getElementById("app"), { childList: true, subtree: true });
  }

  // --- The live numbers

  const AGAIN_MS = 5_000;
  /** Longer than the worker waits for the server. */
  const SILENCE_MS = 4_000;
  /** A worker that has been silent for so many times as long is asked for anew. */
  const MOST_SILENCES = 4;
  /** A reason is asked for after so many losses: a server that starts again loses its streams too. */
  const MOST_LOSSES = 3;
  const ANSWERS_WITHIN_MS = 3_000;
  const MOST_RECEIVED = 300;
  const LOST = "The server is silent. These are its last numbers, and they stand still; the page keeps trying.";
  const BLOCKED =
    "The server answers, but its live numbers do not arrive: an extension or a proxy may block /events, or too many " +
    "streams are open. These numbers stand still; the page keeps trying.";
  const LOGGED_OUT = "You are logged out. These numbers stand still until you log in again.";
  const UPDATED = "Strata was updated. These numbers stand still until the page is loaded anew.";

  let port;
  let isWatching = false;
  let isPaused = false;
  let isUpdated = false;
  let isLoggedOut = false;
  let isLoading = false;
  let nLost = 0;
  let nSilences = 0;
  let silence;
  let again;
  let received = [];
  /** Ends the question why nothing arrives, while it is asked. */
  let question;

  const dispatch = (kind, data) => dispatchEvent(new MessageEvent(`strata-${kind}`, { data }));
  const say = (state) => dispatch("state", state);

  /** Watches where somebody looks, and rests where nobody does. */
  function follow() {
    const wanted = isAlive() && !document.hidden && !isPaused && !isUpdated && !isLoggedOut;
    if (wanted === isWatching) return;
    isWatching = wanted;
    received = [];
    clearInterval(again);
    clearTimeout(silence);
    if (wanted) {
      say("Connecting");
      if (port === undefined) connect();
      watch();
      again = setInterval(watch, AGAIN_MS);
      expectWord();
    } else {
      tell("lost", undefined);
      stopAsking();
      port?.postMessage("rest");
    }
  }

  const watch = () => port?.postMessage("watch");

  function expectWord() {
    clearTimeout(silence);
    silence = setTimeout(() => {
      lose();
      nSilences += 1;
      if (nSilences % MOST_SILENCES === 0) {
        port?.postMessage("rest");
        if (nSilences === MOST_SILENCES) connect();
        else connectAlone();
        watch();
      }
      expectWord();
    }, SILENCE_MS);
  }

  function connect() {
    if (typeof SharedWorker === "undefined") return connectAlone();
    try {
      // Named after the build, so that no worker of another one serves this page.
      const shared = new SharedWorker(worker, `strata ${build}`);
      shared.onerror = connectAlone;
      attach(shared.port);
    } catch {
      connectAlone();
    }
  }

  function connectAlone() {
    if (typeof strataAttend === "function") return attend();
    if (isLoading) return;
    isLoading = true;
    const script = document.createElement("script");
    script.src = worker;
    script.onload = attend;
    script.onerror = () => {
      isLoading = false;
      script.remove();
      port = undefined;
      if (!isWatching) return;
      lose();
      askWhy();
    };
    document.head.append(script);
  }

  function attend() {
    const { port1, port2 } = new MessageChannel();
    strataAttend(port1);
    attach(port2);
    if (isWatching) watch();
  }

  function attach(to) {
    port = to;
    port.onmessage = ({ target, data: [kind, text, itsBuild] }) => {
      if (target !== port || !isWatching) return;
      nSilences = 0;
      expectWord();
      if (kind === "lost") return lose();
      if (itsBuild !== undefined && itsBuild !== build) return update(mayReload());
      take(kind, text);
    };
  }

  // A page that the browser does not draw, though it is not hidden, keeps no more than it can show.
  function take(kind, text) {
    if (received.length === 0) requestAnimationFrame(draw);
    if (kind === "snapshot") received = [];
    received.push([kind, text]);
    if (received.length > MOST_RECEIVED) received.splice(received[0][0] === "snapshot" ? 1 : 0, 1);
  }

  function lose() {
    received = [];
    nLost += 1;
    say("Lost");
    if (notices.lost === undefined) tell("lost", LOST);
    if (nLost >= MOST_LOSSES) askWhy();
  }

  /** One question at a time: a server that is silent would keep a connection for each. */
  async function askWhy() {
    if (question !== undefined) return;
    const asked = (question = new AbortController());
    const late = setTimeout(() => asked.abort(), ANSWERS_WITHIN_MS);
    const options = { method: "HEAD", cache: "no-store", signal: asked.signal };
    const statusOf = (path) => fetch(path, options).then(({ status }) => status, () => undefined);
    // Only pages of the same build find the worker, and only people who may look.
    const status = await statusOf(worker);
    const answers = status === 200 || (await statusOf("/healthz")) === 200;
    clearTimeout(late);
    if (question !== asked) return;
    question = undefined;
    if (status === 401) {
      isLoggedOut = true;
      follow();
      tell("loggedOut", LOGGED_OUT);
    } else if (status === 404 && answers) {
      update(mayReload());
    } else {
      tell("lost", answers ? BLOCKED : LOST);
    }
  }

  function stopAsking() {
    question?.abort();
    question = undefined;
  }

  function draw() {
    const events = received;
    received = [];
    if (!isWatching || events.length === 0) return;
    for (const [kind, text] of events) dispatch(kind, text);
    // The program may have misread it, or stopped.
    if (!isWatching) return;
    nLost = 0;
    stopAsking();
    say("Live");
    tell("lost", undefined);
    tell("loggedOut", undefined);
  }

  function update(reloads) {
    isUpdated = true;
    follow();
    say("Updated");
    if (reloads) return location.reload();
    tell("updated", UPDATED);
  }

  // Nothing is lost that somebody typed or opened, and two builds that take turns behind one address
  // do not reload a page for ever.
  function mayReload() {
    const isTyped = (field) =>
      field.type === "checkbox" || field.type === "radio"
        ? field.checked !== field.defaultChecked
        : field.defaultValue !== undefined && field.value !== field.defaultValue;
    const [navigation] = performance.getEntriesByType("navigation");
    return (
      (navigation?.type !== "reload" || performance.now() > 60_000) &&
      document.querySelector(":popover-open, dialog[open]") === null &&
      !document.activeElement?.matches("input, textarea, select") &&
      ![...document.querySelectorAll("input, textarea")].some(isTyped)
    );
  }

  // Somebody who looks again may have logged in elsewhere.
  function look() {
    isLoggedOut = false;
    follow();
  }

  addEventListener("visibilitychange", look, true);
  addEventListener("pageshow", look);
  addEventListener("focus", look);
  addEventListener("pagehide", () => {
    clearInterval(again);
    clearTimeout(silence);
    isWatching = false;
    stopAsking();
    port?.postMessage("rest");
  });
  addEventListener("strata-toggle", () => {
    // Only a reload brings numbers then.
    if (isUpdated) return;
    isPaused = !isPaused;
    look();
    if (isPaused) say("Paused");
  });
  // What came is none that this program knows.
  addEventListener("strata-misread", () => update(false));

  // --- The beginning

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
  } else {
    goOnWithout("WebAssembly is off in this browser");
  }
})();
