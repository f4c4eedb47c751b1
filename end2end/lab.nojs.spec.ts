import { type Locator, type Page } from "@playwright/test";
import { expect, test } from "./support/fixtures";

/** Looks again until it is there. */
async function appears(page: Page, wanted: Locator): Promise<void> {
  await expect(async () => {
    await page.reload();
    await expect(wanted).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 40_000 });
}

test("a lesson is predicted, run and remembered without scripts", async ({ page }) => {
  await page.goto("/lab");
  await page.getByTestId("lessons").getByRole("link").first().click();
  await page.getByRole("radio").first().check();
  await page.getByRole("button", { name: "Run it" }).click();
  await expect(page).toHaveURL(/\?run=/);
  await appears(page, page.getByTestId("verdict"));
  await page.getByRole("link", { name: "All lessons" }).click();
  await expect(page.getByTestId("progress")).toHaveText(/^1 of /);
  await page.getByRole("button", { name: "Reset my progress" }).click();
  await expect(page.getByTestId("progress")).toHaveText(/^0 of /);
});

test("steps are played by plain forms", async ({ page }) => {
  await page.goto("/lab/two-levels");
  await page.getByRole("radio").first().check();
  await page.getByRole("button", { name: "Step by step" }).click();
  await appears(page, page.getByRole("button", { name: "Play step 2" }));
  await page.getByTestId("faults").getByRole("button", { name: "Slow database" }).click();
  await expect(page.getByRole("region", { name: "What runs" })).toContainText(", slow");
  await page.getByRole("button", { name: "Stop" }).click();
  const over = page.getByRole("link", { name: "Start this lesson over" });
  await appears(page, over);
  await over.click();
  await expect(page.getByRole("radio").first()).toBeVisible();
});

test("what cannot run says why on the page that asked", async ({ page }) => {
  await page.goto("/lab/no-cache");
  await page.getByRole("radio").first().check();
  await page.getByText("Change the settings").click();
  await page.getByLabel("Reads and writes").fill("20000");
  await page.getByLabel("Each query takes longer by").fill("1000");
  await page.getByRole("button", { name: "Run it" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "for the database alone" })).toBeVisible();
  await expect(page.getByRole("radio").first()).toBeVisible();
});
