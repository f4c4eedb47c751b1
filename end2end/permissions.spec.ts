import { expect, open, testOnOwnServer } from "./support/fixtures";
import { Server } from "./support/server";

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
  const name = `strata_session_${new URL(page.url()).port}`;
  const cookie = (await page.context().cookies()).find((cookie) => cookie.name === name);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
  expect(cookie!.value).not.toContain("sesame");

  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
  await open(page, "/");
  await expect(button).toBeDisabled();
});

guarded("a session that has ended says so", async ({ page, baseURL }) => {
  const name = `strata_session_${new URL(baseURL!).port}`;
  const cookie = { name, value: "yesterday", url: baseURL! };
  await page.context().addCookies([cookie]);
  await open(page, "/");
  await expect(page.getByText("Your session has ended").first()).toBeVisible();
});

guarded("two programs on one machine do not log each other out", async ({ page, baseURL }) => {
  const other = await Server.start({ traffic: "off", more: "--operator-token other" });
  try {
    // One context is one jar of cookies, whatever the port.
    const browser = page.context().request;
    for (const [url, token] of [[baseURL!, "sesame"], [other.url, "other"]] as const) {
      const answer = await browser.post(`${url}/api/strata/log_in`, { form: { token } });
      expect(answer.status()).toBe(200);
    }
    for (const url of [baseURL!, other.url]) {
      const session = await (await browser.get(`${url}/api/v1/session`)).json();
      expect(session.role, url).toBe("operator");
    }
  } finally {
    await other.stop();
  }
});

const closed = testOnOwnServer({ traffic: "off", more: "--operator-token sesame --viewer-token ben:peep" });

closed("where viewers have tokens a visitor is led to the log-in and on to the page", async ({ page }) => {
  await page.goto("/keys?cache=users");
  await expect(page).toHaveURL(/\/login\?to=/);
  await page.getByLabel("Token").fill("peep");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/keys\?cache=users$/);
  await expect(page.getByRole("heading", { name: "Keys", exact: true })).toBeVisible();
  await page.goto("/login");
  await expect(page.getByText("You are ben and may look.")).toBeVisible();
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
  await page.goto("/");
  await expect(page).toHaveURL(/\/login/);
});
