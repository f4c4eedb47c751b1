import { type APIRequestContext } from "@playwright/test";
import { expect, open, testOnOwnServer } from "./support/fixtures";

const test = testOnOwnServer({ traffic: "off" });

/** Keys, and how people read them. */
const odd: [key: string, shown: string][] = [
  ["odd 7 ", "odd 7\\u{20}"],
  ["odd 7\u200b", "odd 7\\u{200b}"],
  ["odd \u202egpj.7", "odd \\u{202e}gpj.7"],
  ["odd a\u00a0b", "odd a\\u{a0}b"],
];

const path = (key: string) => `/demo/objects/${encodeURIComponent(key)}`;
const found = (pattern: string, more = "") => `/keys?cache=objects&pattern=${encodeURIComponent(pattern)}${more}`;

async function readAll(request: APIRequestContext): Promise<void> {
  for (const [key] of odd) {
    expect((await request.get(path(key))).ok()).toBe(true);
  }
}

test.beforeEach(({ request }) => readAll(request));

test("keys that look alike or turn the line round are told apart, and their links lead to them", async ({ page }) => {
  for (const [key, shown] of odd) {
    await open(page, found("odd*"));
    await page.getByTestId("key-rows").getByRole("link", { name: shown, exact: true }).click();
    await expect(page).toHaveURL(new RegExp(`key=${encodeURIComponent(key)}$`));
    await expect(page.getByTestId("key-name")).toHaveText(shown);
    await expect(page.getByRole("region", { name: "Database", exact: true })).toContainText("asked just now");
  }
});

test("a plan, its report and the trail write out what cannot be seen", async ({ page, request }) => {
  await open(page, found("odd*", "&plan=1"));
  for (const [, shown] of odd) await expect(page.getByLabel("Some of the keys")).toContainText(shown);
  for (const [key, shown] of odd) {
    await request.delete(`/api/v1/caches/objects/keys/${encodeURIComponent(key)}`);
    await open(page, "/activity");
    await expect(page.getByTestId("audit")).toContainText(shown);
  }
});

test("a pattern with a line break that matches much is confirmed as it is written out", async ({ page, request }) => {
  const keys = Array.from({ length: 400 }, (_, i) => `odd amany ${i}`);
  for (const node of ["1", "2", "3"]) {
    for (const key of keys) await request.get(path(key), { headers: { "x-strata-node": node } });
  }
  await open(page, found("odd [\na]many *", "&plan=1"));
  await page.getByLabel(/as it is written out: odd \[\\u\{a\}a\]many \*/).fill("odd [\\u{a}a]many *");
  await page.getByTestId("confirm").click();
  await expect(page.getByTestId("pattern-result")).toContainText("Pattern odd [\\u{a}a]many * of objects is invalidated.");
});

test("text that is no key of a cache is answered with what its keys look like", async ({ page, request }) => {
  for (let i = 0; i < 300; i++) await request.get("/demo/users/7");
  await expect
    .poll(async () => {
      await request.get("/demo/users/7");
      const { report } = await (await request.get("/api/v1/caches/users")).json();
      return report.hot_keys?.keys.length ?? 0;
    })
    .toBeGreaterThan(0);
  await open(page, "/keys?cache=users&key=nosuch");
  await expect(page.getByRole("main")).toContainText("Keys of users are numbers, for example 7.");
  await open(page, "/keys?cache=users&key=7%20");
  await expect(page.getByTestId("key-name")).toHaveText("7");
});
