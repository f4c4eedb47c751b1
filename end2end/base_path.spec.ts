import { expect, expectLive, open, test } from "./support/fixtures";
import { basePath } from "./support/program";

test("whatever a page asks for is below its base", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await open(page, "/");
  await expectLive(page);
  for (const name of ["Keys", "Nodes", "Lab", "Overview"]) {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true }).click();
    await expect(page).toHaveTitle(new RegExp(`^${name}`));
  }
  const isBelow = (path: string) => path === basePath || path.startsWith(`${basePath}/`);
  expect(asked.filter((path) => !isBelow(path))).toEqual([]);
  expect(asked.length).toBeGreaterThan(5);
});

test("the theme is kept for the dashboard alone", async ({ page, context }) => {
  await open(page, "/keys");
  await page.getByRole("button", { name: /^Theme/ }).click();
  const cookie = (await context.cookies()).find(({ name }) => name === "strata_theme");
  expect(cookie?.path).toBe(basePath === "" ? "/" : basePath);
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
});
