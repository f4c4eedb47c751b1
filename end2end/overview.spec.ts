import { expect, expectLive, open, test } from "./support/fixtures";

test("the layers and what hangs off them are there", async ({ page }) => {
  await open(page, "/");
  await expect(page).toHaveTitle(/Overview/);
  for (const name of ["Where reads are answered", "L1 holds", "L2 holds", "Invalidate", "Traffic"]) {
    await expect(page.getByRole("region", { name, exact: true })).toBeVisible();
  }
});

test("everything works by keyboard", async ({ page }) => {
  await open(page, "/");
  await expectLive(page);
  await page.keyboard.press("p");
  await expect(page.getByTestId("live-state")).toHaveText("Paused");
  await page.keyboard.press("p");
  await expectLive(page);

  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Help" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Help" })).toBeHidden();

  await page.keyboard.press("/");
  await expect(page.getByTestId("invalidate-key").getByLabel("Key")).toBeFocused();
});

test("a chosen theme is there from the first byte of the next visit", async ({ page }) => {
  await open(page, "/");
  const button = page.getByRole("button", { name: /^Theme/ });
  await expect(button).toHaveText("Theme: system");
  await button.click();
  await button.click();
  await expect(button).toHaveText("Theme: dark");
  const html = await (await page.request.get("/")).text();
  expect(html).toContain('data-theme="dark"');
  await page.reload();
  await expect(button).toHaveText("Theme: dark");
});

test("what only a pointer shows is not needed, and a chart tells the hovered second", async ({ page }) => {
  await open(page, "/");
  const card = page.getByRole("region", { name: "How reads end" });
  await card.getByRole("img").hover();
  await expect(card.getByText(/at \d\d:\d\d:\d\d UTC/)).toBeVisible();
  await card.getByText("As a table").click();
  await expect(card.getByRole("table").last()).toBeVisible();
});

test("the page may load what is ours and nothing else", async ({ request }) => {
  const policy = (await request.get("/")).headers()["content-security-policy"];
  expect(policy).toContain("default-src 'self'");
  expect(policy).toMatch(/script-src 'self' 'nonce-[^']+' 'wasm-unsafe-eval'/);
  expect(policy).not.toContain("unsafe-inline");
});

test.describe("an address that is none", () => {
  test.use({ provoked: [/status of 404/] });

  test("is answered with 404 and a way back", async ({ page }) => {
    const answer = await page.goto("/nothing-here");
    expect(answer?.status()).toBe(404);
    await page.getByRole("main").getByRole("link", { name: "The overview" }).click();
    await expect(page.getByRole("region", { name: "L1 holds" })).toBeVisible();
  });
});
