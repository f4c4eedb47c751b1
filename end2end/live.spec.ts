import { type Page } from "@playwright/test";
import { expect, expectLive, expectLost, open, testOnOwnServer } from "./support/fixtures";

const test = testOnOwnServer({ traffic: "steady" });

// The server goes away while a page is open.
test.use({ provoked: [/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED_ENCODING/] });

const state = (page: Page) => page.getByTestId("live-state");
const pause = (page: Page) => page.getByRole("button", { name: /^(Pause|Resume)$/ });
const hits = (page: Page) => page.getByTestId("outcome-l1-hit");

async function expectToMove(page: Page): Promise<void> {
  const before = await hits(page).innerText();
  await expect(hits(page)).not.toHaveText(before);
}

/** The number of reads that the server has counted. */
async function reads(page: Page): Promise<number> {
  const caches: { report: { outcomes: Record<string, number> } }[] = await (
    await page.request.get("/api/v1/caches")
  ).json();
  return caches
    .flatMap((cache) => Object.values(cache.report.outcomes))
    .reduce((sum, count) => sum + count, 0);
}

test("numbers move by themselves", async ({ page }) => {
  await open(page, "/");
  await expectLive(page);
  await expectToMove(page);
});

test("a paused page holds its numbers and catches up afterwards", async ({ page }) => {
  await open(page, "/");
  await expectLive(page);
  await pause(page).click();
  await expect(state(page)).toHaveText("Paused");
  await expect(pause(page)).toHaveText("Resume");
  const held = await hits(page).innerText();
  const counted = await reads(page);
  await expect.poll(() => reads(page), { timeout: 10_000 }).toBeGreaterThan(counted + 100);
  await expect(hits(page)).toHaveText(held);

  await pause(page).click();
  await expectLive(page);
  await expect(hits(page)).not.toHaveText(held);
});

test("the page says that the server is lost, and comes back by itself", async ({ page, server }) => {
  await open(page, "/");
  await expectLive(page);
  await server.stop();
  await expectLost(page);
  const banner = page.getByRole("alert").filter({ hasText: "they stand still" });
  await expect(banner).toBeVisible();
  await server.start();
  await expectLive(page);
  await expect(banner).toBeHidden();
  await expectToMove(page);
});
