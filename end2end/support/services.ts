import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { basePath, freePort, program, root } from "./program";
import { test } from "./fixtures";

/** The token of somebody who may act. */
export const operator = "a-token-of-operators";

/** A node as `/api/v1/nodes/rows` has it. */
export interface NodeRow {
  node: string;
  heard: boolean;
  presence: { state: string; pid: number; run: string };
}

/** The demo's three processes and a node of a second service, on a Redis of their own, and one
 * `strata serve` that shows both. */
export class Services {
  readonly url: string;
  readonly #children: ChildProcess[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "strata-services-"));

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Services> {
    const port = await freePort();
    const services = new Services(port);
    const { demo, redis } = { demo: await freePort(), redis: services.#redis() };
    const users = ["--users", "200"];
    services.#run(
      ["demo", "--listen", `127.0.0.1:${demo}`, "--data-dir", join(services.#folder, "demo"), "--processes", "3", ...users],
      redis,
    );
    const base = basePath === "" ? [] : ["--base-path", basePath];
    services.#run(["serve", "--listen", `127.0.0.1:${port}`, "--operator-token", operator, ...base], redis);
    await expect.poll(() => services.#isUp("strata-demo", 3), { timeout: 60_000 }).toBe(true);
    // On the same database, which is there by now.
    services.#run(
      ["demo-node", "--id", "1", "--namespace", "blog", "--data-dir", join(services.#folder, "demo"), ...users, "--rate", "20", "--with-traffic"],
      redis,
    );
    await expect.poll(() => services.#isUp("blog", 1), { timeout: 60_000 }).toBe(true);
    return services;
  }

  /** The nodes of the demo. */
  async nodes(): Promise<NodeRow[]> {
    return (await (await fetch(`${this.url}${basePath}/s/strata-demo/api/v1/nodes/rows`)).json()).nodes;
  }

  async stop(): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, "exit");
      // A node ends with its standard input.
      child.stdin?.end();
      child.kill("SIGTERM");
      await exit;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #redis(): NodeJS.ProcessEnv {
    const socket = join(this.#folder, "redis.sock");
    const words = ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", this.#folder];
    this.#children.push(spawn("redis-server", words, { stdio: "ignore" }));
    return { STRATA_REDIS_URL: `unix:${socket}`, STRATA_FLEET_KEY: "a key of the end-to-end tests" };
  }

  #run(words: string[], env: NodeJS.ProcessEnv): void {
    const options = { cwd: root, env: { ...process.env, STRATA_LOG: "warn", ...env } };
    this.#children.push(spawn(program, words, { ...options, stdio: ["pipe", "ignore", "inherit"] }));
  }

  async #isUp(name: string, nodes: number): Promise<boolean> {
    const ended = this.#children.find((child) => child.exitCode !== null);
    if (ended !== undefined) throw new Error(`${ended.spawnargs.join(" ")} ended with ${ended.exitCode}`);
    const answer = await fetch(`${this.url}${basePath}/api/v1/services`).catch(() => undefined);
    if (!answer?.ok) return false;
    const services: { service: string; state: string; nodes: { counted: number }; reads_per_s: number | null }[] =
      await answer.json();
    return services.some(
      ({ service, state, nodes: { counted }, reads_per_s }) =>
        service === name && state === "up" && counted === nodes && (reads_per_s ?? 0) > 0,
    );
  }
}

/** Tests on such services, which live as long as the file's tests. */
export const testOnServices = test.extend<{ baseURL: string }, { services: Services }>({
  services: [
    async ({}, use) => {
      const services = await Services.start();
      await use(services);
      await services.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  baseURL: ({ services }, use) => use(services.url),
});
