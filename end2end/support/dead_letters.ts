import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type APIRequestContext } from "@playwright/test";
import { expect } from "./fixtures";
import { FarRedis } from "./far_redis";
import { Server } from "./server";

export const cache = "lab-1-3-durable-write-behind";
export const letters = `/caches/${cache}?view=dead-letters`;

interface WriteBehind {
  cache: string;
  aside: number;
}

/** A program whose lab runs a durable write-behind, step by step, so that it stays. */
export class ProgramWithLetters {
  private constructor(
    readonly redis: FarRedis,
    readonly server: Server,
  ) {}

  static async start(more = ""): Promise<ProgramWithLetters> {
    const redis = await FarRedis.start();
    const server = await Server.start({
      traffic: "off",
      nodes: 1,
      users: 50,
      more: `--redis-url ${redis.url} ${more}`,
    });
    return new ProgramWithLetters(redis, server);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.redis.stop();
  }

  /** Begins the lesson, whose nodes stay while it waits for its next step. */
  async beginLesson(request: APIRequestContext, headers: Record<string, string> = {}): Promise<void> {
    const form = {
      "wish[lesson]": "write-behind",
      "wish[ticket]": "1",
      "wish[guess]": "1",
      "wish[pace]": "step_by_step",
    };
    const begun = await request.post(`${this.server.url}/api/strata/start_run`, { form, headers });
    expect(begun.ok()).toBe(true);
    await expect.poll(() => this.#writeBehind(request), { timeout: 30_000 }).toBeDefined();
  }

  /** Lays dead letters of these keys beside those that are there, and waits until they are seen. */
  async lay(request: APIRequestContext, keys: string[], reason = "duplicate key value"): Promise<void> {
    const known = await this.#redis("KEYS", `*writes:${cache}*`);
    const stream = known.split("\n")[0].replace(/(writes:[^:]*).*/, "$1:aside");
    for (const key of keys) {
      const value = JSON.stringify({ id: Number(key), version: 7, body: `title ${key}` });
      await this.#redis("XADD", stream, "*", "k", key, "v", `7:0:${value}`, "n", "10", "e", reason);
    }
    const there = Number(await this.#redis("XLEN", stream));
    await expect.poll(async () => (await this.#writeBehind(request))?.aside, { timeout: 30_000 }).toBe(there);
  }

  /** Forgets all of them. */
  async clear(request: APIRequestContext): Promise<void> {
    const url = `${this.server.url}/api/v1/caches/${cache}/dead-letters/drop`;
    expect((await request.post(url, { data: {} })).ok()).toBe(true);
  }

  // The network before Redis is in this process, which must not be blocked.
  async #redis(...words: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)("redis-cli", ["-u", this.redis.url, ...words]);
    return stdout.trim();
  }

  async #writeBehind(request: APIRequestContext): Promise<WriteBehind | undefined> {
    const answer = await request.get(`${this.server.url}/api/v1/write-behinds`);
    return ((await answer.json()) as WriteBehind[]).find((writes) => writes.cache === cache);
  }
}
