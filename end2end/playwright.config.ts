import { existsSync } from "node:fs";
import { defineConfig, devices } from "@playwright/test";
import { freePort, root, run } from "./support/program";

// Playwright loads this file in each of its processes; the first one chooses for all.
const port = Number((process.env.END2END_PORT ??= String(await freePort())));
const chromium = "/usr/bin/chromium";

export default defineConfig({
  testMatch: "*.spec.ts",
  outputDir: "test-results",
  forbidOnly: process.env.CI !== undefined,
  workers: 2,
  reporter: "list",
  // Room for two cores that are busy; what is fast stays fast.
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: existsSync(chromium) ? chromium : undefined,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    {
      name: "javascript",
      // The last one has a configuration of its own.
      testIgnore: ["*.nojs.spec.ts", "mounted.spec.ts"],
      use: devices["Desktop Chrome"],
    },
    {
      name: "no-javascript",
      testMatch: "*.nojs.spec.ts",
      use: { ...devices["Desktop Chrome"], javaScriptEnabled: false },
    },
  ],
  webServer: {
    ...run({ port, traffic: "steady" }),
    cwd: root,
    url: `http://127.0.0.1:${port}/readyz`,
    timeout: 60_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 10_000 },
  },
});
