import { expect, expectLive, open, test } from "./support/fixtures";

const cards = [
  "How reads ended",
  "Now",
  "L1 and L2, side by side",
  "What if L1 were larger or smaller?",
  "Key groups",
  "Why entries were removed from L1",
  "Age of removed entries",
  "Gets in L1",
  "Gets in L2",
  "Loads",
  "When entries of L1 expire",
  "How large entries are",
  "Hot keys",
  "Most missed in L1",
  "Settings in force",
];

const number = (text: string) => Number(text.replace(/\D/g, ""));

test("a cache's page holds every card", async ({ page }) => {
  await open(page, "/caches/users");
  await expect(page).toHaveTitle(/users/);
  for (const name of cards) {
    await expect(page.getByRole("region", { name, exact: true })).toBeVisible();
  }
});

test("the bands of the outcomes add up to all reads", async ({ page }) => {
  await open(page, "/caches/users");
  // All at once: the page moves on while it is read.
  const texts = await page.evaluate(() =>
    [...document.querySelectorAll("#outcomes .legend td:last-child")].map((cell) => cell.textContent!),
  );
  const counts = texts.map(number);
  const all = counts.pop()!;
  expect(counts).toHaveLength(8);
  expect(counts.reduce((a, b) => a + b)).toBe(all);
  expect(all).toBeGreaterThan(0);
});

test("the range is in the address and survives a reload", async ({ page }) => {
  await open(page, "/caches/users");
  await page.getByRole("link", { name: "2 h", exact: true }).click();
  await expect(page).toHaveURL(/\?range=2h/);
  const chosen = page.getByRole("navigation", { name: "How far back" }).locator("[aria-current]");
  await expect(chosen).toHaveText("2 h");
  await page.reload();
  await expect(chosen).toHaveText("2 h");
});

test("the page draws itself anew and keeps what somebody opened", async ({ page }) => {
  await open(page, "/caches/users?range=1m");
  const outcomes = page.getByRole("region", { name: "How reads ended" });
  await outcomes.getByText("As a table").click();
  const row = outcomes.locator(".twin tbody tr").first();
  const before = await row.innerText();
  await expect(row).not.toHaveText(before, { useInnerText: true });
  await expect(outcomes.locator(".twin")).toHaveAttribute("open", "");
});

test("another cache is a link away, and the stream goes on", async ({ page }) => {
  await open(page, "/caches/users");
  await expectLive(page);
  await page.getByRole("navigation", { name: "Caches" }).getByRole("link", { name: "posts" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("posts");
  await expectLive(page);
});

test.describe("a cache that is none", () => {
  test.use({ provoked: [/status of 404/] });

  test("is answered with 404 and a way back", async ({ page }) => {
    const answer = await page.goto("/caches/nothing");
    expect(answer?.status()).toBe(404);
    await expect(page.getByRole("main")).toContainText('find the cache "nothing"');
  });
});
