import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { type Page } from "@playwright/test";
import { expect, expectLive, open, testOnOwnServer } from "./support/fixtures";
import { firstEvent } from "./support/stream";

const test = testOnOwnServer({ traffic: "steady" });

// One server goes away and another one comes.
test.use({ provoked: [/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 404/] });

/** A newer build at the address of the server, with a page of its own. */
class NewerBuild {
  private constructor(readonly http: HttpServer) {}

  static async takeOver(server: { url: string; stop: () => Promise<void> }): Promise<NewerBuild> {
    const event = (await firstEvent(`${server.url}/events`)).replace(/"build":"\w+"/, '"build":"newer"');
    await server.stop();
    const http = createServer((request, response) => {
      if (new URL(request.url!, server.url).pathname === "/events") {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`${event}\n\n`);
      } else {
        response.writeHead(["/", "/healthz"].includes(request.url!) ? 200 : 404, { "content-type": "text/html" });
        response.end("<!DOCTYPE html><title>Newer</title><h1>The newer build</h1>");
      }
    });
    await once(http.listen(Number(new URL(server.url).port), "127.0.0.1"), "listening");
    return new NewerBuild(http);
  }

  async stop(): Promise<void> {
    const closed = once(this.http, "close");
    this.http.close();
    this.http.closeAllConnections();
    await closed;
  }
}


test.beforeEach(({ server }) => server.stop().then(() => server.start()));

test("a page that nobody has touched loads itself anew after an update", async ({ page, server }) => {
  await open(page, "/");
  await expectLive(page);
  const newer = await NewerBuild.takeOver(server);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The newer build", { timeout: 30_000 });
  await newer.stop();
});

test("a page in which somebody typed says that Strata was updated", async ({ page, server }) => {
  await open(page, "/");
  await expectLive(page);
  const key = page.getByTestId("invalidate-key").getByLabel("Key");
  await key.fill("4711");
  const newer = await NewerBuild.takeOver(server);
  const told = page.getByRole("alert").filter({ hasText: "Strata was updated" });
  await expect(told).toBeVisible({ timeout: 30_000 });
  await expect(page.getByTestId("live-state")).toHaveText("Updated");
  await expect(key).toHaveValue("4711");
  await told.getByRole("link", { name: "Reload" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The newer build");
  await newer.stop();
});

test("a page with an open dialog says that Strata was updated", async ({ page, server }) => {
  await open(page, "/");
  await expectLive(page);
  await page.getByRole("button", { name: "Help" }).click();
  const newer = await NewerBuild.takeOver(server);
  await expect(page.getByRole("alert").filter({ hasText: "Strata was updated" })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("heading", { name: "Help" })).toBeVisible();
  await newer.stop();
});

test.describe("a page that is looked at for the first time after an update", () => {
  test.beforeEach(async ({ page }) => {
    // Nobody looks at a page that was opened behind another one.
    await page.addInitScript(() => Object.defineProperty(document, "hidden", { configurable: true, get: () => true }));
    await open(page, "/");
  });

  const show = (page: Page) =>
    page.evaluate(() => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => false });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    });

  test("loads itself anew", async ({ page, server }) => {
    const newer = await NewerBuild.takeOver(server);
    await show(page);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("The newer build", { timeout: 30_000 });
    await newer.stop();
  });

  test("says that Strata was updated, where somebody typed", async ({ page, server }) => {
    await page.getByTestId("invalidate-key").getByLabel("Key").fill("4711");
    const newer = await NewerBuild.takeOver(server);
    await show(page);
    await expect(page.getByRole("alert").filter({ hasText: "Strata was updated" })).toBeVisible({ timeout: 30_000 });
    await expect(page.getByTestId("live-state")).toHaveText("Updated");
    await newer.stop();
  });
});
