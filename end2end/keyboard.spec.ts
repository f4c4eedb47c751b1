import type { Page } from "@playwright/test";
import { expect, open, test } from "./support/fixtures";
import { screens } from "./support/screens";

for (const screen of screens) {
  test(`Tab alone reaches all that can be pressed on ${screen}, and shows where it is`, async ({ page }) => {
    await open(page, screen);
    // A page that stands still can be walked over.
    await page.getByRole("button", { name: "Pause" }).click();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const wanted = await marked(page);
    expect(wanted).toBeGreaterThan(8);
    const reached = new Set<string>();
    for (let presses = 0; presses < 3 * wanted && reached.size < wanted; presses += 1) {
      await page.keyboard.press("Tab");
      const focused = await focus(page);
      if (focused === undefined) continue;
      expect(focused.shown, `what is focused shows it: ${focused.html}`).toBe(true);
      reached.add(focused.mark);
    }
    expect(reached.size).toBe(wanted);
  });
}

test("a key is looked at and invalidated by keyboard alone", async ({ page, request }) => {
  await request.get("/demo/users/321");
  await open(page, "/");
  await page.keyboard.press("g");
  await page.keyboard.press("k");
  await expect(page).toHaveTitle("Keys · Strata");
  // The title comes before what the server draws.
  await expect(page.getByRole("search").getByLabel("Pattern")).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type("321");
  await page.keyboard.press("Enter");
  const row = page.getByTestId("key-rows").getByRole("link", { name: "321", exact: true });
  await expect(row).toBeVisible();
  await until(page, async () => row.evaluate((link) => link === document.activeElement));
  await page.keyboard.press("Enter");
  const button = page.getByRole("main").getByRole("button", { name: "Invalidate" });
  await expect(button).toBeVisible();
  await until(page, async () => button.evaluate((found) => found === document.activeElement));
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("key-result")).toContainText("is invalidated");
});

/** Presses Tab until it holds. */
async function until(page: Page, holds: () => Promise<boolean>): Promise<void> {
  for (let presses = 0; presses < 100; presses += 1) {
    if (await holds()) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("Tab does not lead there");
}

/** Marks what can be pressed and is seen; answers how much that is. */
function marked(page: Page): Promise<number> {
  return page.evaluate(() => {
    const wanted = "a[href], button:enabled, input:enabled:not([type=hidden]), select:enabled, summary";
    // Arrows lead from one answer of a question to the next, so Tab stops at one of them.
    const groups = new Set<string>();
    const isFirst = (element: HTMLElement) => {
      if (!(element instanceof HTMLInputElement) || element.type !== "radio") return true;
      return !groups.has(element.name) && groups.add(element.name).size > 0;
    };
    const seen = [...document.querySelectorAll<HTMLElement>(wanted)].filter(
      (element) => element.checkVisibility({ visibilityProperty: true }) && isFirst(element),
    );
    seen.forEach((element, number) => element.setAttribute("data-mark", String(number)));
    return seen.length;
  });
}

function focus(page: Page): Promise<{ mark: string; shown: boolean; html: string } | undefined> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const mark = element?.getAttribute("data-mark");
    if (element == null || mark == null) return undefined;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const shown = outlineStyle !== "none" && outlineWidth !== "0px";
    return { mark, shown, html: element.outerHTML.slice(0, 120) };
  });
}
