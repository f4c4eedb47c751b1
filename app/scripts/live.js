// Holds the live stream of the server for all windows of a browser, as a SharedWorker. Where there
// is none, a window loads this file for itself.
//
// A window says "watch" once it wants numbers, and again every few seconds as long as it does; it
// says "rest" when nobody looks at it. What it is sent is [kind, text, build]: a "snapshot" first,
// then a "frame" each second, and "lost" as often as the stream breaks or falls silent.
"use strict";
(() => {
  /** Beside this file, wherever the dashboard is. */
  const here = "document" in self ? document.currentScript.src : location.href;
  const ADDRESS = `${new URL("../events", here).pathname}?renew=true`;
  /** A stream that is silent for longer is lost; a half-open connection shows no other sign. */
  const SILENCE_MS = 3_000;
  const FIRST_RETRY_MS = 500;
  const LAST_RETRY_MS = 5_000;
  /** In each round every window that watches says so. */
  const ROUND_MS = 5_000;
  /** A window that is silent for so many rounds ended without a word. */
  const MOST_ROUNDS = 4;

  /** For how many rounds each window that watches has been silent. */
  const windows = new Map();
  let rounds;
  let source;
  let hasBegun = false;
  /** The build of the newest snapshot. */
  let build;
  let timer;
  let nFailures = 0;

  function attend(port) {
    port.onmessage = ({ data }) => (data === "watch" ? watch(port) : rest(port));
  }

  function watch(port) {
    const isNew = !windows.has(port);
    windows.set(port, 0);
    rounds ??= setInterval(forgetTheDead, ROUND_MS);
    // Only a new stream begins with everything. One that has yet to begin serves this window too.
    if (isNew && (source === undefined || hasBegun)) open();
  }

  function rest(port) {
    windows.delete(port);
    if (windows.size > 0) return;
    clearInterval(rounds);
    rounds = undefined;
    close();
  }

  // Rounds and not time: while the machine sleeps, no window can say anything.
  function forgetTheDead() {
    for (const [port, nRounds] of windows) {
      if (nRounds >= MOST_ROUNDS) rest(port);
      else windows.set(port, nRounds + 1);
    }
  }

  function open(address = ADDRESS) {
    close();
    try {
      source = new EventSource(address);
    } catch {
      return lose();
    }
    source.addEventListener("snapshot", ({ data }) => {
      hasBegun = true;
      take("snapshot", data);
    });
    source.addEventListener("frame", ({ data }) => take("frame", data));
    source.addEventListener("renew", renew);
    source.addEventListener("error", lose);
    expectEvent();
  }

  // An application around the dashboard is asked again who looks. Each window has everything already,
  // unless another build answers.
  function renew() {
    open(`${ADDRESS}&resume=${build}`);
    hasBegun = true;
  }

  function close() {
    source?.close();
    source = undefined;
    hasBegun = false;
    clearTimeout(timer);
  }

  function expectEvent() {
    clearTimeout(timer);
    timer = setTimeout(lose, SILENCE_MS);
  }

  // Keeps trying for ever, never sooner than others that lost the same server.
  function lose() {
    close();
    tell(["lost"]);
    const wait = Math.min(FIRST_RETRY_MS * 2 ** Math.min(nFailures, 6), LAST_RETRY_MS);
    nFailures += 1;
    if (windows.size > 0) timer = setTimeout(open, wait * (0.5 + Math.random()));
  }

  function take(kind, text) {
    nFailures = 0;
    expectEvent();
    // A frame that the server could not write.
    if (text === "null") return;
    const itsBuild = /^\{"build":"([^"]*)"/.exec(text)?.[1];
    build = itsBuild ?? build;
    tell([kind, text, itsBuild]);
  }

  function tell(message) {
    for (const port of windows.keys()) port.postMessage(message);
  }

  if ("SharedWorkerGlobalScope" in self) {
    self.onconnect = ({ ports: [port] }) => attend(port);
  } else {
    self.strataAttend = attend;
  }
})();
