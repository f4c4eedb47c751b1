import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { root } from "./program";

/** The shop of `examples/`, which has a dashboard mounted; also built for a release. */
const program = process.env.END2END_SHOP ?? "examples/target/debug/shop";

/** Where the shop has its dashboard. */
export interface MountedAt {
  dashboardAt: string;
}

/** A running shop, whose dashboard is at a path. */
export class Shop {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Starts one on a free port and waits until it says where it is. */
  static async start(dashboardAt: string): Promise<Shop> {
    const child = spawn(join(root, program), {
      env: { ...process.env, LISTEN: "127.0.0.1:0", DASHBOARD_AT: dashboardAt },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout! });
    const said = await Promise.race([once(lines, "line"), once(child, "error"), once(child, "exit")]);
    const address = /http:\S+/.exec(String(said[0]))?.[0];
    if (address === undefined) throw new Error(`${program} did not start: ${said}`);
    return new Shop(address, child);
  }

  /** Stops it as Ctrl-C would; how it ended. */
  async stop(): Promise<number | null> {
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGINT");
    const [code] = await exit;
    return code;
  }
}
