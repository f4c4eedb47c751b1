import { expect, expectLive, open, test } from "./support/fixtures";
import { navigation } from "./support/screens";

// The first page is open already, so it comes last.
const [first, ...others] = navigation;
const inTurn = [...others, first!];

test("g and a letter lead to every page", async ({ page }) => {
  await open(page, "/");
  for (const { letter, title } of inTurn) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter!);
    await expect(page).toHaveTitle(new RegExp(`^${title}`));
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
  }
});

test("the palette leads to a cache by a part of its name", async ({ page }) => {
  await open(page, "/");
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Go to a page, or run an action" });
  await expect(palette).toBeVisible();
  await expect(palette.getByLabel("Page, cache or action")).toBeFocused();
  await page.keyboard.type("timel");
  await expect(palette.getByRole("link")).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/caches\/timelines/);
  await expect(palette).toBeHidden();
});

test("arrows walk over the palette, and it acts", async ({ page }) => {
  await open(page, "/nodes");
  await expectLive(page);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("pause");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("live-state")).toHaveText("Paused");
});

test("a slash leads to the search of the page", async ({ page }) => {
  await open(page, "/keys");
  await page.keyboard.press("/");
  await expect(page.getByTestId("search-keys").getByLabel("Pattern")).toBeFocused();
});

test("every page is within reach at 360 px", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, "/");
  for (const { title: name } of inTurn) {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  }
});

test("a link that says of itself what it is leads on without loading anew, an external one does not", async ({ page }) => {
  await open(page, "/");
  const mark = () => page.locator("html").evaluate((html) => html.setAttribute("data-same-document", "true"));
  const link = (name: string) => page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name });
  const follow = async (name: string, rel: string) => {
    await link(name).evaluate((link: HTMLAnchorElement, rel) => (link.rel = rel), rel);
    await link(name).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  };
  await mark();
  await follow("Nodes", "next noopener");
  await expect(page.locator("html")).toHaveAttribute("data-same-document", "true");
  await follow("Keys", "nofollow external");
  await expect(page.locator("html")).not.toHaveAttribute("data-same-document", "true");
});
