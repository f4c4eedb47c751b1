import type { Page } from "@playwright/test";
import { expect, expectAlive, expectLive, open, test } from "./support/fixtures";
import { screens } from "./support/screens";

// Also run on a debug build, where the browser's program tells what it finds other than expected.
for (const screen of screens) {
  test(`${screen} comes alive as the server drew it`, async ({ page }) => {
    await open(page, screen);
    await expectLive(page);
    await page.reload();
    await expectAlive(page);
    await expectLive(page);
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

test.describe("while a page comes alive", () => {
  /** Holds up the page's parts, all but the first few, in the first document of each address. */
  const hold = (page: Page) =>
    page.addInitScript(() => {
      const key = `held ${location.pathname}`;
      if (sessionStorage.getItem(key) !== null || sessionStorage.getItem("hold") === null) return;
      sessionStorage.setItem(key, "");
      const setTimeout = window.setTimeout;
      let nParts = 0;
      window.setTimeout = ((act: () => void, ms?: number, ...more: unknown[]) => {
        if (ms !== undefined && ms > 0) return setTimeout(act, ms, ...more);
        nParts += 1;
        document.documentElement.setAttribute("data-parts", String(nParts));
        return nParts > 6 ? 0 : setTimeout(act);
      }) as typeof window.setTimeout;
    });
  const begin = (page: Page) => page.evaluate(() => sessionStorage.setItem("hold", ""));
  const halfAlive = async (page: Page) => {
    await expect(page.locator("html")).toHaveAttribute("data-parts", "7");
    await expect(page.locator("html")).not.toHaveAttribute("data-hydrated");
  };

  test("a link leads where it says", async ({ page }) => {
    await hold(page);
    await open(page, "/nodes");
    await begin(page);
    await page.goto("/");
    await halfAlive(page);
    await page.evaluate(() => sessionStorage.removeItem("hold"));
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Keys" }).click();
    await expect(page).toHaveTitle("Keys · Strata");
    await expectAlive(page);
  });

  test("the way back leads back", async ({ page }) => {
    await hold(page);
    await open(page, "/");
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Keys" }).click();
    await expect(page).toHaveTitle("Keys · Strata");
    await begin(page);
    await page.reload();
    await halfAlive(page);
    await page.evaluate(() => sessionStorage.removeItem("hold"));
    await page.goBack();
    await expect(page).toHaveTitle("Overview · Strata");
    await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeAttached();
    await expectAlive(page);
  });
});
