import { kill } from "node:process";
import { type APIRequestContext } from "@playwright/test";
import { expect, open, testOnOwnServer } from "./support/fixtures";

const test = testOnOwnServer({ traffic: "steady" });

interface Redis {
  state: "off" | "up" | "down";
  pid: number | null;
}

async function redis(request: APIRequestContext): Promise<Redis> {
  return (await (await request.get("/readyz")).json()).redis;
}

async function failedReads(request: APIRequestContext): Promise<number> {
  const caches: { report: { outcomes: { failed: number } } }[] = await (
    await request.get("/api/v1/caches")
  ).json();
  return caches.reduce((sum, cache) => sum + cache.report.outcomes.failed, 0);
}

async function expectEveryRequestAnswered(request: APIRequestContext): Promise<void> {
  for (let id = 1; id <= 30; id++) {
    expect((await request.get(`/demo/users/${id}`)).status()).toBe(200);
  }
}

test("Redis hangs, dies and comes back while requests go on", async ({ page, request }) => {
  await open(page, "/");
  await expect.poll(async () => (await redis(request)).state, { timeout: 20_000 }).toBe("up");
  const { pid } = await redis(request);
  expect(pid).not.toBeNull();

  await test.step("it hangs", async () => {
    kill(pid!, "SIGSTOP");
    await expectEveryRequestAnswered(request);
    await expect.poll(async () => (await redis(request)).state, { timeout: 20_000 }).toBe("down");
    await expect(page.getByText("Redis is away.")).toBeVisible({ timeout: 20_000 });
    await expectEveryRequestAnswered(request);
  });

  await test.step("it dies and another one starts, empty", async () => {
    kill(pid!, "SIGKILL");
    await expect.poll(async () => (await redis(request)).pid, { timeout: 20_000 }).not.toBe(pid);
    await expect.poll(async () => (await redis(request)).state, { timeout: 20_000 }).toBe("up");
    await expectEveryRequestAnswered(request);
    await expect(page.getByText("Redis is away.")).toBeHidden({ timeout: 20_000 });
  });

  expect(await failedReads(request)).toBe(0);
});
