import { fileURLToPath } from "node:url";
import { defineConfig, devices } from "@playwright/test";
import tests from "../playwright.config";

const theirs = tests.use?.launchOptions;
const first = theirs?.executablePath && fileURLToPath(new URL("chromium", import.meta.url));

/** Playwright runs the console's benches too: it loads TypeScript and drives the browser. */
export default defineConfig({
  testMatch: "*.bench.ts",
  outputDir: "../test-results/bench",
  // One after the other, each with the machine to itself.
  workers: 1,
  reporter: "./reporter.ts",
  timeout: 900_000,
  use: { ...devices["Desktop Chrome"], launchOptions: { ...theirs, executablePath: first } },
});
