import { expect, testOnOwnServer } from "./support/fixtures";
import { basePath } from "./support/program";

const guarded = testOnOwnServer({ traffic: "off", more: "--operator-token anna:sesame" });
// The browser complains of the refusal that this file provokes.
guarded.use({ provoked: [/403/] });

guarded("somebody logs in and out without scripts", async ({ page }) => {
  await page.goto(`/login?to=${encodeURIComponent(`${basePath}/activity`)}`);
  await page.getByLabel("Token").fill("guess");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText("not a token of this Strata");
  await page.getByLabel("Token").fill("sesame");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/activity$/);
  await expect(page.getByTestId("audit")).toContainText("anna");
  await page.goto(`${basePath}/login`);
  await page.getByRole("button", { name: "Log out everywhere" }).click();
  await expect(page.getByText("You are anna")).toBeHidden();
});
