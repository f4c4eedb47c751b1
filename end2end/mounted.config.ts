import { defineConfig, devices } from "@playwright/test";
import config from "./playwright.config";

/** The examples, whose dashboards are mounted. They start by themselves, without the program `strata`. */
export default defineConfig({
  ...config,
  testMatch: "mounted.spec.ts",
  projects: [{ name: "mounted", use: devices["Desktop Chrome"] }],
  webServer: undefined,
});
