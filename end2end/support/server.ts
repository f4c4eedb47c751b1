import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { expect } from "@playwright/test";
import { freePort, root, run, type Options } from "./program";

/** A running program of a test's own, which the test may stop and start. */
export class Server {
  readonly url: string;
  readonly #options: Options;
  #child: ChildProcess | undefined;

  /** The program's process id, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  private constructor(options: Options) {
    this.#options = options;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  /** Starts one on a free port and waits until it is ready. */
  static async start(options: Omit<Options, "port">): Promise<Server> {
    const server = new Server({ ...options, port: await freePort() });
    await server.start();
    return server;
  }

  /** Starts it again, at the same address. */
  async start(): Promise<void> {
    const { command, env } = run(this.#options);
    this.#child = spawn(command, {
      shell: true,
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    await expect.poll(() => this.#answers(), { timeout: 30_000 }).toBe(true);
  }

  /** Asks it to stop, as systemd or Ctrl-C would, and waits until it has. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    await exit;
  }

  async #answers(): Promise<boolean> {
    if (this.#child?.exitCode != null) throw new Error(`the program ended with ${this.#child.exitCode}`);
    const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
    return answer?.ok ?? false;
  }
}
