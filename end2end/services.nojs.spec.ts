import { expect } from "./support/fixtures";
import { basePath } from "./support/program";
import { testOnServices } from "./support/services";

const test = testOnServices;
// The page of no service.
test.use({ provoked: [/status of 404/] });

test("the list of services and each of them can be read without scripts", async ({ page }) => {
  await page.goto(basePath === "" ? "/" : basePath);
  await expect(page.getByRole("listitem").filter({ hasText: "blog" })).toContainText("1 of 1 node up");
  await page.getByRole("link", { name: "strata-demo", exact: true }).click();
  await expect(page.getByText("of 3 of 3 nodes").first()).toBeVisible();
  await page.locator(".service-menu summary").click();
  await page.locator(".service-menu").getByRole("link", { name: "blog" }).click();
  await expect(page).toHaveURL(/\/s\/blog\/$/);
  await page.goto(`${basePath}/s/nosuch/`);
  await expect(page.getByRole("heading", { name: "There is no such service" })).toBeVisible();
  await expect(page.getByRole("link", { name: "blog" })).toBeVisible();
});
