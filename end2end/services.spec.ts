import { kill } from "node:process";
import AxeBuilder from "@axe-core/playwright";
import { type Page } from "@playwright/test";
import { expect, expectLive, open } from "./support/fixtures";
import { basePath } from "./support/program";
import { pages } from "./support/screens";
import { operator, testOnServices } from "./support/services";

const test = testOnServices;
test.describe.configure({ mode: "serial" });

const demo = "/s/strata-demo";
const front = basePath === "" ? "/" : basePath;

const card = (page: Page, name: string) => page.getByRole("listitem").filter({ has: page.getByRole("link", { name, exact: true }) });

test("the front page lists the services, and their numbers go on", async ({ page }) => {
  await page.goto(front);
  await expect(page).toHaveTitle("Services · Strata");
  await expect(card(page, "blog")).toContainText("1 of 1 node up");
  await expect(card(page, "strata-demo")).toContainText("3 of 3 nodes up");
  const link = page.getByRole("link", { name: "strata-demo", exact: true });
  await link.focus();
  const numbers = card(page, "strata-demo").getByRole("definition");
  const before = await numbers.allInnerTexts();
  await expect.poll(() => numbers.allInnerTexts(), { timeout: 30_000 }).not.toEqual(before);
  await expect(link).toBeFocused();
  await link.press("Enter");
  await expect(page).toHaveURL(new RegExp(`${demo}/$`));
  await expectLive(page);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [360, 1280]) {
    test(`axe finds nothing on the front page and nothing sticks out, ${colorScheme}, ${width} px wide`, async ({ page }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.goto(front);
      await expect(card(page, "blog")).toBeVisible();
      const { violations } = await new AxeBuilder({ page })
        .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
        .analyze();
      expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html) }))).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    });
  }
}

for (const { path, title } of pages.filter(({ path }) => !path.startsWith("/lab"))) {
  test(`the screen ${path} shows a service, and says of how many nodes`, async ({ page }) => {
    await open(page, demo + path.replace(":cache", "users"));
    await expectLive(page);
    if (title !== "") await expect(page).toHaveTitle(new RegExp(`^${title}`));
    await expect(page.getByText("of 3 of 3 nodes").first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.dataset.base)).toBe(basePath + demo);
  });
}

test("the bar leads from one service to another and to the list of all", async ({ page }) => {
  await open(page, `${demo}/nodes`);
  const menu = page.locator(".service-menu");
  await menu.getByText("strata-demo").first().click();
  await menu.getByRole("link", { name: "blog" }).click();
  await expect(page).toHaveURL(/\/s\/blog\/$/);
  await expectLive(page);
  await expect(menu.locator("summary")).toContainText("blog");
  await menu.locator("summary").click();
  await menu.getByRole("link", { name: "All services" }).click();
  await expect(card(page, "strata-demo")).toBeVisible();
});

test("whoever has logged in once acts in every service, and every node hears of it", async ({ page }) => {
  await page.goto(front);
  await page.getByRole("link", { name: "Log in" }).click();
  await page.getByLabel("Token").fill(operator);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("link", { name: "operator" })).toBeVisible();
  for (const [service, heard] of [[demo, "heard by 3 of 3 nodes"], ["/s/blog", "heard by 1 of 1 node"]] as const) {
    await open(page, service);
    const form = page.getByTestId("invalidate-key");
    await form.getByLabel("Cache").selectOption("users");
    await form.getByLabel("Key").fill("42");
    await form.getByRole("button", { name: "Invalidate" }).click();
    await expect(page.getByTestId("key-result")).toContainText(heard, { timeout: 20_000 });
  }
});

test("a node that stands still leaves an answer of the others, which says so", async ({ page, services }) => {
  await page.request.post(`${basePath}/login`, { form: { token: operator, to: front } });
  const stopped = (await services.nodes())[2]!.presence.pid;
  kill(stopped, "SIGSTOP");
  try {
    await open(page, `${demo}/keys?cache=users&key=1`);
    await expect(page.getByText(/2 of 3 nodes answered; silent: 3/).first()).toBeVisible({ timeout: 30_000 });
  } finally {
    kill(stopped, "SIGCONT");
  }
});

test("a killed node is late, then lost, nothing dips to zero, and it comes back under a new run", async ({ page, services }) => {
  test.slow();
  await expect.poll(async () => (await services.nodes()).map(({ presence }) => presence.state), { timeout: 30_000 }).toEqual(["up", "up", "up"]);
  await open(page, `${demo}/nodes`);
  const { pid, run } = (await services.nodes())[1]!.presence;
  kill(pid, "SIGKILL");
  const states: string[] = [];
  await expect
    .poll(async () => states[states.push((await services.nodes())[1]!.presence.state) - 1], { timeout: 30_000, intervals: [200] })
    .toBe("lost");
  expect(states).toContain("late");
  await expect(page.getByText("of 2 of 3 nodes").first()).toBeVisible();
  const history = await (await page.request.get(`${basePath}${demo}/api/v1/history?range=1m`)).json();
  const reads = history.steps.map(({ point }: { point: { outcomes: number[] } }) => point.outcomes.reduce((a, b) => a + b, 0));
  const lately = reads.slice(-15);
  expect(lately.length).toBeGreaterThan(5);
  expect(lately).not.toContain(0);
  await expect.poll(async () => (await services.nodes())[1]!.presence.state, { timeout: 60_000 }).toBe("up");
  await expect.poll(async () => (await services.nodes())[1]!.presence.run).not.toBe(run);
  await expect(page.getByText("of 3 of 3 nodes").first()).toBeVisible({ timeout: 20_000 });
});
