import { expect, open, test } from "./support/fixtures";
import { screens } from "./support/screens";

for (const screen of screens) {
  test(`nothing moves on ${screen} for people who ask for no motion`, async ({ page }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await open(page, screen);
    // An animation that ends at once is no motion.
    const moving = await page.evaluate(() =>
      document
        .getAnimations()
        .filter((animation) => Number(animation.effect?.getComputedTiming().duration) > 1)
        .map((animation) => (animation.effect as KeyframeEffect | null)?.target?.outerHTML.slice(0, 120)),
    );
    expect(moving).toEqual([]);
  });

  test(`${screen} is printed on white, without what can only be pressed`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: "dark" });
    await open(page, screen);
    const cards = await page.getByRole("main").getByRole("region").count();
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    // As wide as a sheet of A4 between its margins.
    await page.setViewportSize({ width: 718, height: 1000 });
    const sheet = page.locator("html");
    await expect(sheet).toHaveCSS("background-color", "rgb(255, 255, 255)");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByRole("navigation")).toBeHidden();
    await expect(page.getByRole("button").filter({ visible: true })).toHaveCount(0);
    expect(cards).toBeGreaterThan(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(718);
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(10_000);
  });
}
