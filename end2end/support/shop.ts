import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { root } from "./program";

/** The shop of `examples/`, which has a dashboard mounted; also built for a release. */
const program = process.env.END2END_SHOP ?? "examples/target/debug/shop";

/** Where the shop has its dashboard. */
export interface MountedAt {
  dashboardAt: string;
}

/** How long a program may take to say where it is, and to end. */
const PATIENCE_MS = 30_000;

/** A running shop, whose dashboard is at a path. */
export class Shop {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Starts one on a free port and waits until it says where it is. */
  static async start(dashboardAt: string, variables: NodeJS.ProcessEnv = {}): Promise<Shop> {
    return Shop.#run(program, dashboardAt, variables);
  }

  /** The example that has one moka cache and its dashboard at `/cache`. */
  static async startMokaOnly(): Promise<Shop> {
    return Shop.#run(join(dirname(program), "moka-only"), "/cache");
  }

  static async #run(program: string, dashboardAt: string, variables: NodeJS.ProcessEnv = {}): Promise<Shop> {
    const child = spawn(join(root, program), {
      env: { ...process.env, ...variables, LISTEN: "127.0.0.1:0", DASHBOARD_AT: dashboardAt },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout! });
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      const waits = [once(lines, "line", { signal }), once(child, "exit", { signal })];
      const said = await Promise.race(waits);
      const address = /http:\/\/[^/\s]+/.exec(String(said[0]))?.[0];
      if (address === undefined) throw new Error(`${program} did not start: ${said}`);
      return new Shop(address, child);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  /** Stops it as Ctrl-C would; how it ended. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exit = once(this.#child, "exit", { signal: AbortSignal.timeout(PATIENCE_MS) });
    this.#child.kill("SIGINT");
    try {
      const [code] = await exit;
      return code;
    } catch (error) {
      this.#child.kill("SIGKILL");
      throw error;
    }
  }
}
