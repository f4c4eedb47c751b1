import { defineConfig } from "@playwright/test";
import tests from "./playwright.config";

/** Pictures of every screen, taken by `./dev screenshots`. */
export default defineConfig({
  ...tests,
  testMatch: "screenshots.ts",
  workers: 1,
  timeout: 300_000,
  projects: [{ name: "pictures" }],
});
