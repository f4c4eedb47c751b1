import { execFileSync } from "node:child_process";
import { expect, test } from "./support/fixtures";

test("promtool has nothing to say against the metrics", async ({ request }) => {
  const metrics = await request.get("/metrics");
  expect(metrics.headers()["content-type"]).toContain("text/plain");
  execFileSync("promtool", ["check", "metrics"], { input: await metrics.text() });
});

test("metrics and API tell the same", async ({ request }) => {
  const path = "/demo/objects/told-twice";
  const reads = async () => {
    const text = await (await request.get("/metrics")).text();
    const lines = text.split("\n").filter((line) => /^cache_requests_total\{.*cache="objects"/.test(line));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  const before = await reads();
  for (let i = 0; i < 5; i++) await request.get(path);
  await expect.poll(reads).toBe(before + 5);
  const objects = await (await request.get("/api/v1/caches/objects")).json();
  const counts: Record<string, number> = objects.report.outcomes;
  expect(Object.values(counts).reduce((a, b) => a + b)).toBe(before + 5);
});
