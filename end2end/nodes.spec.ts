import { expect, open, test } from "./support/fixtures";

test("there is a row for each node, and it moves", async ({ page }) => {
  await open(page, "/nodes");
  const nodes = page.getByTestId("nodes");
  await expect(nodes.getByRole("rowheader")).toHaveText(["1", "2", "3"]);
  await expect(nodes.getByText("healthy")).toHaveCount(3);
  const users = page.getByRole("region", { name: "L1 of users on each node" });
  const reads = users.getByRole("row").nth(1).getByRole("cell").first();
  const before = await reads.innerText();
  await expect(reads).not.toHaveText(before);
});

test("Redis tells of its memory and work", async ({ page }) => {
  await open(page, "/redis");
  await expect(page.getByRole("region", { name: "Memory", exact: true })).toContainText("policy");
  await expect(page.getByRole("region", { name: "Work" })).toContainText("commands/s");
  await expect(page.getByRole("region", { name: "Connection to Redis, per node" })).toContainText("closed");
});

test("copies of the same keys are compared when somebody asks", async ({ page }) => {
  await open(page, "/nodes");
  const card = page.getByRole("region", { name: "Do copies agree?" });
  await card.getByRole("link", { name: "Compare copies" }).click();
  await expect(page).toHaveURL(/compare=1/);
  await expect(card.getByRole("row", { name: /^users/ })).toContainText(/agree|differ/);
  await card.getByRole("link", { name: "Stop comparing" }).click();
  await expect(card.getByRole("link", { name: "Compare copies" })).toBeVisible();
});
