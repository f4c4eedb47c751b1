import { type APIRequestContext } from "@playwright/test";
import { expect, open, test, testOnOwnServer } from "./support/fixtures";

const readout = "#readout";

/** Nothing else happens there, so no row moves. */
const quiet = testOnOwnServer({ traffic: "off" });

/** Something for the audit trail. */
async function invalidate(request: APIRequestContext, keys: number[]): Promise<void> {
  for (const key of keys) {
    await request.get(`/demo/users/${key}`);
    await request.delete(`/api/v1/caches/users/keys/${key}`);
  }
}

quiet.describe("in a place whose clock is another", () => {
  quiet.use({ timezoneId: "Asia/Kolkata" });

  quiet.beforeEach(({ request }) => invalidate(request, [5, 6]));

  quiet("a time tells its local time on hover and on focus", async ({ page }) => {
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

  quiet("arrows lead from one time of a list to the next, unless a modifier is held", async ({ page }) => {
    await open(page, "/activity");
    const times = page.getByTestId("audit").locator("time");
    await times.first().focus();
    await page.keyboard.press("ArrowDown");
    await expect(times.nth(1)).toBeFocused();
    await expect(page.locator(readout)).toContainText("UTC+05:30");
    for (const modifier of ["Alt", "Control", "Meta", "Shift"]) await page.keyboard.press(`${modifier}+ArrowUp`);
    await expect(times.nth(1)).toBeFocused();
  });

  quiet("a time that changes is read out anew, and one that goes is no more", async ({ page }) => {
    await open(page, "/activity");
    const time = page.getByTestId("audit").locator("time").first();
    const [before, changed, gone] = await time.evaluate(async (time: HTMLTimeElement) => {
      const text = () => document.querySelector("#readout")?.textContent;
      time.focus();
      const before = text();
      time.setAttribute("datetime", "2020-01-01T00:00:00Z");
      await null;
      const changed = text();
      time.remove();
      await null;
      return [before, changed, text()];
    });
    expect(before).toContain("UTC+05:30, your time");
    expect(changed).toBe("2020-01-01 05:30:00 UTC+05:30, your time");
    expect(gone).toBeUndefined();
  });
});

quiet.describe("without the page's program", () => {
  quiet.use({ hasTouch: true, provoked: [/WebAssembly is not defined/] });

  quiet.beforeEach(async ({ page, request }) => {
    await invalidate(request, [5, 6]);
    await page.addInitScript(() => {
      Reflect.deleteProperty(globalThis, "WebAssembly");
    });
    await page.goto("/activity");
    await expect(page.getByRole("alert").filter({ hasText: "WebAssembly is off" })).toBeVisible();
  });

  quiet("arrows lead from one time to the next, and Escape takes it away", async ({ page }) => {
    const times = page.getByTestId("audit").locator("time");
    await times.first().focus();
    await page.keyboard.press("ArrowDown");
    await expect(times.nth(1)).toBeFocused();
    await expect(page.locator(readout)).toContainText("your time");
    await page.keyboard.press("Escape");
    await expect(page.locator(readout)).toHaveCount(0);
  });

  quiet("a tap reads out a time, and another tap takes it away", async ({ page }) => {
    await page.getByTestId("audit").locator("time").first().tap();
    await expect(page.locator(readout)).toContainText("your time");
    await page.getByRole("heading", { name: "Activity" }).tap();
    await expect(page.locator(readout)).toHaveCount(0);
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

test("arrows read a live chart second by second, until Escape", async ({ page }) => {
  await open(page, "/");
  // A chart that stands still can be read twice.
  await page.getByRole("button", { name: "Pause" }).click();
  const card = page.getByRole("region", { name: "How reads end", exact: true });
  const note = card.locator("header p");
  await card.getByRole("img").focus();
  const read = async (key: string) => {
    await page.keyboard.press(key);
    await expect(note).toHaveText(/^at \d\d:\d\d:\d\d UTC$/);
    return note.innerText();
  };
  const newest = await read("End");
  const earlier = await read("ArrowLeft");
  expect(await read("ArrowLeft")).not.toBe(newest);
  expect(await read("ArrowRight")).toBe(earlier);
  await page.keyboard.press("Escape");
  await expect(note).toContainText("last seconds");
});

test("arrows read the columns of a cache's chart", async ({ page }) => {
  await open(page, "/caches/users?range=15m");
  const chart = page.locator("#outcomes").getByRole("img");
  await chart.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator(readout)).toContainText(/UTC\s+\d.* reads/);
  await expect(chart).toHaveAttribute("aria-describedby", "readout");
  await page.keyboard.press("Escape");
  await expect(page.locator(readout)).toHaveCount(0);
  await expect(chart).not.toHaveAttribute("aria-describedby");
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

  test("a tap reads out where a click does not tell what it was made with", async ({ page }) => {
    await page.addInitScript(() => {
      // As in Firefox before 128.
      addEventListener("click", (event) => Object.defineProperty(event, "pointerType", { value: undefined }), true);
    });
    await open(page, "/");
    await page.getByTitle(/^Closed: Redis is used/).tap();
    await expect(page.locator(readout)).toContainText("Redis failed and is skipped");
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
