// The live numbers of a page: asks the worker for them, hands them to the page's program as events,
// and says above the page why none arrive.
"use strict";
/** Starts with nothing; the function that it returns watches where somebody looks. */
function strataStream({ isAlive, notices, tell, worker, build, nonce }) {
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
  const FORBIDDEN = "You may not look at these numbers any more. They stand still; the page keeps trying.";
  const SHUT_OUT = "This application does not let you look at these numbers any more. They stand still until it does.";
  const UPDATED = "Strata was updated. These numbers stand still until you reload the page.";

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
      // Named after the dashboard and its build, so that no worker of another one serves this page.
      const shared = new SharedWorker(worker, `strata ${document.documentElement.dataset.base} ${build}`);
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
    script.nonce = nonce;
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
    const answers = status === 200 || (await statusOf(`${document.documentElement.dataset.base}/healthz`)) === 200;
    clearTimeout(late);
    if (question !== asked) return;
    question = undefined;
    // An application around the dashboard has no other answer for who has logged out.
    const isShutOut = status === 403 && "home" in document.documentElement.dataset;
    if (status === 401 || isShutOut) {
      isLoggedOut = true;
      follow();
      tell("loggedOut", isShutOut ? SHUT_OUT : LOGGED_OUT);
    } else if (status === 404 && answers) {
      update(mayReload());
    } else {
      tell("lost", status === 403 ? FORBIDDEN : answers ? BLOCKED : LOST);
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
      document.querySelector("dialog[open]") === null &&
      ![...document.querySelectorAll("[popover]")].some(strataIsOpen) &&
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

  return follow;
}
