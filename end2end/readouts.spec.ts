import { expect, open, test } from "./support/fixtures";

const readout = "#readout";

test.describe("in a place whose clock is another", () => {
  test.use({ timezoneId: "Asia/Kolkata" });

  test.beforeEach(async ({ request }) => {
    await request.get("/demo/users/5");
    await request.delete("/api/v1/caches/users/keys/5");
  });

  test("a time tells its local time on hover and on focus", async ({ page }) => {
    await open(page, "/activity");
    const times = page.getByTestId("audit").locator("time");
    const datetime = (await times.first().getAttribute("datetime"))!;
    const local = new Date(new Date(datetime).getTime() + 5.5 * 3_600_000).toISOString();
    const text = `${local.slice(0, 19).replace("T", " ")} UTC+05:30, your time`;
    await times.first().hover();
    await expect(page.locator(readout)).toHaveText(text);
    await page.getByRole("heading", { name: "Activity" }).hover();
    await expect(page.locator(readout)).toHaveCount(0);
    await page.getByRole("region", { name: "Table of the audit trail" }).focus();
    await page.keyboard.press("Tab");
    await expect(times.first()).toBeFocused();
    await expect(page.locator(readout)).toHaveText(text);
    await page.keyboard.press("Escape");
    await expect(page.locator(readout)).toHaveCount(0);
  });

  test("arrows lead from one time of a list to the next", async ({ page, request }) => {
    await request.delete("/api/v1/caches/users/keys/6");
    await open(page, "/activity");
    const times = page.getByTestId("audit").locator("time");
    await times.first().focus();
    await page.keyboard.press("ArrowDown");
    await expect(times.nth(1)).toBeFocused();
    await expect(page.locator(readout)).toContainText("UTC+05:30");
  });
});

test("hints of a table are reached by Tab and arrows", async ({ page }) => {
  await open(page, "/nodes");
  await page.getByRole("region", { name: "Table of nodes" }).focus();
  await page.keyboard.press("Tab");
  const heading = (name: string) => page.getByTestId("nodes").getByRole("columnheader", { name, exact: true });
  await expect(heading("last report")).toBeFocused();
  await expect(page.locator(readout)).toHaveText("When its last report was taken.");
  await page.keyboard.press("ArrowRight");
  await expect(heading("bus")).toBeFocused();
  await expect(page.locator(readout)).toContainText("invalidations of other nodes");
});

test.describe("on a touch screen", () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } });

  test("a tap reads out a chart of the overview, until another tap", async ({ page }) => {
    await open(page, "/");
    const card = page.getByRole("region", { name: "How reads end", exact: true });
    const note = card.locator("header p");
    await expect(note).toContainText("last seconds");
    await card.locator(".chart-plot").tap();
    await expect(note).toHaveText(/^at \d\d:\d\d:\d\d UTC$/);
    await page.getByRole("heading", { name: "Caches" }).tap();
    await expect(note).toContainText("last seconds");
  });

  test("a tap reads out hints and the columns of a cache's charts", async ({ page }) => {
    await open(page, "/");
    await page.getByTitle(/^Closed: Redis is used/).tap();
    await expect(page.locator(readout)).toContainText("Redis failed and is skipped");
    await page.getByRole("heading", { name: "Caches" }).tap();
    await expect(page.locator(readout)).toHaveCount(0);
    await open(page, "/caches/users?range=1m");
    await page.locator("#outcomes .hover").last().tap({ force: true });
    await expect(page.locator(readout)).toContainText(/UTC\s+\d.* reads/);
  });
});
