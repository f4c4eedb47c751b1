import { expect, test } from "./support/fixtures";

test("the first HTML holds real numbers and real charts", async ({ page, request }) => {
  const users = async () => (await (await request.get("/api/v1/caches/users")).json()).report;
  await expect.poll(async () => (await users()).outcomes.l1_hit).toBeGreaterThan(0);
  await page.goto("/");
  const hits = await page.getByTestId("outcome-l1-hit").getAttribute("data-value");
  expect(Number(hits)).toBeGreaterThan(0);
  for (const handle of ["l1-entries", "l1-weight", "outcome-loaded", "eviction-size"]) {
    await expect(page.getByTestId(handle)).toHaveText(/\d/);
  }
  const chart = page.getByRole("region", { name: "How reads end" }).getByRole("img");
  await expect(chart.locator("path").first()).toHaveAttribute("d", /^M.*\d/);
});

test("a key can be invalidated by a plain form", async ({ page }) => {
  await page.goto("/");
  const form = page.getByTestId("invalidate-key");
  await form.getByLabel("Cache").selectOption("users");
  await form.getByLabel("Key").fill("42");
  await form.getByRole("button", { name: "Invalidate" }).click();
  await expect(page.getByTestId("key-result")).toContainText("Key 42 of users is invalidated.");
});

test("a pattern is planned, confirmed and told by plain forms", async ({ page }) => {
  await page.goto("/");
  const form = page.getByTestId("invalidate-pattern");
  await form.getByLabel("Cache").selectOption("posts");
  await form.getByLabel("Pattern").fill("11*");
  await form.getByRole("button", { name: "Plan" }).click();
  await expect(page.getByTestId("plan-l2")).toHaveText(/\d/);
  await page.getByTestId("confirm").click();
  await expect(page.getByTestId("pattern-result")).toContainText("Pattern 11* of posts");
});
