import { expect, test } from "./support/fixtures";

interface Case {
  what: string;
  status: number;
  method?: string;
  path: string;
  body?: string;
}

const manyIds = Array.from({ length: 5000 }, (_, i) => i + 1).join(",");

const badInput: Case[] = [
  { what: "an unknown path", status: 404, path: "/api/v1/nothing" },
  { what: "an unknown cache", status: 404, path: "/api/v1/caches/nothing" },
  { what: "a key of an unknown cache", status: 404, path: "/api/v1/caches/nothing/keys/1" },
  { what: "a key that is no key of the cache", status: 400, path: "/api/v1/caches/users/keys/one" },
  { what: "an unknown invalidation", status: 404, path: "/api/v1/invalidations/999999" },
  { what: "an id that is no number", status: 400, path: "/api/v1/invalidations/last" },
  { what: "an unknown user", status: 404, path: "/demo/users/99999999" },
  { what: "a user id that is no number", status: 400, path: "/demo/users/one" },
  { what: "a list with a word in it", status: 400, path: "/demo/users?ids=1,two" },
  { what: "a huge list", status: 400, path: `/demo/users?ids=${manyIds}` },
  { what: "a method that the path has not", status: 405, method: "PATCH", path: "/api/v1/nodes" },
  {
    what: "malformed JSON",
    status: 400,
    method: "POST",
    path: "/api/v1/caches/users/plans",
    body: '{"pattern":',
  },
  {
    what: "a body that is too large",
    status: 413,
    method: "POST",
    path: "/api/v1/caches/users/plans",
    body: JSON.stringify({ pattern: "1".repeat(100_000) }),
  },
  {
    what: "an empty pattern",
    status: 400,
    method: "POST",
    path: "/api/v1/caches/users/plans",
    body: '{"pattern":""}',
  },
  {
    what: "an unfinished class in a pattern",
    status: 400,
    method: "POST",
    path: "/api/v1/caches/users/invalidations",
    body: '{"pattern":"users:["}',
  },
  {
    what: "a field that is not known",
    status: 422,
    method: "PUT",
    path: "/api/v1/demo/traffic",
    body: '{"speed":1}',
  },
  {
    what: "traffic that cannot be",
    status: 400,
    method: "PUT",
    path: "/api/v1/demo/traffic",
    body: '{"running":true,"rate_per_s":10,"skew":-1,"write_share":2}',
  },
];

test.describe("bad input is answered with a problem", () => {
  for (const { what, status, method = "GET", path, body } of badInput) {
    test(`${what}: ${status}`, async ({ request }) => {
      const headers = body === undefined ? undefined : { "content-type": "application/json" };
      const answer = await request.fetch(path, { method, headers, data: body && Buffer.from(body) });
      expect(answer.status()).toBe(status);
      expect(answer.headers()["content-type"]).toContain("application/problem+json");
      const problem = await answer.json();
      expect(problem).toMatchObject({ status, title: expect.any(String), type: expect.any(String) });
      expect(problem.detail).not.toBe("");
    });
  }

  test("a change that another site asks for: 403", async ({ request }) => {
    const answer = await request.delete("/api/v1/caches/users/keys/1", {
      headers: { "sec-fetch-site": "cross-site", origin: "http://example.org" },
    });
    expect(answer.status()).toBe(403);
  });
});

test("a written user is read back on every node, never the older one", async ({ request }) => {
  const path = "/demo/users/1234";
  const nodes = ["1", "2", "3"];
  for (const round of [1, 2, 3]) {
    for (const node of nodes) {
      const seen = await request.get(path, { headers: { "x-strata-node": node } });
      expect(seen.ok()).toBe(true);
    }
    const name = `Renamed ${round}`;
    const put = await request.put(path, {
      headers: { "x-strata-node": `${round}` },
      data: { name },
    });
    expect(put.ok(), await put.text()).toBe(true);
    for (const node of nodes) {
      const seen = await request.get(path, { headers: { "x-strata-node": node } });
      expect(await seen.json(), `node ${node}`).toMatchObject({ name });
    }
  }
});

test("a write over a newer version is refused and changes nothing", async ({ request }) => {
  const path = "/demo/users/1235";
  const { version } = await (await request.get(path)).json();
  const first = await request.put(path, { data: { name: "First", version } });
  expect(first.status()).toBe(200);
  const second = await request.put(path, { data: { name: "Second", version } });
  expect(second.status()).toBe(409);
  expect(await (await request.get(path)).json()).toMatchObject({ name: "First" });
});

test("an answer says how the caches took part", async ({ request }) => {
  const path = "/demo/users/77";
  const headers = { "x-strata-node": "1" };
  await request.get(path, { headers });
  const again = await request.get(path, { headers });
  expect(again.headers()["cache-status"]).toMatch(/hit/);
  expect(again.headers()["server-timing"]).toMatch(/dur=/);
});

test("the demo's caches are told in the order in which they were built", async ({ request }) => {
  const caches = await (await request.get("/api/v1/caches")).json();
  const names = caches.map((cache: { report: { cache: string } }) => cache.report.cache);
  expect(names).toEqual(["users", "posts", "timelines", "objects"]);
});

test("the files of a page are kept for ever, and sent once", async ({ request }) => {
  const page = await (await request.get("/login")).text();
  const path = /href="([^"]*\/pkg\/[^"]+\.css)"/.exec(page)![1]!;
  const file = await request.get(path, { headers: { "accept-encoding": "br, gzip" } });
  expect(file.status()).toBe(200);
  expect(file.headers()["cache-control"]).toContain("immutable");
  expect(file.headers()["content-type"]).toBe("text/css; charset=utf-8");
  expect(file.headers()["vary"]).toContain("accept-encoding");
  const etag = file.headers()["etag"]!;
  expect(etag).toMatch(/^"[^"]+"$/);
  const known = { "accept-encoding": "br, gzip", "if-none-match": etag };
  const again = await request.get(path, { headers: known });
  expect([again.status(), (await again.body()).length]).toEqual([304, 0]);
  const head = await request.head(path, { headers: { "accept-encoding": "br, gzip" } });
  expect([head.status(), head.headers()["etag"]]).toEqual([200, etag]);
  const plain = await request.get(path, { headers: { "accept-encoding": "br;q=0" } });
  expect(plain.status()).toBe(200);
  expect(plain.headers()["content-encoding"]).toBeUndefined();
  expect(await plain.text()).toBe(await file.text());
  const unknown = await request.get(path.replace(/[^/]+$/, "other.css"));
  expect(unknown.status()).toBe(404);
});
