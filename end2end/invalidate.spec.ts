import { type APIRequestContext } from "@playwright/test";
import { expect, open, testOnOwnServer } from "./support/fixtures";

// Without traffic nothing refills what an invalidation removes.
const test = testOnOwnServer({ traffic: "off" });

const nodes = ["1", "2", "3"];

async function readOnEveryNode(request: APIRequestContext, path: string): Promise<void> {
  for (const node of nodes) {
    const answer = await request.get(path, { headers: { "x-strata-node": node } });
    expect(answer.status()).toBe(200);
  }
}

/** Where a key is: the nodes whose L1 holds it, and what L2 has. */
async function look(request: APIRequestContext, cache: string, key: string) {
  const seen = await (await request.get(`/api/v1/caches/${cache}/keys/${key}`)).json();
  const holding = seen.l1.filter((l1: { entry: unknown }) => l1.entry !== null);
  return { l1: holding.map((l1: { node: string }) => l1.node), l2: seen.l2.state };
}

test("a key leaves both levels and every node", async ({ page, request }) => {
  await readOnEveryNode(request, "/demo/users/42");
  expect(await look(request, "users", "42")).toEqual({ l1: nodes, l2: "entry" });

  await open(page, "/");
  const form = page.getByTestId("invalidate-key");
  await form.getByLabel("Cache").selectOption("users");
  await form.getByLabel("Key").fill("42");
  await form.getByRole("button", { name: "Invalidate" }).click();

  const result = page.getByTestId("key-result");
  await expect(result).toContainText("Key 42 of users is invalidated.");
  await expect(result.getByText("1 entry removed")).toHaveCount(nodes.length + 1);
  expect(await look(request, "users", "42")).toEqual({ l1: [], l2: "absent" });
});

test("a pattern is planned, confirmed and gone", async ({ page, request }) => {
  const ids = Array.from({ length: 10 }, (_, i) => 1500 + i);
  await readOnEveryNode(request, `/demo/users?ids=${ids.join(",")}`);

  await open(page, "/");
  const form = page.getByTestId("invalidate-pattern");
  await form.getByLabel("Cache").selectOption("users");
  await form.getByLabel("Pattern").fill("150?");
  await form.getByRole("button", { name: "Plan" }).click();
  await expect(page).toHaveURL(/\/keys\?cache=users&pattern=150.*&plan=1/);
  await expect(page.getByTestId("plan-l1")).toHaveText("30");
  await expect(page.getByTestId("plan-l2")).toHaveText("10");
  expect(await look(request, "users", "1500"), "a plan changes nothing").toEqual({
    l1: nodes,
    l2: "entry",
  });

  await page.getByRole("button", { name: "Invalidate 40 entries in 2 levels on 3 nodes" }).click();
  const result = page.getByTestId("pattern-result");
  await expect(result).toContainText("Pattern 150? of users is invalidated.");
  await expect(result.getByText("10 entries removed")).toHaveCount(nodes.length + 1);
  for (const id of ids) {
    expect(await look(request, "users", `${id}`)).toEqual({ l1: [], l2: "absent" });
  }
});

test("a removal is seen among the evictions", async ({ page, request }) => {
  await readOnEveryNode(request, "/demo/users/77");
  await open(page, "/");
  const explicit = page.getByTestId("eviction-explicit");
  const before = Number(await explicit.getAttribute("data-value"));
  await request.delete("/api/v1/caches/users/keys/77");
  await expect(explicit).toHaveAttribute("data-value", `${before + nodes.length}`);
});

test("a post makes its author's timeline new on every node", async ({ request }) => {
  const timeline = "/demo/timelines/7";
  await readOnEveryNode(request, timeline);
  const post = await request.post("/demo/posts", {
    data: { author_id: 7, title: "Fresh", body: "Just written." },
  });
  expect(post.ok(), await post.text()).toBe(true);
  for (const node of nodes) {
    const seen = await request.get(timeline, { headers: { "x-strata-node": node } });
    expect(await seen.text(), `node ${node}`).toContain("Fresh");
  }
});

test.describe("mistakes", () => {
  // The refusal of a request is what the browser reports as a failed resource.
  test.use({ provoked: [/status of 4\d\d/] });

  test("a key that is none says so, and nothing else changes", async ({ page }) => {
    await open(page, "/");
    const form = page.getByTestId("invalidate-key");
    await form.getByLabel("Cache").selectOption("users");
    await form.getByLabel("Key").fill("forty-two");
    await form.getByRole("button", { name: "Invalidate" }).click();
    await expect(page.getByRole("alert").filter({ hasText: "forty-two" })).toBeVisible();
  });

  test("a pattern that is none says so", async ({ page }) => {
    await open(page, "/");
    const form = page.getByTestId("invalidate-pattern");
    await form.getByLabel("Pattern").fill("[");
    await form.getByRole("button", { name: "Plan" }).click();
    await expect(page.getByRole("alert").filter({ hasText: /pattern|class|\[/i })).toBeVisible();
    await expect(page.getByTestId("plan-l1")).toHaveCount(0);
  });
});
