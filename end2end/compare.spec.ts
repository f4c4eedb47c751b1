import { gzipSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";
import { type Page } from "@playwright/test";
import { expect, open, testOnOwnServer } from "./support/fixtures";

const test = testOnOwnServer({ traffic: "off", nodes: 1, users: 100 });

/** Longer than any run or measurement may take. */
const aRun = { timeout: 45_000 };

const phase = (page: Page) => page.getByTestId("phase");

async function axe(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}

async function send(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.getByLabel("A trace of your own").setInputFiles({ name, mimeType: "application/octet-stream", buffer });
  await page.getByRole("button", { name: "Send it" }).click();
}

test("a link is opened, run, changed and run again", async ({ page }) => {
  await open(page, "/lab/compare?a=cache-aside&b=cache-aside&a.l1_entries=5&requests=120");
  const first = page.getByRole("group", { name: "Contender A" });
  await expect(first.getByLabel("Strategy")).toHaveValue("cache-aside");
  await expect(first.getByLabel("L1 holds, entries")).toHaveValue("5");
  await axe(page);

  await page.getByRole("button", { name: "Run it" }).click();
  await expect(phase(page)).toHaveAttribute("data-phase", "done", aRun);
  const rows = page.getByTestId("results").locator("tbody tr");
  await expect(rows).toHaveCount(2);
  await expect(rows.first().getByRole("rowheader")).toHaveText("Cache-aside, L1 entries 5");
  await axe(page);

  const run = page.url();
  await page.getByRole("group", { name: "Contender C" }).getByLabel("Strategy").selectOption("no-cache");
  await page.getByRole("button", { name: "Run it" }).click();
  await expect.poll(() => page.url()).not.toBe(run);
  await expect(rows).toHaveCount(3, aRun);
  await expect(phase(page)).toHaveAttribute("data-phase", "done", aRun);

  const link = page.getByTestId("share");
  await expect(link).toHaveAttribute("href", /a=cache-aside&a\.l1_entries=5&b=cache-aside&c=no-cache/);
  await link.click();
  await expect(page.getByTestId("results")).toHaveCount(0);
  await expect(page.getByRole("group", { name: "Contender C" }).getByLabel("Strategy")).toHaveValue("no-cache");
});

test("what cannot be compared says why", async ({ page }) => {
  await open(page, "/lab/compare?a=no-cache&b=magic");
  await expect(page.getByRole("alert").filter({ hasText: "find a strategy named" })).toBeVisible();
  // A browser complains about the answer's status, so it is asked without a page.
  const refused = await page.request.post("/api/strata/compare", { form: { "fields[a]": "no-cache" } });
  expect(refused.status()).toBe(422);
  expect(await refused.text()).toContain("compare 1");
});

test("a trace is sent, measured and played", async ({ page }) => {
  await open(page, "/lab/compare");
  await send(page, "mine.keys.gz", gzipSync("x\ny\nx\nz\n".repeat(50)));
  await expect(page).toHaveURL(/trace=[0-9a-f]{16}/);
  const curve = page.getByTestId("curve");
  await expect(curve).toHaveAttribute("data-state", "done", aRun);
  const card = page.getByRole("region", { name: "L1’s share by its size" });
  await expect(card).toContainText("mine.keys.gz, 200 requests for 3 keys");
  await axe(page);
  await page.getByRole("button", { name: "Run it" }).click();
  await expect(phase(page)).toHaveAttribute("data-phase", "done", aRun);
  await expect(page.getByTestId("results").locator("tbody td:first-of-type").first()).toHaveText("200");
});

test("a trace that is none is refused and says why", async ({ page }) => {
  await open(page, "/lab/compare");
  const refusal = page.getByRole("alert").filter({ hasText: "Failed to" });
  await send(page, "picture.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  await expect(refusal).toContainText("read line 1");
  await send(page, "nothing", Buffer.alloc(0));
  await expect(refusal).toContainText("find a key in it");
  await send(page, "large", Buffer.alloc(5 * 1024 * 1024, "a\n"));
  await expect(refusal).toContainText("more than 2097152 bytes");
  await expect(page).not.toHaveURL(/trace=/);
});

test("a recorded trace is picked", async ({ page }) => {
  await open(page, "/lab/compare");
  const traces = page.getByTestId("traces");
  await traces.getByRole("link", { name: "Loop" }).click();
  await expect(page).toHaveURL(/trace=loop/);
  await expect(page.getByTestId("curve")).toHaveAttribute("data-state", "done", aRun);
  await expect(page.getByLabel("Requests", { exact: true })).toHaveValue("loop");
});

test("the table is measured and says when and where", async ({ page }) => {
  await open(page, "/lab/measured");
  await expect(phase(page)).toHaveAttribute("data-phase", "empty");
  await axe(page);
  await page.getByRole("button", { name: "Measure now" }).click();
  await expect(phase(page)).toHaveAttribute("data-phase", "done", aRun);
  const rows = page.getByTestId("measured").locator("tbody tr");
  await expect(rows).toHaveCount(12);
  await expect(page.getByRole("region", { name: "A read, by where it is answered" })).toContainText("UTC, on ");
  await axe(page);
});

for (const width of [360, 1024, 1920]) {
  test(`nothing is wider than the page at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    for (const path of ["/lab/compare?a=no-cache&b=cache-aside&trace=loop", "/lab/measured"]) {
      await open(page, path);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, path).toBeLessThanOrEqual(0);
    }
  });
}
