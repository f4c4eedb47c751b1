import { expect, open, testOnOwnServer } from "./support/fixtures";

// Without traffic nothing comes and goes by itself.
const test = testOnOwnServer({ traffic: "off" });

test.beforeEach(async ({ request }) => {
  const ids = Array.from({ length: 20 }, (_, i) => 300 + i).join(",");
  for (const node of ["1", "2"]) {
    await request.get(`/demo/users?ids=${ids}`, { headers: { "x-strata-node": node } });
  }
});

test("a pattern finds keys of both levels, and says how many", async ({ page }) => {
  await open(page, "/keys");
  await expect(page.getByText("Search for keys.")).toBeVisible();
  const form = page.getByTestId("search-keys");
  await form.getByLabel("Cache").selectOption("users");
  await form.getByLabel("Pattern").fill("30?");
  await form.getByRole("button", { name: "Search" }).click();
  await expect(page).toHaveURL(/cache=users&pattern=30%3F/);
  await expect(page.getByTestId("key-rows").getByRole("row")).toHaveCount(11);
  await expect(page.getByTestId("found-counts")).toContainText("node 1: 10");
});

test("columns sort, and the order is in the address", async ({ page }) => {
  await open(page, "/keys?cache=users&pattern=30?&sort=key");
  const keys = page.getByTestId("key-rows").getByRole("rowheader");
  await expect(keys.first()).toHaveText("300");
  await expect(keys.last()).toHaveText("309");
});

test("a key is looked at in every place, and its link is its own", async ({ page }) => {
  await open(page, "/keys?cache=users&pattern=305");
  await page.getByTestId("key-rows").getByRole("link", { name: "305" }).click();
  await expect(page).toHaveURL(/\/keys\?cache=users&key=305/);
  for (const place of ["L2", "Database"]) {
    await expect(page.getByRole("region", { name: place, exact: true })).toBeVisible();
  }
  await expect(page.getByRole("region", { name: /^Value in L1 of node/ }).first()).toContainText('"id": 305');
});

test("a key is marked as stale, loaded anew and invalidated where it is looked at", async ({ page }) => {
  await open(page, "/keys?cache=users&key=306");
  for (const [button, told] of [
    ["Mark as stale", "is marked as stale"],
    ["Refresh now", "is reloaded"],
    ["Invalidate", "is invalidated"],
  ] as const) {
    await page.getByRole("button", { name: button, exact: true }).click();
    await expect(page.getByTestId("key-result")).toContainText(told);
  }
  await expect(page.getByRole("region", { name: "L2", exact: true })).toContainText("not there");
});

test("a look changes nothing that it looks at", async ({ page, request }) => {
  const reads = async () => {
    // Reports are taken once a second; one from before now may not know of the latest reads.
    const now = Date.now();
    const oldest = async () => {
      const nodes: { at_ms: number }[] = await (await request.get("/api/v1/nodes")).json();
      return Math.min(...nodes.map((node) => node.at_ms));
    };
    await expect.poll(oldest).toBeGreaterThan(now);
    const { report } = await (await request.get("/api/v1/caches/users")).json();
    return Object.values<number>(report.outcomes).reduce((a, b) => a + b);
  };
  const before = await reads();
  await open(page, "/keys?cache=users&key=307");
  await expect(page.getByTestId("key-name")).toHaveText("307");
  await open(page, "/keys?cache=users&pattern=3*");
  await expect(page.getByTestId("key-rows")).toBeVisible();
  expect(await reads()).toBe(before);
});

test("what matches much has to be typed again", async ({ page, request }) => {
  for (let from = 400; from < 1400; from += 100) {
    const ids = Array.from({ length: 100 }, (_, i) => from + i).join(",");
    await request.get(`/demo/users?ids=${ids}`);
  }
  await open(page, "/keys?cache=users&pattern=*&plan=1");
  const confirm = page.getByTestId("confirm");
  await expect(confirm).toHaveText(/Invalidate .* entries in 2 levels on 3 nodes/);
  await page.getByLabel(/Type the pattern again/).fill("*");
  await confirm.click();
  await expect(page.getByTestId("pattern-result")).toContainText("Pattern * of users is invalidated.");
  await expect(page.getByRole("region", { name: "Report" }).getByRole("link", { name: "CSV" })).toBeVisible();
});

test("script in a key or a pattern is shown as text", async ({ page }) => {
  const script = "<script>document.title='taken'</script>";
  await open(page, `/keys?cache=objects&key=${encodeURIComponent(script)}`);
  await expect(page.getByTestId("key-name")).toHaveText(script);
  await open(page, `/keys?cache=objects&pattern=${encodeURIComponent(script)}`);
  await expect(page.getByTestId("search-keys").getByLabel("Pattern")).toHaveValue(script);
  await expect(page).toHaveTitle(/^Keys/);
});
