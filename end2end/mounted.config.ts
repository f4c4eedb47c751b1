import { defineConfig, devices } from "@playwright/test";
import config from "./playwright.config";
import type { MountedAt } from "./support/shop";

/** The shop of `examples/` with its dashboard at three paths. It needs no program `strata`. */
export default defineConfig<object, MountedAt>({
  ...config,
  testMatch: "mounted.spec.ts",
  projects: ["/", "/cache", "/a/b"].map((dashboardAt) => ({
    name: `mounted at ${dashboardAt}`,
    use: { ...devices["Desktop Chrome"], dashboardAt },
  })),
  webServer: undefined,
});
