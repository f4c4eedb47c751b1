import { expect, test } from "./support/fixtures";

const screens = [
  ["/caches/users", "How reads ended"],
  ["/keys", "Search"],
  ["/keys?cache=users&key=1", "Where it is"],
  ["/nodes", "How each node is"],
  ["/redis", "Memory"],
  ["/activity", "What happened"],
] as const;

for (const [path, card] of screens) {
  test(`${path} is a page without scripts`, async ({ page }) => {
    await page.goto(path);
    await expect(page.getByRole("region", { name: card, exact: true })).toBeVisible();
    await expect(page.getByRole("main")).toContainText(/\d|Nothing/);
  });
}

test("pages lead to each other by plain links", async ({ page }) => {
  await page.goto("/");
  const pages = page.getByRole("navigation", { name: "Pages" });
  await pages.getByRole("link", { name: "Nodes" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nodes");
  await pages.getByRole("link", { name: "Keys" }).click();
  await page.getByTestId("search-keys").getByLabel("Pattern").fill("1*");
  await page.getByTestId("search-keys").getByRole("button", { name: "Search" }).click();
  await expect(page.getByTestId("key-rows").getByRole("link").first()).toBeVisible();
});
