import type { Page } from "@playwright/test";
import { expect, expectAlive, expectLive, open, test, testOnOwnServer } from "./support/fixtures";
import { screens } from "./support/screens";

declare global {
  interface Window {
    /** Lets the program go on that is held up. */
    release: () => void;
  }
}

async function expectToMove(page: Page): Promise<void> {
  const hits = page.getByTestId("outcome-l1-hit");
  const before = await hits.innerText();
  await expect(hits).not.toHaveText(before);
}

// Also run on a debug build, where the browser's program tells what it finds other than expected.
for (const screen of screens) {
  test(`${screen} is taken over as the server drew it`, async ({ page }) => {
    await open(page, screen);
    await expectLive(page);
    await page.reload();
    await expectAlive(page);
    await expectLive(page);
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  });
}

test("links lead from page to page without loading anew", async ({ page }) => {
  await open(page, "/");
  await page.evaluate(() => document.documentElement.setAttribute("data-same-document", "true"));
  for (const name of ["Keys", "Nodes", "Redis", "Activity", "Overview"]) {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
    await expect(page).toHaveTitle(`${name} · Strata`);
  }
  await expect(page.locator("html")).toHaveAttribute("data-same-document", "true");
});

/** Holds up what the program does between two parts, in the first document of each address. */
const hold = (page: Page) =>
  page.addInitScript(() => {
    const key = `held ${location.pathname}`;
    if (sessionStorage.getItem(key) !== null || sessionStorage.getItem("hold") === null) return;
    sessionStorage.setItem(key, "");
    const setTimeout = window.setTimeout;
    let nParts = 0;
    window.setTimeout = ((act: () => void, ms?: number, ...more: unknown[]) => {
      if (ms !== undefined && ms > 0) return setTimeout(act, ms, ...more);
      nParts += 1;
      if (nParts < 3) return setTimeout(act);
      document.documentElement.setAttribute("data-held", "true");
      window.release = () => {
        window.setTimeout = setTimeout;
        act();
      };
      return 0;
    }) as typeof window.setTimeout;
  });
const begin = (page: Page) => page.evaluate(() => sessionStorage.setItem("hold", ""));
const halfTaken = async (page: Page) => {
  await expect(page.locator("html")).toHaveAttribute("data-held", "true");
  await expect(page.locator("html")).not.toHaveAttribute("data-hydrated");
};

test.describe("while a page is taken over", () => {
  test("a link leads where it says", async ({ page }) => {
    await hold(page);
    await open(page, "/nodes");
    await begin(page);
    await page.goto("/");
    await halfTaken(page);
    await page.evaluate(() => sessionStorage.removeItem("hold"));
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Keys" }).click();
    await expect(page).toHaveTitle("Keys · Strata");
    await expectAlive(page);
  });

  test("the way back leads back", async ({ page }) => {
    await hold(page);
    await open(page, "/");
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Keys" }).click();
    await expect(page).toHaveTitle("Keys · Strata");
    await begin(page);
    await page.reload();
    await halfTaken(page);
    await page.evaluate(() => sessionStorage.removeItem("hold"));
    await page.goBack();
    await expect(page).toHaveTitle("Overview · Strata");
    await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeAttached();
    await expectAlive(page);
  });
});

test.describe("a part that takes over", () => {
  test.beforeEach(async ({ page }) => {
    await hold(page);
    await open(page, "/nodes");
    await begin(page);
    await page.goto("/");
    await halfTaken(page);
  });

  const release = async (page: Page) => {
    await page.evaluate(() => window.release());
    await expectAlive(page);
  };

  test("keeps what somebody typed, chose and marked, and the focus", async ({ page }) => {
    const form = page.getByTestId("invalidate-key");
    const key = form.getByLabel("Key");
    await form.getByLabel("Cache").selectOption("timelines");
    await key.fill("4711");
    await key.evaluate((field: HTMLInputElement) => field.setSelectionRange(1, 3));
    const drawn = await key.elementHandle();
    await release(page);
    expect(await drawn!.evaluate((field) => field.isConnected), "the drawn one is gone").toBe(false);
    await expect(key).toHaveValue("4711");
    await expect(key).toBeFocused();
    await expect(form.getByLabel("Cache")).toHaveValue("timelines");
    const marked = await key.evaluate((field: HTMLInputElement) => [field.selectionStart, field.selectionEnd]);
    expect(marked).toEqual([1, 3]);
  });

  test("keeps what somebody opened and scrolled", async ({ page }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    const card = page.getByRole("region", { name: "How reads end", exact: true });
    await card.getByText("As a table").click();
    const table = card.locator(".scroll");
    await table.evaluate((element) => (element.scrollLeft = 40));
    await release(page);
    await expect(card.locator(".twin")).toHaveAttribute("open", "");
    expect(await table.evaluate((element) => element.scrollLeft)).toBe(40);
  });

  test("keeps the text that somebody marked", async ({ page }) => {
    const marked = () => page.evaluate(() => getSelection()!.toString());
    await page.getByRole("region", { name: "Caches", exact: true }).getByRole("link", { name: "users" }).evaluate((link) => {
      getSelection()!.selectAllChildren(link);
    });
    expect(await marked()).toBe("users");
    await release(page);
    expect(await marked()).toBe("users");
  });

  test("shows the same, in the same place", async ({ page }) => {
    const shown = () =>
      page.evaluate(() =>
        [...document.querySelectorAll("#main *, .top-bar *")]
          // It says at once that it asks for numbers.
          .filter((element) => element.checkVisibility() && element.closest(".live-line") === null)
          .map((element) => {
            const { x, y, width, height } = element.getBoundingClientRect();
            const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
            const text = texts.map((node) => node.textContent!.trim()).join("");
            return `${element.nodeName} ${[x, y, width, height].map(Math.round).join(" ")} ${text}`;
          }),
      );
    const before = await shown();
    // Nothing of the stream may come in between.
    await page.evaluate(() => dispatchEvent(new Event("strata-toggle")));
    await release(page);
    await expect(page.getByTestId("live-state")).toHaveText("Paused");
    expect(await shown()).toEqual(before);
  });
});

const guarded = testOnOwnServer({ traffic: "off", nodes: 1, users: 100, more: "--operator-token sesame" });

guarded("an open log-in stays open, with what somebody typed in it", async ({ page }) => {
  await hold(page);
  await open(page, "/nodes");
  await begin(page);
  await page.goto("/");
  await halfTaken(page);
  await page.getByRole("button", { name: "Log in" }).click();
  const token = page.getByLabel("Operator's token");
  await token.fill("sesa");
  await page.evaluate(() => window.release());
  await expectAlive(page);
  await expect(page.getByRole("dialog", { name: "Log in to act" })).toBeVisible();
  await expect(token).toBeFocused();
  await page.keyboard.type("me");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Log out" })).toBeVisible();
});

test.describe("a page and a program of two builds", () => {
  /** Lets a test change the page that the server draws. */
  const change = (page: Page, how: (html: string) => string) =>
    page.route("/", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: how(await answer.text()) });
    });
  /** Changes what the program starts from. */
  const startFrom = (page: Page, how: (first: any) => void) =>
    change(page, (html) =>
      html.replace(/(id="first-paint"[^>]*>)(.*?)(?=<\/script>)/s, (_, before: string, json: string) => {
        const first = JSON.parse(json);
        how(first);
        return before + JSON.stringify(first).replaceAll("<", "\\u003c");
      }),
    );
  const still = (page: Page) => page.getByRole("alert").filter({ hasText: "A part of this page stands still" });

  test("live together where the page starts from more and from less", async ({ page }) => {
    await startFrom(page, (first) => {
      first.unheard_of = { of: ["</script>"] };
      first.snapshot.frame.unheard_of = 7;
      first.snapshot.frame.caches[0].unheard_of = [1];
      delete first.snapshot.frame.alerts;
      delete first.failure;
      delete first.session;
    });
    await open(page, "/");
    await expectLive(page);
    await expectToMove(page);
    await expect(page.getByRole("alert").filter({ hasText: /still|updated/ })).toHaveCount(0);
  });

  test("leave the drawn numbers standing, and say so, where the program reads none of them", async ({ page }) => {
    await startFrom(page, (first) => (first.snapshot = "of another kind"));
    await open(page, "/");
    await expect(page.getByRole("alert").filter({ hasText: "Strata was updated" })).toBeVisible();
    await expect(page.getByTestId("live-state")).toHaveText("Updated");
    await expect(page.getByTestId("outcome-l1-hit")).toHaveText(/\d/);
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Nodes" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nodes");
  });

  test("leave a part standing that the program does not know, and say so", async ({ page }) => {
    await change(page, (html) => html.replaceAll("part-latency", "part-tides").replace('data-part="latency"', 'data-part="tides"'));
    await open(page, "/");
    await expect(still(page)).toBeVisible();
    await expectLive(page);
    await expectToMove(page);
    await expect(page.getByRole("region", { name: "How long each layer takes" })).toBeVisible();
  });

  test("live together where the page lacks a part", async ({ page }) => {
    await change(page, (html) => html.replace('data-part="traffic"', ""));
    await open(page, "/");
    await expectLive(page);
    await expectToMove(page);
    await expect(still(page)).toHaveCount(0);
  });
});

test.describe("a part that cannot take over", () => {
  test.use({ provoked: [/refused here|panicked|unreachable/] });

  test("leaves the drawn one standing, and the page says so", async ({ page }) => {
    await page.addInitScript(() => {
      const replaceWith = Element.prototype.replaceWith;
      Element.prototype.replaceWith = function (...nodes) {
        if (this.getAttribute("data-part") === "latency") throw new Error("refused here");
        replaceWith.apply(this, nodes);
      };
    });
    await open(page, "/");
    await expect(page.getByRole("alert").filter({ hasText: "A part of this page stands still" })).toBeVisible();
    await expectLive(page);
    await expectToMove(page);
    await expect(page.locator("#part-latency")).not.toHaveAttribute("data-alive");
    await expect(page.getByRole("region", { name: "How long each layer takes" })).toBeVisible();
  });

  test("since it panics leaves all that was drawn, which works as without scripts", async ({ page }) => {
    await page.addInitScript(() => {
      const createElementNS = document.createElementNS;
      document.createElementNS = ((of: string, name: string) => {
        if (name === "svg") throw new Error("refused here");
        return createElementNS.call(document, of, name);
      }) as typeof document.createElementNS;
    });
    await page.goto("/");
    await expect(page.getByRole("alert").filter({ hasText: "stand still" })).toBeVisible({ timeout: 30_000 });
    await expect(page.locator("[data-alive]")).toHaveCount(0);
    await expect(page.getByTestId("outcome-l1-hit")).toHaveText(/\d/);
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Nodes" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nodes");
  });
});
