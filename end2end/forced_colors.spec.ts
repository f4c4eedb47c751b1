import { type Locator } from "@playwright/test";
import { expect, expectLive, open, test } from "./support/fixtures";

test.use({ contextOptions: { forcedColors: "active" } });

const style = (element: Locator, property: string, pseudo?: string) =>
  element.evaluate((el, [property, pseudo]) => getComputedStyle(el, pseudo ?? null).getPropertyValue(property!), [
    property,
    pseudo,
  ] as const);

test.beforeEach(async ({ page }) => {
  await open(page, "/caches/users?range=1m");
  expect(await page.evaluate(() => matchMedia("(forced-colors: active)").matches)).toBe(true);
});

test("each band and its swatch have a colour of their own", async ({ page }) => {
  const names = page.locator("#outcomes .legend tbody .swatch");
  const colours: string[] = [];
  for (const name of await names.all()) colours.push(await style(name, "background-color", "::before"));
  expect(colours).toHaveLength(8);
  expect(new Set(colours).size).toBe(8);
  const bands = page.locator("#outcomes .band");
  const fills: string[] = [];
  for (const band of await bands.all()) fills.push(await style(band, "fill"));
  expect(fills).toEqual(colours);
});

test("a bar is told from its ground, and what is chosen from the rest", async ({ page }) => {
  const bar = page.locator("#groups .bar").first();
  const parts = await bar.locator("rect").evaluateAll((all) => all.map((part) => getComputedStyle(part).fill));
  expect(new Set(parts).size).toBe(3);
  expect(await style(bar, "outline-style")).toBe("solid");
  const ranges = page.getByRole("navigation", { name: "How far back" }).getByRole("link");
  const grounds: string[] = [];
  for (const range of await ranges.all()) grounds.push(await style(range, "background-color"));
  expect(grounds[0]).not.toBe(grounds[1]);
  expect(grounds[1]).toBe(grounds[2]);
});

test("the live dot is filled, and a ring or bars are not", async ({ page }) => {
  const state = page.getByTestId("live-state");
  await expectLive(page);
  const ground = () => style(state, "background-color", "::before");
  const ink = await style(state, "border-top-color", "::before");
  expect(await ground()).toBe(ink);
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(state).toHaveText("Paused");
  expect(await ground()).not.toBe(ink);
  expect(await style(state, "border-top-width", "::before")).toBe("0px");
});

test("the focus is drawn around what has it, whole", async ({ page }) => {
  const link = page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Nodes" });
  await page.keyboard.press("Tab");
  await link.focus();
  expect(await style(link, "outline-style")).toBe("solid");
  expect(Number.parseFloat(await style(link, "outline-width"))).toBeGreaterThanOrEqual(2);
  // The navigation cuts off what lies outside of it.
  expect(Number.parseFloat(await style(link, "outline-offset"))).toBeLessThanOrEqual(-2);
});

test("no drawn ground lies under texts", async ({ page }) => {
  for (const region of await page.locator(".card .scroll").all()) {
    expect(await style(region, "background-image")).toBe("none");
  }
});
