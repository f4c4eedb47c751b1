import { expect, open, test } from "./support/fixtures";
import { cache, letters, ProgramWithLetters } from "./support/dead_letters";

let program: ProgramWithLetters;
const at = (path: string) => program.server.url + path;

test.describe.configure({ mode: "serial" });
// A name that is typed wrong is answered so.
test.use({ provoked: [/status of 422/] });

test.beforeAll(async ({ request }) => {
  program = await ProgramWithLetters.start();
  await program.beginLesson(request);
});

test.afterAll(() => program.stop());

test.beforeEach(({ request }) => program.clear(request));

test("a cache with a write-behind shows what waits, and leads to its dead letters", async ({ page, request }) => {
  await program.lay(request, ["901", "902"]);
  await open(page, at(`/caches/${cache}`));
  const card = page.getByRole("region", { name: "Write-behind" });
  await expect(card).toContainText("2 of 10 000");
  await card.getByRole("link", { name: "2 dead letters" }).click();
  const list = page.getByTestId("letters").getByRole("listitem");
  await expect(list).toHaveCount(2);
  await expect(list.first()).toContainText("duplicate key value");
  await expect(list.first()).toContainText("10 tries · row version 7");
  await list.first().locator("summary").click();
  await expect(list.first().getByRole("region", { name: "Value of 901" })).toContainText('"body": "title 901"');
  await expect(page.getByRole("link", { name: "901" })).toHaveAttribute("href", `/keys?cache=${cache}&key=901`);
});

test("one is redriven and one is dropped, and the trail says who did it", async ({ page, request }) => {
  await program.lay(request, ["903", "904", "905"]);
  await open(page, at(letters));
  const list = page.getByTestId("letters").getByRole("listitem");
  await list.filter({ hasText: "903" }).getByRole("button", { name: "Redrive" }).click();
  const result = page.getByTestId("letters-result");
  await expect(result).toHaveAttribute("data-state", "done");
  await expect(result).toContainText("queued again1");
  await expect(list).toHaveCount(2);
  await list.filter({ hasText: "904" }).getByRole("link", { name: "Drop…" }).click();
  await expect(page.getByRole("region", { name: "Drop", exact: true })).toContainText("the write is lost");
  await page.getByTestId("confirm").click();
  await expect(result).toContainText("Dead letters are dropped.");
  await expect(list).toHaveCount(1);
  await expect(list).toContainText("905");
  await open(page, at("/activity"));
  const trail = page.getByTestId("audit");
  await expect(trail).toContainText("redrive dead letters");
  await expect(trail).toContainText("drop dead letters");
});

test("those that were chosen are redriven, and all the others dropped once the cache is named", async ({ page, request }) => {
  await program.lay(request, ["911", "912", "921"]);
  await program.lay(request, ["913"], "connection refused");
  await open(page, at(letters));
  await expect(page.getByTestId("redrive-all")).toHaveText("Redrive all 4");
  const choose = page.getByTestId("choose");
  await choose.getByLabel("Key pattern").fill("91*");
  await choose.getByLabel("Reason contains").fill("DUPLICATE");
  await choose.getByRole("button", { name: "Show these" }).click();
  const list = page.getByTestId("letters").getByRole("listitem");
  await expect(list).toHaveCount(2);
  await page.getByTestId("redrive-all").click();
  await expect(page.getByTestId("letters-result")).toContainText("queued again2");
  await expect(list).toHaveCount(2);
  await page.getByTestId("drop-all").click();
  const confirm = page.getByTestId("confirm");
  await expect(confirm).toHaveText("Drop all 2");
  await page.getByLabel(/Type the name of the cache/).fill("users");
  await confirm.click();
  await expect(page.getByRole("alert").filter({ hasText: "must be typed" })).toBeVisible();
  await page.getByLabel(/Type the name of the cache/).fill(cache);
  await confirm.click();
  await expect(page.getByTestId("letters-result")).toContainText("dropped2");
  await expect(page.getByText("There are no dead letters.")).toBeVisible();
});

test("what is typed wrong is told, and a cache without a write-behind has no dead letters", async ({ page }) => {
  await open(page, at(`${letters}&key=[`));
  await expect(page.getByRole("alert").filter({ hasText: "find the end of a [" })).toBeVisible();
  await expect(page.getByTestId("choose").getByLabel("Key pattern")).toHaveValue("[");
});
