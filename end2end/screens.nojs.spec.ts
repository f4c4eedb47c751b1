import { expect, test } from "./support/fixtures";

const screens = [
  ["/caches/users", "How reads ended"],
  ["/keys", "Search"],
  ["/keys?cache=users&key=1", "Where it is"],
  ["/nodes", "Node health"],
  ["/redis", "Memory"],
  ["/activity", "What happened"],
  ["/lab", "The lessons"],
  ["/lab/stampede", "Predict, then run"],
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

test("a long list is read in parts, by links", async ({ page, request }) => {
  const ids = Array.from({ length: 300 }, (_, i) => 1 + i).join(",");
  await request.get(`/demo/users?ids=${ids}`);
  await page.goto("/keys?cache=users&pattern=*");
  const first = page.getByTestId("key-rows").getByRole("rowheader").first();
  const before = await first.innerText();
  await page.getByRole("link", { name: "Later rows" }).click();
  await expect(first).not.toHaveText(before);
  await page.getByRole("link", { name: "Earlier rows" }).click();
  await expect(first).toHaveText(before);
});

test("what was refused says why on the page that asked", async ({ page, request }) => {
  const ids = Array.from({ length: 300 }, (_, i) => 1000 + i).join(",");
  await request.get(`/demo/users?ids=${ids}`);
  await page.goto("/keys?cache=users&pattern=*&plan=1");
  await page.getByLabel(/Type the pattern again/).fill("something else");
  await page.getByTestId("confirm").click();
  await expect(page.getByRole("alert")).toContainText("must be typed again");
  await expect(page.getByTestId("plan-l1")).toBeVisible();
});
