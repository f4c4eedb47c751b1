import { type APIRequestContext, type BrowserContext, type Page } from "@playwright/test";
import { expect, expectLive, expectLost, open, testOnOwnServer } from "./support/fixtures";

const test = testOnOwnServer({ traffic: "steady" });

// The server goes away while windows are open, and asking whether it answers fails.
test.use({ provoked: [/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 401/] });

const state = (page: Page) => page.getByTestId("live-state");
const hits = (page: Page) => page.getByTestId("outcome-l1-hit");

/** The streams that the server has open. */
async function streams(request: APIRequestContext): Promise<number> {
  const metrics = await (await request.get("/metrics")).text();
  return Number(/^strata_event_streams (\d+)/m.exec(metrics)?.[1]);
}

async function expectToMove(page: Page): Promise<void> {
  const before = await hits(page).innerText();
  await expect(hits(page)).not.toHaveText(before);
}

async function openSeven(context: BrowserContext, page: Page): Promise<Page[]> {
  const windows = [page];
  while (windows.length < 7) windows.push(await context.newPage());
  for (const window of windows) await open(window, "/");
  return windows;
}

/** Says that nobody looks at a window, or that somebody does. */
const show = (page: Page, visible: boolean) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, !visible);

test("seven windows of a browser are live by one stream", async ({ context, page, request }) => {
  // Each of them loads the page and its program.
  test.slow();
  const windows = await openSeven(context, page);
  for (const window of windows) await expectLive(window);
  await expect.poll(() => streams(request)).toBe(1);
  for (const window of windows) await expectToMove(window);
  // Nothing else waits for a connection either.
  for (const window of windows) {
    await window.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Nodes" }).click();
    await expect(window).toHaveTitle("Nodes · Strata");
    await expectLive(window);
  }
  await expect.poll(() => streams(request)).toBe(1);
});

test("windows that nobody looks at rest, and one that is looked at again has everything", async ({ context, page, request }) => {
  const other = await context.newPage();
  for (const window of [page, other]) {
    await open(window, "/");
    await expectLive(window);
  }
  await show(page, false);
  const held = await hits(page).innerText();
  await expectToMove(other);
  await expect(hits(page)).toHaveText(held);
  await expect.poll(() => streams(request)).toBe(1);

  await show(other, false);
  await expect.poll(() => streams(request)).toBe(0);

  await show(page, true);
  await expectLive(page);
  await expect(hits(page)).not.toHaveText(held);
  await expect.poll(() => streams(request)).toBe(1);
});

test("a paused window stands still while others move, and holds no stream alone", async ({ context, page, request }) => {
  const other = await context.newPage();
  for (const window of [page, other]) {
    await open(window, "/");
    await expectLive(window);
  }
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(state(page)).toHaveText("Paused");
  const held = await hits(page).innerText();
  await expectToMove(other);
  await expect(hits(page)).toHaveText(held);
  await other.close();
  await expect.poll(() => streams(request)).toBe(0);
});

test("a window that ended without a word holds no stream open", async ({ context, page, request }) => {
  const other = await context.newPage();
  await open(other, "/nodes");
  await expectLive(other);
  // It says no more that it wants numbers, nor that it goes.
  await other.evaluate(() => {
    MessagePort.prototype.postMessage = () => undefined;
  });
  await open(page, "/");
  await expectLive(page);
  await show(page, false);
  await expect.poll(() => streams(request), { timeout: 45_000 }).toBe(0);
});

test("every window says that the server is lost, and comes back by itself", async ({ context, page, server }) => {
  const other = await context.newPage();
  const windows = [page, other];
  for (const window of windows) {
    await open(window, "/");
    await expectLive(window);
  }
  await server.stop();
  for (const window of windows) {
    await expectLost(window);
    await expect(window.getByRole("alert").filter({ hasText: "they stand still" })).toBeVisible();
  }
  await server.start();
  for (const window of windows) {
    await expectLive(window);
    await expectToMove(window);
  }
});

test("without shared workers each window has a stream of its own", async ({ context, page, request }) => {
  await context.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "SharedWorker");
  });
  const other = await context.newPage();
  for (const window of [page, other]) {
    await open(window, "/");
    await expectLive(window);
    await expectToMove(window);
  }
  await expect.poll(() => streams(request)).toBe(2);
  await other.close();
  await expect.poll(() => streams(request)).toBe(1);
});

test("where the worker cannot be loaded, a window has a stream of its own", async ({ context, page }) => {
  await context.addInitScript(() => {
    const Blocked = globalThis.SharedWorker;
    globalThis.SharedWorker = class extends Blocked {
      constructor(_address: string | URL, name: string) {
        super("/scripts/none.js", name);
      }
    } as typeof SharedWorker;
  });
  await open(page, "/");
  await expectLive(page);
  await expectToMove(page);
});

test("a window goes on with the same stream after its machine has slept", async ({ page }) => {
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "SharedWorker");
  });
  await open(page, "/");
  await expectLive(page);
  const next = await page.evaluate(() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + 3_600_000;
    const kinds: string[] = [];
    return new Promise<string[]>((resolve) => {
      for (const kind of ["snapshot", "frame"]) {
        addEventListener(`strata-${kind}`, () => kinds.push(kind) === 3 && resolve(kinds));
      }
    });
  });
  // Only a new stream begins with a snapshot.
  expect(next).toEqual(["frame", "frame", "frame"]);
});

const closed = testOnOwnServer({ traffic: "off", more: "--operator-token sesame --viewer-token ben:peep" });

closed("a window says that somebody logged out in another, and goes on after the log-in", async ({ context, page }) => {
  const logIn = async (window: Page) => {
    await window.getByLabel("Token").fill("peep");
    await window.getByRole("button", { name: "Log in" }).click();
  };
  await page.goto("/nodes");
  await logIn(page);
  await expectLive(page);
  const other = await context.newPage();
  await other.goto("/login");
  await other.getByRole("button", { name: "Log out", exact: true }).click();
  const told = page.getByRole("alert").filter({ hasText: "You are logged out" });
  await expect(told).toBeVisible({ timeout: 30_000 });
  await expect(told.getByRole("link", { name: "Log in" })).toHaveAttribute("href", "/login?to=%2Fnodes");

  await logIn(other);
  await expectLive(other);
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await expectLive(page);
  await expect(told).toBeHidden();
});
