import type { Page } from "@playwright/test";
import { expect, expectAlive, expectLive, expectLost, test as base } from "./support/fixtures";
import { pages } from "./support/screens";
import { FarRedis } from "./support/far_redis";
import { Shop, type MountedAt } from "./support/shop";

/** Every page but those of the lab, which a mounted dashboard does not have, and a search. */
const screens = [
  ...pages.map(({ path }) => path.replace(":cache", "products")).filter((path) => !path.startsWith("/lab")),
  "/keys?cache=products&pattern=*",
  "/keys?cache=products&key=1",
];

interface Fixtures {
  /** Logs in to the shop, and reads some products so that the caches hold something. */
  logIn: (name: string) => Promise<void>;
  /** Where browsers find a page of the dashboard. */
  dashboard: (path: string) => string;
}

const test = base.extend<Fixtures, MountedAt & { shop: Shop }>({
  dashboardAt: ["/cache", { option: true, scope: "worker" }],
  shop: [
    async ({ dashboardAt }, use) => {
      const shop = await Shop.start(dashboardAt);
      await use(shop);
      expect(await shop.stop(), "it stops although pages are open").toBe(0);
    },
    { scope: "worker", timeout: 60_000 },
  ],
  dashboard: async ({ shop, dashboardAt }, use) => {
    const base = shop.url + dashboardAt.replace(/\/$/, "");
    await use((path) => (path === "/" && dashboardAt !== "/" ? base : base + path));
  },
  logIn: async ({ page, shop }, use) => {
    await use(async (name) => {
      const form = { name, password: "teapot" };
      expect((await page.request.post(`${shop.url}/login`, { form })).ok()).toBe(true);
      for (const path of ["/products/1", "/products/2", "/stock/1"]) {
        expect((await page.request.get(`${shop.url}${path}`)).ok()).toBe(true);
      }
    });
  },
});

test("every screen is drawn and taken over under the application's policy and log-in", async ({ page, dashboard, logIn }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await logIn("anna");
  for (const screen of screens) {
    const answer = await page.goto(dashboard(screen));
    expect(answer?.status(), screen).toBe(200);
    expect(answer?.headers()["content-security-policy"]).toContain("default-src 'none'");
    await expectAlive(page);
    await expectLive(page);
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    await expect(page.locator(".environment")).toHaveText("development");
  }
  const base = new URL(dashboard("/")).pathname.replace(/\/$/, "");
  expect(asked.filter((path) => path !== base && !path.startsWith(`${base}/`))).toEqual([]);
});

test.describe("out of the dashboard", () => {
  // The application has no picture for its own pages.
  test.use({ provoked: [/status of 404/] });

  test("links lead through the dashboard, and out of it to the application", async ({ page, shop, dashboard, logIn }) => {
    await logIn("anna");
    await page.goto(dashboard("/"));
    await expectAlive(page);
    for (const name of ["Keys", "Nodes", "Redis", "Activity", "Overview"]) {
      await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
      await expect(page).toHaveTitle(`${name} · Strata`);
    }
    await page.getByRole("link", { name: "Application" }).click();
    await expect(page).toHaveURL(`${shop.url}/products/1`);
  });
});

test("an operator invalidates a key, and the audit trail names them", async ({ page, dashboard, logIn }) => {
  await logIn("anna");
  await page.goto(dashboard("/keys?cache=products&key=1"));
  await expectAlive(page);
  await page.getByRole("button", { name: "Invalidate", exact: true }).click();
  await expect(page.getByTestId("key-result")).toContainText("is invalidated");
  await page.goto(dashboard("/activity"));
  const line = page.getByRole("row").filter({ hasText: "anna" });
  await expect(line.first()).toContainText("products");
});

test.describe("who may not look", () => {
  test.use({ provoked: [/status of 403/] });

  test("is told so, and who may only look cannot act", async ({ page, dashboard, logIn }) => {
    expect((await page.goto(dashboard("/")))?.status()).toBe(403);
    await expect(page.getByRole("main")).toContainText("does not let you look");
    await logIn("eva");
    await page.goto(dashboard("/keys?cache=products&key=1"));
    await expectAlive(page);
    await expect(page.getByRole("button", { name: "Invalidate", exact: true })).toBeDisabled();
    expect((await page.request.get(dashboard("/api/v1/caches/products/keys/1"))).ok()).toBe(true);
  });
});

test("numbers go on while the application is asked again and again who looks", async ({ page, dashboard, logIn }) => {
  test.setTimeout(180_000);
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "SharedWorker");
    addEventListener("strata-state", (event) => {
      const states = document.documentElement.dataset.states ?? "";
      document.documentElement.dataset.states = `${states} ${(event as MessageEvent).data}`;
    });
  });
  await logIn("eva");
  let nResumed = 0;
  page.on("request", (request) => (nResumed += Number(request.url().includes("/events?renew=true&resume="))));
  await page.goto(dashboard("/"));
  await expectLive(page);
  await expect.poll(() => nResumed, { timeout: 120_000 }).toBeGreaterThan(1);
  await expectLive(page);
  await expect(page.locator("html")).not.toHaveAttribute("data-states", /Lost/);
});

test.describe("when the application lets somebody look no longer", () => {
  test.use({ provoked: [/status of 403/] });

  test("the page leads to the application and not to a log-in page of its own", async ({ page, dashboard, logIn }) => {
    await logIn("eva");
    await page.goto(dashboard("/nodes"));
    await expectLive(page);
    await page.context().clearCookies();
    const notice = page.locator("#notice");
    await expect(notice).toContainText("does not let you look", { timeout: 60_000 });
    await expect(notice.getByRole("link")).toHaveText("Application");
    await expect(notice.getByRole("link")).toHaveAttribute("href", "/products/1");
  });
});

test.describe("when the application stops", () => {
  test.use({ provoked: [/Failed to load resource|ERR_/] });

  test("it ends although a page is live, and the page says so", async ({ page, dashboardAt }) => {
    const shop = await Shop.start(dashboardAt);
    try {
      await page.request.post(`${shop.url}/login`, { form: { name: "anna", password: "teapot" } });
      await page.goto(`${shop.url}${dashboardAt.replace(/\/$/, "")}/nodes`);
      await expectLive(page);
      expect(await shop.stop()).toBe(0);
      await expectLost(page);
    } finally {
      await shop.stop();
    }
  });
});

/** Takes `'wasm-unsafe-eval'` out of the application's policy. */
async function forbidWasm(page: Page): Promise<void> {
  await page.route("**/*", async (route) => {
    if (route.request().resourceType() !== "document") return route.continue();
    const response = await route.fetch();
    const headers = response.headers();
    const policy = headers["content-security-policy"]?.replace(" 'wasm-unsafe-eval'", "");
    await route.fulfill({ response, headers: { ...headers, "content-security-policy": policy ?? "" } });
  });
}

test.describe("where the application's policy forbids WebAssembly", () => {
  test.use({ provoked: [/wasm|WebAssembly|Content Security Policy/] });

  test("the page stays as the server drew it, and says why", async ({ page, dashboard, logIn }) => {
    await logIn("anna");
    await forbidWasm(page);
    await page.goto(dashboard("/nodes"));
    await expect(page.locator("#notice")).toContainText("lacks 'wasm-unsafe-eval'");
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Keys" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Keys");
  });
});

test("two shops on one Redis see each other, and what one invalidates is gone in both", async ({ page, dashboardAt }) => {
  test.setTimeout(120_000);
  const redis = await FarRedis.start();
  const shops: Shop[] = [];
  const below = (shop: Shop, path: string) => shop.url + dashboardAt.replace(/\/$/, "") + path;
  /** The nodes that hold a product in L1, as a shop's dashboard sees them. */
  const holders = async (shop: Shop): Promise<number> => {
    const look = await (await page.request.get(below(shop, "/api/v1/caches/products/keys/1"))).json();
    return (look.l1 ?? []).filter(({ entry }: { entry: unknown }) => entry !== null).length;
  };
  const counted = async (shop: Shop) => (await (await page.request.get(below(shop, "/api/v1/nodes/rows"))).json()).fleet?.counted;
  try {
    for (let n = 0; n < 2; n += 1) shops.push(await Shop.start(dashboardAt, { REDIS_URL: redis.url }));
    for (const shop of shops) {
      const form = { name: "anna", password: "teapot" };
      // Both are one host, whose cookies know no ports.
      expect((await page.request.post(`${shop.url}/login`, { form })).ok()).toBe(true);
      await expect.poll(() => counted(shop), { timeout: 30_000 }).toBe(2);
      await page.goto(below(shop, "/nodes"));
      await expectAlive(page);
      await expect(page.getByTestId("of-nodes")).toHaveText("of 2 of 2 nodes");
      await expect
        .poll(async () => {
          for (const other of shops) await page.request.get(`${other.url}/products/1`);
          return holders(shop);
        })
        .toBe(2);
      await page.goto(below(shop, "/keys?cache=products&key=1"));
      await expectAlive(page);
      await page.getByRole("button", { name: "Invalidate", exact: true }).click();
      await expect(page.getByTestId("key-result")).toContainText("is invalidated");
      await expect.poll(() => holders(shop)).toBe(0);
    }
    expect(await shops[0]!.stop()).toBe(0);
    await expect.poll(() => counted(shops[1]!), { timeout: 30_000 }).toBe(1);
  } finally {
    for (const shop of shops) await shop.stop();
    await redis.stop();
  }
});

test("a service with moka alone shows its cache to this machine", async ({ page }) => {
  const squares = await Shop.startMokaOnly();
  try {
    expect(await (await page.request.get(`${squares.url}/squares/12`)).text()).toBe("144");
    await page.goto(`${squares.url}/cache/caches/squares`);
    await expectLive(page);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("squares");
  } finally {
    await squares.stop();
  }
});
