import { expect, open, test, testOnOwnServer } from "./support/fixtures";

test("what happens shows by itself, and a pause holds it", async ({ page }) => {
  await open(page, "/activity?kind=removal");
  const newest = page.getByTestId("events").getByRole("listitem").first();
  await expect(newest).toBeVisible({ timeout: 20_000 });
  const before = await newest.getAttribute("id");
  await expect(newest).not.toHaveAttribute("id", before!);
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(page.getByTestId("live-state")).toHaveText("Paused");
  // A drawing that was asked for just before may still arrive.
  await page.waitForFunction(() => document.getElementById("main")?.getAttribute("aria-busy") !== "true");
  const n = await page.getByTestId("events").getByRole("listitem").count();
  expect(n).toBeLessThanOrEqual(150);
});

test("a filter is in the address", async ({ page }) => {
  await open(page, "/activity");
  const filter = page.getByTestId("filter");
  await filter.getByLabel("cache").selectOption("posts");
  await filter.getByRole("button", { name: "Show these" }).click();
  await expect(page).toHaveURL(/\/activity\?cache=posts/);
  const caches = page.getByTestId("events").locator(".cache");
  for (const cache of await caches.allInnerTexts()) expect(cache).toBe("posts");
});

const own = testOnOwnServer({ traffic: "off" });

own("what somebody did is in the trail and on the chart", async ({ page, request }) => {
  await request.get("/demo/users/5");
  await request.delete("/api/v1/caches/users/keys/5");
  await open(page, "/activity");
  await expect(page.getByTestId("audit")).toContainText("invalidate key");
  await open(page, "/caches/users");
  await expect(page.getByRole("region", { name: "What operators did in this time" })).toContainText("invalidate key users 5");
});
