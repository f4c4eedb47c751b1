import AxeBuilder from "@axe-core/playwright";
import { type Locator, type Page } from "@playwright/test";
import { expect, open, testOnOwnServer } from "./support/fixtures";

const test = testOnOwnServer({ traffic: "off", nodes: 1, users: 100 });

/** Longer than any run may take. */
const aRun = { timeout: 40_000 };

const phase = (page: Page) => page.getByTestId("phase");

async function predict(page: Page, lesson: string): Promise<void> {
  await open(page, `/lab/${lesson}`);
  await page.getByRole("radio").first().check();
}

async function goThrough(page: Page, lesson: string): Promise<void> {
  await predict(page, lesson);
  await page.getByRole("button", { name: "Step by step" }).click();
  await expect(page.getByRole("button", { name: "Play step 2" })).toBeVisible(aRun);
}

async function ended(page: Page): Promise<void> {
  await expect(phase(page)).toHaveAttribute("data-phase", "done", aRun);
}

const runIn = (page: Page) => new URL(page.url()).searchParams.get("run");

test("a lesson's tab is named after the lesson, however it was opened", async ({ page, request }) => {
  expect(await (await request.get("/lab/stampede")).text()).not.toContain("<title>stampede");
  await open(page, "/lab/stampede");
  const named = async () => {
    const heading = await page.getByRole("heading", { level: 1 }).innerText();
    await expect(page).toHaveTitle(`${heading} · Strata`);
    return heading;
  };
  const first = await named();
  await page.getByRole("link", { name: "All lessons" }).click();
  await expect(page).toHaveTitle("Lab · Strata");
  await page.locator(".lesson-list a").nth(1).click();
  await expect(page.getByRole("radio").first()).toBeVisible();
  expect(await named()).not.toBe(first);
});

test("a lesson in which something was broken says so beside its answer", async ({ page }) => {
  await goThrough(page, "two-levels");
  await page.getByTestId("faults").getByRole("button", { name: "Slow database" }).click();
  await expect(page.getByTestId("faults").getByRole("button", { name: "Slow database" })).toHaveAttribute("aria-pressed", "true");
  await page.getByRole("button", { name: "Play the rest" }).click();
  await ended(page);
  await expect(page.getByTestId("broken")).toContainText("Slow database");
});

test("every lesson is predicted, run, judged and run again", async ({ page }) => {
  await open(page, "/lab");
  const links = page.getByTestId("lessons").getByRole("link");
  const addresses = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")!));
  expect(addresses.length).toBeGreaterThanOrEqual(8);
  test.setTimeout(addresses.length * 100_000);
  for (const address of addresses) {
    await test.step(address, async () => {
      await open(page, address);
      await expect(page.getByTestId("results")).toHaveCount(0);
      const asked: string[] = [];
      page.on("request", (request) => {
        if (request.url().endsWith("start_run")) asked.push(request.url());
      });
      await page.getByRole("button", { name: "Run it" }).click();

      await page.getByRole("radio").first().check();
      await page.getByRole("button", { name: "Run it" }).click();
      await ended(page);
      expect(asked.length, "nothing runs before a prediction").toBe(1);
      const first = runIn(page);
      const contenders = await page.getByRole("region", { name: "What runs" }).getByTestId("contender").count();
      await expect(page.getByTestId("results").locator("tbody tr")).toHaveCount(contenders);
      const verdict = page.getByTestId("verdict");
      await expect(verdict).toHaveText(
        (await verdict.getAttribute("data-right")) === "true" ? /^You were right: / : /^You said: .* The answer is: /,
      );

      await page.getByRole("button", { name: "Run again" }).click();
      await expect.poll(() => runIn(page)).not.toBe(first);
      await ended(page);
    });
  }
  await open(page, "/lab");
  await expect(page.getByTestId("progress")).toHaveText(`${addresses.length} of ${addresses.length} lessons done.`);
  await page.getByRole("button", { name: "Reset my progress" }).click();
  await expect(page.getByTestId("progress")).toHaveText(`0 of ${addresses.length} lessons done.`);
});

/** Presses Tab until the focus is there. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  await expect(wanted).toBeFocused();
}

test("a lesson is gone through step by step, by keyboard alone", async ({ page }) => {
  await open(page, "/lab/two-levels");
  await tabTo(page, page.getByRole("radio").first());
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio").nth(1)).toBeChecked();
  await tabTo(page, page.getByRole("button", { name: "Step by step" }));
  await page.keyboard.press("Enter");
  const play = (step: number) => page.getByRole("button", { name: `Play step ${step}` });
  await expect(play(2)).toBeVisible(aRun);
  await tabTo(page, play(2));
  for (const step of [3, 4]) {
    await page.keyboard.press("Enter");
    await expect(play(step)).toBeFocused(aRun);
    await expect(phase(page)).toHaveText(`Step ${step - 1} is done. Waiting for you.`);
  }
  await page.keyboard.press("Enter");
  await ended(page);
  await expect(page.getByTestId("verdict")).toHaveText("You were right: In L2.");
});

test("what is broken shows, and is mended", async ({ page }) => {
  await goThrough(page, "two-levels");
  const fault = (name: string) => page.getByTestId("faults").getByRole("button", { name });
  const stack = page.getByRole("region", { name: "What runs" });
  for (const [name, shown] of [
    ["Slow database", ", slow"],
    ["Database away", ", away"],
    ["Redis away", "Redis, away"],
    ["Last node off the bus", ", off the bus"],
    ["Last node killed", ", killed"],
  ] as const) {
    await fault(name).click();
    await expect(fault(name)).toHaveAttribute("aria-pressed", "true");
    await expect(stack).toContainText(shown);
    await fault(name).click();
    await expect(fault(name)).toHaveAttribute("aria-pressed", "false");
    await expect(stack).not.toContainText(shown);
  }
  await fault("Database away").click();
  await expect(stack).toContainText(", away");
  await page.getByRole("button", { name: "Play the rest" }).click();
  await ended(page);
  await expect(page.getByRole("region", { name: "No cache" })).toContainText("Failed");
});

test("a run is stopped, and can be run again", async ({ page }) => {
  await goThrough(page, "write-through");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(phase(page)).toHaveText("Stopped before the end.", aRun);
  await expect(page.getByTestId("verdict")).toHaveCount(0);
  await page.getByRole("button", { name: "Run again" }).click();
  await ended(page);
});

test("pressed twice it is one run", async ({ page, request }) => {
  const started = async () => {
    const { entries } = await (await request.get("/api/v1/audit")).json();
    const results: string[] = entries.map((entry: { result: string }) => entry.result);
    return new Set(results.filter((result) => result.startsWith("started"))).size;
  };
  const before = await started();
  await predict(page, "no-cache");
  await page.getByRole("button", { name: "Run it" }).dblclick();
  await ended(page);
  expect(await started()).toBe(before + 1);
});

test("a run outlives the browser that started it", async ({ page, browser, baseURL }) => {
  await goThrough(page, "two-levels");
  const address = page.url();
  await page.goto("about:blank");
  const other = await (await browser.newContext({ baseURL })).newPage();
  await open(other, address);
  await other.getByRole("button", { name: "Play the rest" }).click();
  await ended(other);
  await other.context().close();
});

test("settings reach the run", async ({ page }) => {
  await predict(page, "no-cache");
  await page.getByText("Change the settings").click();
  await page.getByLabel("Reads and writes").fill("37");
  await page.getByRole("button", { name: "Run it" }).click();
  await ended(page);
  await expect(page.getByTestId("results").locator("tbody tr").first().getByRole("cell").first()).toHaveText("37");
  await expect(page.getByRole("region", { name: "The run" })).toContainText("Reads and writes: 37 instead of 200");
});

test("a link to a run that is gone says so", async ({ page }) => {
  await open(page, "/lab/stampede?run=1-000000");
  await expect(page.getByRole("alert").filter({ hasText: "This run is gone" })).toBeVisible();
  await page.getByRole("radio").first().check();
  await page.getByRole("button", { name: "Run it" }).click();
  await ended(page);
});

test.describe("mistakes", () => {
  // The refusal of a request is what the browser reports as a failed resource.
  test.use({ provoked: [/status of 4\d\d/] });

  test("settings that cannot run say why, and nothing runs", async ({ page }) => {
    await predict(page, "no-cache");
    await page.getByText("Change the settings").click();
    await page.getByLabel("Reads and writes").fill("20000");
    await page.getByLabel("Each query takes longer by").fill("1000");
    await page.getByRole("button", { name: "Run it" }).click();
    await expect(page.getByRole("alert").filter({ hasText: "for the database alone" })).toBeVisible();
    await expect(page.getByLabel("Reads and writes")).toHaveValue("20000");
    expect(runIn(page)).toBeNull();
  });
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [360, 1280]) {
    test(`axe finds nothing on a run, ${colorScheme}, ${width} px wide`, async ({ page }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await goThrough(page, "two-levels");
      await page.getByTestId("faults").getByRole("button", { name: "Database away" }).click();
      await expect(page.getByRole("region", { name: "What runs" })).toContainText(", away");
      const check = async () => {
        const { violations } = await new AxeBuilder({ page })
          .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
          .analyze();
        expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html) }))).toEqual([]);
        const inner = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(inner).toBeLessThanOrEqual(width);
      };
      await check();
      await page.getByRole("button", { name: "Play the rest" }).click();
      await ended(page);
      await check();
    });
  }
}
