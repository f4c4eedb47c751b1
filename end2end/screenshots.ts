import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Page } from "@playwright/test";
import { expect, expectLive, open, test } from "./support/fixtures";
import { root } from "./support/program";
import { navigation } from "./support/screens";
import { Server } from "./support/server";

const folder = process.env.SCREENSHOTS ?? join(root, "target", "screenshots");
const themes = ["light", "dark"] as const;
const widths = [360, 1024, 1920];

// So much of a page is shown; the rest of the long ones is more of the same.
const mostPx = 2600;

/** What is done on a screen before its picture is taken. */
type Act = (page: Page) => Promise<void>;

/** What is done on a page, or the state of it that is shown. Pages that are not named here are shown as they open. */
const shown: [name: string, path: string, act?: Act][] = [
  ["cache", "/caches/users?range=1m"],
  ["keys", "/keys?cache=users&pattern=1*"],
  ["key", "/keys?cache=users&key=1"],
  ["plan", "/keys?cache=timelines&pattern=author:1*&plan=1"],
  ["job", "/keys?cache=timelines&pattern=author:1*&plan=1", invalidate],
  ["nodes", "/nodes?compare=1"],
  ["lesson", "/lab/write-through", runLesson],
  ["compare", "/lab/compare?trace=loop&a=no-cache&b=read-through&b.l1_entries=50", pressAndWait("Run it")],
  ["measured", "/lab/measured", pressAndWait("Measure now")],
  ["palette", "/", openPalette],
];

const names = new Set(shown.map(([name]) => name));
const plain = navigation.map(({ path, title }) => [title.toLowerCase(), path] as const);
const screens = [...plain.filter(([name]) => !names.has(name)), ...shown];

async function invalidate(page: Page): Promise<void> {
  const again = page.getByLabel(/Type the pattern again/);
  if (await again.isVisible()) await again.fill("author:1*");
  await page.getByTestId("confirm").click();
  await expect(page.getByTestId("pattern-result")).toHaveAttribute("data-state", "Done");
}

async function runLesson(page: Page): Promise<void> {
  await page.getByRole("radio").nth(1).check();
  await pressAndWait("Run it")(page);
}

function pressAndWait(name: string): Act {
  return async (page) => {
    await page.getByRole("button", { name }).click();
    await expect(page.getByTestId("phase")).toHaveAttribute("data-phase", "done", { timeout: 45_000 });
  };
}

async function openPalette(page: Page): Promise<void> {
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toBeVisible();
}

async function openLogIn(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
}

test.beforeAll("traffic has filled the charts", async ({ request }) => {
  mkdirSync(folder, { recursive: true });
  const evictions = async () => {
    const { report } = await (await request.get("/api/v1/caches/posts")).json();
    return report.l1.evictions.size;
  };
  await expect.poll(evictions, { timeout: 240_000 }).toBeGreaterThan(50);
});

for (const [name, path, act] of screens as typeof shown) {
  test(name, ({ page }) => picture(page, name, path, act));
}

test("login", async ({ page }) => {
  const server = await Server.start({ traffic: "off", more: "--operator-token sesame" });
  await picture(page, "login", `${server.url}/`, openLogIn);
  await server.stop();
});

async function picture(page: Page, name: string, path: string, act?: Act): Promise<void> {
  for (const width of widths) {
    for (const colorScheme of themes) {
      await page.setViewportSize({ width, height: width < 640 ? 740 : 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await open(page, path);
      await expectLive(page);
      await act?.(page);
      const { height, inner } = await page.evaluate(() => ({
        height: document.documentElement.scrollHeight,
        inner: document.documentElement.scrollWidth,
      }));
      expect(inner, "nothing sticks out").toBeLessThanOrEqual(width);
      // A dialog covers what can be seen, not the whole page.
      const isDialog = await page.getByRole("dialog").isVisible();
      const clip = { x: 0, y: 0, width, height: Math.min(height, mostPx) };
      await page.screenshot({
        path: join(folder, `${name}-${width}-${colorScheme}.png`),
        ...(isDialog ? {} : { fullPage: true, clip }),
      });
    }
  }
}
