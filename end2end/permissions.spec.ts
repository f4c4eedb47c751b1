import { expect, open, testOnOwnServer } from "./support/fixtures";

const readOnly = testOnOwnServer({ traffic: "off", more: "--read-only" });

readOnly("a read-only program refuses on the page and says why", async ({ page }) => {
  await open(page, "/");
  const button = page.getByTestId("invalidate-key").getByRole("button", { name: "Invalidate" });
  await expect(button).toBeDisabled();
  await expect(page.getByText("--read-only").first()).toBeVisible();
});

readOnly("a read-only program refuses every change by HTTP, and records it", async ({ request }) => {
  const changes = [
    request.delete("/api/v1/caches/users/keys/1"),
    request.post("/api/v1/caches/users/invalidations", { data: { pattern: "*" } }),
    request.put("/demo/users/1", { data: { name: "Nobody" } }),
    request.put("/api/v1/demo/traffic", {
      data: { running: true, rate_per_s: 1, skew: 1, write_share: 0 },
    }),
  ];
  for (const answer of await Promise.all(changes)) {
    expect(answer.status(), answer.url()).toBe(403);
    expect((await answer.json()).detail).toContain("--read-only");
  }
  const audit = await (await request.get("/api/v1/audit")).json();
  expect(audit.entries).toHaveLength(changes.length);
});

const guarded = testOnOwnServer({ traffic: "off", more: "--operator-token sesame" });

guarded("who has the token may act, by header", async ({ request }) => {
  const path = "/api/v1/caches/users/keys/1";
  expect((await request.delete(path)).status()).toBe(403);
  const wrong = await request.delete(path, { headers: { authorization: "Bearer sesam" } });
  expect(wrong.status()).toBe(403);
  const right = await request.delete(path, { headers: { authorization: "Bearer sesame" } });
  expect(right.status()).toBe(200);
});

guarded("who has the token may act, by logging in on the page", async ({ page }) => {
  await open(page, "/");
  const button = page.getByTestId("invalidate-key").getByRole("button", { name: "Invalidate" });
  await expect(button).toBeDisabled();
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Operator's token").fill("sesame");
  await page.getByRole("dialog").getByRole("button", { name: "Log in" }).click();
  await expect(button).toBeEnabled();

  await page.getByTestId("invalidate-key").getByLabel("Key").fill("1");
  await button.click();
  await expect(page.getByTestId("key-result")).toContainText("is invalidated.");
  const cookie = (await page.context().cookies()).find(({ name }) => name === "strata_operator");
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });

  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
  await open(page, "/");
  await expect(button).toBeDisabled();
});

guarded("a log-in whose token has changed since says so", async ({ page, baseURL }) => {
  const cookie = { name: "strata_operator", value: "yesterday", url: baseURL! };
  await page.context().addCookies([cookie]);
  await open(page, "/");
  await expect(page.getByText("no longer, the operator's. Log in again.").first()).toBeVisible();
});
