import { test as base, expect, type Page } from "@playwright/test";
import { basePath, type Options as ProgramOptions } from "./program";
import { Server } from "./server";

export { expect };

interface Options {
  /** Complaints of the browser that this file provokes on purpose. */
  provoked: RegExp[];
}

/** A test fails when the browser complains: a page error, a console error, a blocked resource. */
export const test = base.extend<Options>({
  provoked: [[], { option: true }],
  page: async ({ page, provoked }, use) => {
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(`console error: ${message.text()}`);
    });
    await use(page);
    const unexpected = complaints.filter((text) => !provoked.some((known) => known.test(text)));
    expect(unexpected, "complaints of the browser").toEqual([]);
  },
});

/** Tests on a program of their own, which lives as long as the file's tests. */
export function testOnOwnServer(options: Omit<ProgramOptions, "port">) {
  return test.extend<{ baseURL: string }, { server: Server }>({
    server: [
      async ({}, use) => {
        const server = await Server.start(options);
        await use(server);
        await server.stop();
      },
      { scope: "worker", timeout: 60_000 },
    ],
    baseURL: ({ server }, use) => use(server.url),
  });
}

/** Where browsers find a page. */
const at = (path: string) => (path === "/" && basePath !== "" ? basePath : basePath + path);

/** Opens a page and waits until it is alive. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(at(path));
  await expectAlive(page);
}

/** How long a page may take to come alive, and to notice what became of its server. A busy machine
 * needs longer for that than a page may need for anything else. */
const withRoom = { timeout: 30_000 };

/** Waits until live numbers arrive: at the beginning, after a pause, and after a lost server. */
export async function expectLive(page: Page): Promise<void> {
  await expect(page.getByTestId("live-state")).toHaveText("Live", withRoom);
}

/** Waits until the page has noticed that its server is lost. */
export async function expectLost(page: Page): Promise<void> {
  await expect(page.getByTestId("live-state")).toHaveText("Lost", withRoom);
}

/** Waits until the page's program has taken over what the server drew. */
export async function expectAlive(page: Page): Promise<void> {
  await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true", withRoom);
}
