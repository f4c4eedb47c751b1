import { type Page } from "@playwright/test";
import { expect, expectLive, open, testOnOwnServer } from "./support/fixtures";

const test = testOnOwnServer({ traffic: "steady" });

declare global {
  interface Window {
    /** How far the server's clock was set from the right time. */
    aheadMs: number;
  }
}

const chart = (page: Page) => page.locator("path.band.outcome-l1-hit").first();

/** The chart's newest points move on by several steps. */
async function expectToGoOn(page: Page): Promise<void> {
  for (let step = 0; step < 3; step += 1) {
    const before = await chart(page).getAttribute("d");
    await expect(chart(page)).not.toHaveAttribute("d", before ?? "");
  }
  await expect(chart(page)).toHaveAttribute("d", /M.*L.*L/);
}

// Each event of the stream tells the times that a server would whose clock somebody sets.
test.beforeEach(({ page }) =>
  page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "SharedWorker");
    window.aheadMs = 0;
    const add = EventSource.prototype.addEventListener;
    EventSource.prototype.addEventListener = function (kind: string, act: any) {
      const set = (event: MessageEvent) => {
        const text = event.data.replace(/"at_ms":(\d+)/g, (_: string, at: string) => `"at_ms":${Number(at) + window.aheadMs}`);
        act(new MessageEvent(kind, { data: text }));
      };
      add.call(this, kind, (kind === "frame" ? set : act) as EventListener);
    };
  }),
);

for (const [what, aheadMs] of [["back by an hour", -3_600_000], ["ahead by two hours", 7_200_000]] as const) {
  test(`charts go on after the server's clock was set ${what}`, async ({ page }) => {
    await open(page, "/");
    await expectLive(page);
    await expectToGoOn(page);
    await page.evaluate((aheadMs) => (window.aheadMs = aheadMs), aheadMs);
    await expectToGoOn(page);
    await expectLive(page);
  });
}
