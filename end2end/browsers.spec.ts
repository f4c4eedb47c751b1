import { type Page, type Request } from "@playwright/test";
import { expect, expectAlive, expectLive, expectLost, open, testOnOwnServer } from "./support/fixtures";
import { firstEvent } from "./support/stream";

// Browsers that cannot or may not do all that the page would like, and what others do to a page.
const test = testOnOwnServer({ traffic: "steady" });

declare global {
  interface Window {
    /** What the page is given instead of the text of an event. */
    changed?: (kind: string, text: string) => string;
    /** How many events lacked all that may be missing. */
    nLacking: number;
    /** How often the page is given each frame. */
    nTimes?: number;
    /** How many frames it was given more than once. */
    nRepeated: number;
    nDrawn: number;
    /** What waits for the browser to draw. */
    held: FrameRequestCallback[];
  }
}

test.use({
  // The browser's words where something is blocked, and the program's last ones.
  provoked: [/Failed to load resource|ERR_|WebAssembly|dynamically imported|Failed to fetch|Content Security Policy|panicked|unreachable/i],
});

const state = (page: Page) => page.getByTestId("live-state");
const pause = (page: Page) => page.getByRole("button", { name: "Pause", exact: true });
const hits = (page: Page) => page.getByTestId("outcome-l1-hit");
const told = (page: Page) => page.getByRole("alert").filter({ hasText: "stand still" });

async function expectToMove(page: Page): Promise<void> {
  const before = await hits(page).innerText();
  await expect(hits(page)).not.toHaveText(before);
}

/** The page says what stands still, shows nothing that is dead, and its links and forms work. */
async function expectToWorkAsWithoutScripts(page: Page): Promise<void> {
  await expect(told(page)).toBeVisible({ timeout: 20_000 });
  await expect(told(page).getByRole("link", { name: "Reload" })).toBeVisible();
  await expect(state(page)).toBeHidden();
  await expect(pause(page)).toBeHidden();
  await expect(page.getByRole("button", { name: /^Theme/ })).toBeHidden();
  await expect(page.getByRole("button", { name: "Go to…" })).toBeHidden();
  await page.getByTestId("invalidate-key").getByLabel("Key").fill("42");
  await page.getByTestId("invalidate-key").getByRole("button", { name: "Invalidate" }).click();
  await expect(page.getByRole("main")).toContainText("Key 42 of");
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Nodes" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nodes");
}

test.describe("a page whose program", () => {
  test("cannot run, since WebAssembly is off, works as without scripts", async ({ page, request }) => {
    await page.addInitScript(() => {
      Reflect.deleteProperty(globalThis, "WebAssembly");
    });
    await page.goto("/");
    await expect(page.getByRole("alert").filter({ hasText: "WebAssembly is off" })).toBeVisible();
    await expectToWorkAsWithoutScripts(page);

    const ids = Array.from({ length: 300 }, (_, i) => 1 + i).join(",");
    await request.get(`/demo/users?ids=${ids}`);
    await page.goto("/keys?cache=users&pattern=*");
    const first = page.getByTestId("key-rows").getByRole("rowheader").first();
    const before = await first.innerText();
    await page.getByRole("link", { name: "Later rows" }).click();
    await expect(first).not.toHaveText(before);
  });

  test("cannot run is loaded anew at its own address, which looks like another server's", async ({ page, baseURL }) => {
    await page.addInitScript(() => {
      Reflect.deleteProperty(globalThis, "WebAssembly");
    });
    await page.goto(`${baseURL}//evil.test/`);
    const reload = page.getByRole("alert").getByRole("link", { name: "Reload" });
    expect(await reload.evaluate((link: HTMLAnchorElement) => link.href)).toBe(`${baseURL}//evil.test/`);
  });

  test("is blocked works as without scripts", async ({ page }) => {
    await page.route(/\.wasm$/, (route) => route.abort("blockedbyclient"));
    await page.goto("/");
    await expectToWorkAsWithoutScripts(page);
  });

  test("is not there works as without scripts", async ({ page }) => {
    await page.route(/\.wasm$/, (route) => route.fulfill({ status: 404, body: "gone" }));
    await page.goto("/");
    await expectToWorkAsWithoutScripts(page);
  });

  test("lacks its other half works as without scripts", async ({ page }) => {
    await page.route(/\/pkg\/.*\.js$/, (route) => route.abort());
    await page.goto("/");
    await expectToWorkAsWithoutScripts(page);
  });

  test("may not be compiled works as without scripts", async ({ page }) => {
    await page.route(/\/(nodes)?$/, async (route) => {
      const answer = await route.fetch();
      const policy = answer.headers()["content-security-policy"].replace("'wasm-unsafe-eval'", "");
      await route.fulfill({ response: answer, headers: { ...answer.headers(), "content-security-policy": policy } });
    });
    await page.goto("/");
    await expectToWorkAsWithoutScripts(page);
  });

  test("is late says so, and comes alive when it is there", async ({ page }) => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route(/\.wasm$/, async (route) => {
      await held;
      await route.continue();
    });
    await page.goto("/");
    await expect(told(page)).toContainText("has not come yet", { timeout: 20_000 });
    await expect(pause(page)).toBeHidden();
    release();
    await expectAlive(page);
    await expect(told(page)).toBeHidden();
    await expect(pause(page)).toBeVisible();
    await expectLive(page);
  });
});

test("a page that comes alive never shows what is for browsers without its program", async ({ page }) => {
  await page.addInitScript(() => {
    // On a busy machine the program may come later than the page waits for it.
    const setTimeout = window.setTimeout;
    const patient = (act: () => void, ms?: number) => (ms === 10_000 ? 0 : setTimeout(act, ms));
    window.setTimeout = patient as typeof window.setTimeout;
    const look = () => {
      const theme = document.querySelector(".theme");
      const hint = document.querySelector(".unless-script");
      const shown = (element: Element | null) => element !== null && getComputedStyle(element).display !== "none";
      const wrong = (theme !== null && !shown(theme)) || shown(hint) || document.querySelector("#notice > *") !== null;
      if (wrong) document.documentElement.setAttribute("data-wrong", "true");
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await open(page, "/keys?cache=users&pattern=*");
  await expectLive(page);
  await expect(page.locator("html")).not.toHaveAttribute("data-wrong");
});

test.describe("what others put into a page", () => {
  const wrap = (page: Page, where: string) =>
    page.addInitScript((where) => {
      addEventListener("DOMContentLoaded", () => {
        const texts = document.createTreeWalker(document.querySelector(where)!, NodeFilter.SHOW_TEXT);
        const found: Node[] = [];
        while (texts.nextNode()) found.push(texts.currentNode);
        for (const text of found) {
          const font = document.createElement("font");
          text.parentNode!.replaceChild(font, text);
          font.append(text);
        }
      });
    }, where);

  for (const [what, where] of [
    ["a part of it", ".top-bar"],
    ["the whole of it", "body"],
  ] as const) {
    test(`in ${what} before it is alive, as a translator does, leaves it coming alive`, async ({ page }) => {
      await wrap(page, where);
      await open(page, "/");
      await expectLive(page);
      await expectToMove(page);
      await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Nodes" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nodes");
    });
  }

  test("as an element of their own leaves it alive", async ({ page }) => {
    await page.addInitScript(() => {
      addEventListener("DOMContentLoaded", () => {
        document.body.prepend(document.createElement("div"));
        document.body.append(document.createElement("div"));
      });
    });
    await open(page, "/");
    await expectLive(page);
    await expectToMove(page);
  });

  test("later, as a translator does, leaves the rest alive and says what stands still", async ({ page }) => {
    await open(page, "/");
    await expectLive(page);
    await page.evaluate(() => {
      document.documentElement.setAttribute("data-same-document", "true");
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: Node[] = [];
      while (texts.nextNode()) found.push(texts.currentNode);
      for (const text of found) {
        if (text.parentElement!.closest("[translate=no], script") !== null) continue;
        const font = document.createElement("font");
        font.append(`${text.textContent} translated`);
        text.parentNode!.replaceChild(font, text);
      }
    });
    await expect(told(page)).toContainText("translator");
    await expectToMove(page);
    for (const name of ["Nodes", "Redis", "Overview"]) {
      await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
      await expect(page).toHaveTitle(`${name} · Strata`);
    }
    await expectToMove(page);
    await expect(page.locator("html")).toHaveAttribute("data-same-document", "true");
  });
});

test("a page that may not keep anything in the browser is live", async ({ page }) => {
  await page.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
      Object.defineProperty(globalThis, name, {
        get: () => {
          throw new DOMException("The operation is insecure.", "SecurityError");
        },
      });
    }
  });
  await open(page, "/");
  await expectLive(page);
  await page.getByRole("button", { name: /^Theme/ }).click();
  await expectToMove(page);
});

test("a browser without popovers, as the oldest that is supported, shows live pages", async ({ page }) => {
  await page.addInitScript(() => {
    for (const name of ["popover", "showPopover", "hidePopover", "togglePopover"]) {
      Reflect.deleteProperty(HTMLElement.prototype, name);
    }
    const refuse = (of: object, name: string) => {
      const ask = Reflect.get(of, name) as (selector: string) => unknown;
      Reflect.set(of, name, function (this: unknown, selector: string) {
        if (selector.includes(":popover-open")) throw new DOMException("No such selector.", "SyntaxError");
        return ask.call(this, selector);
      });
    };
    for (const of of [Element.prototype, Document.prototype]) {
      for (const name of ["querySelector", "querySelectorAll"]) refuse(of, name);
    }
    refuse(Element.prototype, "matches");
    refuse(Element.prototype, "closest");
  });
  await open(page, "/");
  await expectLive(page);
  await expectToMove(page);
  await expect(told(page)).toBeHidden();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Nodes" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nodes");
  await expect(page.locator("#page [data-part]:not([data-alive])")).toHaveCount(0);
  const theme = await page.locator("html").getAttribute("data-theme");
  await page.getByRole("button", { name: "Go to…" }).click();
  await page.locator("#palette [data-act=theme]").click();
  await expect(page.locator("html")).not.toHaveAttribute("data-theme", theme!);
});

test("numbers move for people who want no motion", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open(page, "/");
  await expectLive(page);
  await expectToMove(page);
});

test.describe("a stream of one's own", () => {
  // What a shared worker asks for no test can change.
  test.beforeEach(({ page }) =>
    page.addInitScript(() => {
      Reflect.deleteProperty(globalThis, "SharedWorker");
    }),
  );

  test("that is blocked is told apart from a server that is silent", async ({ page }) => {
    await page.route("**/events?*", (route) => route.abort("blockedbyclient"));
    await open(page, "/");
    await expectLost(page);
    await expect(told(page)).toContainText("may block /events", { timeout: 30_000 });
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Keys" }).click();
    await expect(page).toHaveTitle("Keys · Strata");
    await page.unroute("**/events?*");
    await expectLive(page);
    await expect(told(page)).toBeHidden();
  });

  /** Lets a test change what the stream brings, event by event. */
  const changeEvents = (page: Page) =>
    page.addInitScript(() => {
      window.nRepeated = 0;
      const add = EventSource.prototype.addEventListener;
      EventSource.prototype.addEventListener = function (kind: string, act: any) {
        const changed = ({ data }: MessageEvent) => {
          const n = kind === "frame" ? (window.nTimes ?? 1) : 1;
          const event = new MessageEvent(kind, { data: window.changed?.(kind, data) ?? data });
          for (let i = 0; i < n; i += 1) act(event);
          if (n > 1) window.nRepeated += 1;
        };
        add.call(this, kind, (kind === "error" ? act : changed) as EventListener);
      };
    });

  /** Answers with what the server says first, changed. */
  const answer = (page: Page, change: (event: string) => string) =>
    page.route("**/events?*", async (route) => {
      const body = `${change(await firstEvent(route.request().url()))}\n\n`;
      await route.fulfill({ contentType: "text/event-stream", body });
    });

  test("that brings what the page cannot read says that Strata was updated", async ({ page }) => {
    await answer(page, (event) => event.replace('"seq":', '"sequence":'));
    await open(page, "/");
    await expect(page.getByRole("alert").filter({ hasText: "Strata was updated" })).toBeVisible();
    await expect(state(page)).toHaveText("Updated");
    await pause(page).click();
    await expect(state(page)).toHaveText("Updated");
    await expect(pause(page)).toBeVisible();
    await page.unroute("**/events?*");
    await page.getByRole("alert").getByRole("link", { name: "Reload" }).click();
    await expectLive(page);
  });

  test("that is renewed goes on with the next one, and is not lost meanwhile", async ({ page }) => {
    await page.addInitScript(() => {
      addEventListener("strata-state", (event) => {
        const states = document.documentElement.dataset.states ?? "";
        document.documentElement.dataset.states = `${states} ${(event as MessageEvent).data}`;
      });
    });
    let nResumed = 0;
    page.on("request", (request) => (nResumed += Number(request.url().includes("/events?renew=true&resume="))));
    await page.route(/\/events\?renew=true$/, async (route) => {
      const body = `${await firstEvent(route.request().url())}\n\nevent: renew\ndata: {}\n\n`;
      await route.fulfill({ contentType: "text/event-stream", body });
    });
    await open(page, "/");
    await expectLive(page);
    await expectToMove(page);
    await expectToMove(page);
    expect(nResumed).toBe(1);
    await expect(page.locator("html")).toHaveAttribute("data-states", /Live/);
    await expect(page.locator("html")).not.toHaveAttribute("data-states", /Lost/);
  });

  test("that lacks what may be missing is read", async ({ page }) => {
    await page.addInitScript(() => {
      const missing = [/"build":"\w+",/, /,"alerts":\{[^}]*\}/];
      window.nLacking = 0;
      window.changed = (kind, text) => {
        const less = missing.reduce((text, part) => text.replace(part, ""), text);
        if (kind === "snapshot" && missing.every((part) => part.test(text))) window.nLacking += 1;
        return less;
      };
    });
    await changeEvents(page);
    await open(page, "/");
    await expectLive(page);
    expect(await page.evaluate(() => window.nLacking)).toBe(1);
    await expectToMove(page);
    await expectLive(page);
    await expect(page.getByRole("alert").filter({ hasText: "updated" })).toBeHidden();
  });

  test("whose server falls silent keeps one connection waiting for an answer", async ({ page }) => {
    const asks = (request: Request) => request.method() === "HEAD" || request.url().endsWith("/healthz");
    let nAsked = 0;
    let nWaiting = 0;
    let mostWaiting = 0;
    page.on("requestfailed", (request) => asks(request) && (nWaiting -= 1));
    await page.route("**/events?*", (route) => route.abort());
    await page.route(/\/healthz|\/scripts\/live/, (route) => {
      if (!asks(route.request())) return route.continue();
      nAsked += 1;
      nWaiting += 1;
      mostWaiting = Math.max(mostWaiting, nWaiting);
    });
    await open(page, "/");
    await expect.poll(() => nAsked, { timeout: 45_000 }).toBeGreaterThan(2);
    expect(mostWaiting).toBe(1);
    await expect(told(page)).toContainText("The server is silent");
  });

  test("whose events nobody draws is kept in part, and the newest of it", async ({ page }) => {
    await page.addInitScript(() => {
      window.nDrawn = 0;
      window.held = [];
      addEventListener("strata-frame", () => (window.nDrawn += 1));
    });
    await changeEvents(page);
    await open(page, "/");
    await expectLive(page);
    await page.evaluate(() => {
      window.nTimes = 400;
      window.requestAnimationFrame = (act) => window.held.push(act);
    });
    await expect.poll(() => page.evaluate(() => window.nRepeated)).toBeGreaterThan(0);
    const nDrawn = await page.evaluate(() => {
      window.nDrawn = 0;
      for (const act of window.held) act(performance.now());
      return window.nDrawn;
    });
    expect(nDrawn).toBe(300);
  });

  test("of another build that stays another does not load the page for ever", async ({ page }) => {
    await answer(page, (event) => event.replace(/"build":"\w+"/, '"build":"another"'));
    let nDocuments = 0;
    page.on("domcontentloaded", () => (nDocuments += 1));
    await page.goto("/");
    await expect(page.getByRole("alert").filter({ hasText: "Strata was updated" })).toBeVisible();
    expect(nDocuments).toBe(2);
  });
});
