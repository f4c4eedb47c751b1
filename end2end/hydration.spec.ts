import { expect, open, test } from "./support/fixtures";
import { screens } from "./support/screens";

// Also run on a debug build, where the browser's program tells what it finds other than expected.
for (const screen of screens) {
  test(`${screen} comes alive as the server drew it`, async ({ page }) => {
    await open(page, screen);
    await expect(page.getByTestId("live-state")).toHaveText("Live");
    const frames = page.waitForResponse((answer) => answer.url().endsWith("/events"));
    await page.reload();
    await frames;
    await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  });
}

test("links lead from page to page without loading anew", async ({ page }) => {
  await open(page, "/");
  await page.evaluate(() => document.documentElement.setAttribute("data-same-document", "true"));
  for (const name of ["Keys", "Nodes", "Redis", "Activity", "Overview"]) {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
    await expect(page).toHaveTitle(`${name} · Strata`);
  }
  await expect(page.locator("html")).toHaveAttribute("data-same-document", "true");
});

test("a link that is pressed while the page comes alive leads where it says", async ({ page }) => {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 10 });
  for (const name of ["Keys", "Nodes", "Lab"]) {
    await page.goto("/", { waitUntil: "commit" });
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
    await expect(page).toHaveTitle(`${name} · Strata`);
    await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
  }
});
