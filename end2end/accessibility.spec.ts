import AxeBuilder from "@axe-core/playwright";
import { expect, open, test } from "./support/fixtures";
import { screens } from "./support/screens";

const themes = ["light", "dark"] as const;
const widths = [360, 1280];

for (const screen of screens) {
  for (const colorScheme of themes) {
    for (const width of widths) {
      test(`axe finds nothing on ${screen}, ${colorScheme}, ${width} px wide`, async ({ page }) => {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        await open(page, screen);
        const { violations } = await new AxeBuilder({ page })
          .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
          .analyze();
        expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html) }))).toEqual([]);
      });

      test(`nothing sticks out of ${screen}, ${colorScheme}, ${width} px wide`, async ({ page }) => {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        await open(page, screen);
        const inner = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(inner).toBeLessThanOrEqual(width);
      });
    }
  }
}
