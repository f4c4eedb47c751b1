import { expect, test } from "./support/fixtures";
import { letters, ProgramWithLetters } from "./support/dead_letters";

const token = "sesame";
const bearer = { authorization: `Bearer ${token}` };
let program: ProgramWithLetters;

test.beforeAll(async ({ request }) => {
  program = await ProgramWithLetters.start();
  await program.beginLesson(request);
});

test.afterAll(() => program.stop());

test("dead letters are chosen, redriven and dropped without scripts", async ({ page, request }) => {
  await program.lay(request, ["931", "932", "933"]);
  await page.goto(program.server.url + letters);
  const list = page.getByTestId("letters").getByRole("listitem");
  await expect(list).toHaveCount(3);
  await page.getByTestId("choose").getByLabel("Key pattern").fill("*1");
  await page.getByTestId("choose").getByRole("button", { name: "Show these" }).click();
  await page.getByTestId("redrive-all").click();
  await expect(page.getByTestId("letters-result")).toContainText("queued again1");
  await expect(list).toHaveCount(2);
  await list.first().getByRole("link", { name: "Drop…" }).click();
  await page.getByTestId("confirm").click();
  await expect(page.getByTestId("letters-result")).toContainText("dropped1");
  await expect(list).toHaveCount(1);
  await page.getByTestId("drop-all").click();
  await page.getByLabel(/Type the name of the cache/).fill("something else");
  await page.getByTestId("confirm").click();
  await expect(page.getByRole("alert")).toContainText("must be typed, exactly");
});

test("a viewer sees them and may not move them", async ({ page, request }) => {
  const closed = await ProgramWithLetters.start(`--operator-token ${token}`);
  await closed.beginLesson(request, bearer);
  await closed.lay(request, ["941"]);
  await page.goto(closed.server.url + letters);
  const list = page.getByTestId("letters").getByRole("listitem");
  await expect(list).toHaveCount(1);
  await expect(list.getByRole("button", { name: "Redrive" })).toBeDisabled();
  await expect(page.getByTestId("redrive-all")).toBeDisabled();
  for (const action of ["redrive", "drop"]) {
    const url = closed.server.url + letters.replace(/\?.*/, `/dead-letters/${action}`).replace("/caches", "/api/v1/caches");
    expect((await request.post(url, { data: {} })).status()).toBe(403);
  }
  await page.reload();
  await expect(list).toHaveCount(1);
  await closed.stop();
});
