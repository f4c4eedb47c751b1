import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { test as base, expect } from "@playwright/test";
import { freePort } from "../support/program";
import { Server } from "../support/server";
import { told } from "./table";
import { ask, ms, quantile } from "./timing";

const KEYS = 1_000_000;
const ROUNDS = 3;
const AWAY_FOR_AT_MOST_MS = 30_000;
const PAUSE_MS = 5;
const run = promisify(execFile);

// The program's private Redis is bounded at 64 MB, which a million entries do not fit into.
const bench = base.extend<{ redis: number }>({
  redis: async ({}, use) => {
    const port = await freePort();
    const server = startRedis(port);
    await use(port);
    const ended = once(server, "exit");
    server.kill();
    await ended;
  },
});

bench("a search over a million keys in L2", async ({ redis }) => {
  await expect(() => cli(redis, "PING")).toPass();
  const more = `--redis-url redis://127.0.0.1:${redis}/`;
  // The usual traffic invalidates by pattern, and each of those walks over the million keys too.
  const server = await Server.start({ traffic: "off", more });
  try {
    await fill(redis, server.url);
    await compare(server.url);
  } finally {
    await server.stop();
  }
});

async function compare(url: string): Promise<void> {
  const [quiet, searching, walks, pages]: number[][] = [[], [], [], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const search = new AbortController();
    const walked = searchAll(url).finally(() => search.abort());
    await read(url, searching, search.signal);
    const { pagesMs, found, looked } = await walked;
    expect(looked, "keys that were looked at").toBeGreaterThanOrEqual(KEYS);
    expect(found, "keys that match").toBeGreaterThan(0);
    pages.push(...pagesMs);
    const took = pagesMs.reduce((sum, page) => sum + page, 0);
    walks.push(took);
    await read(url, quiet, AbortSignal.timeout(Math.ceil(took)));
  }
  const [meanwhile, idle] = [quantile(searching, 0.99), quantile(quiet, 0.99)];
  const whole = quantile(walks, 0.5);
  told(
    "a search over 1 000 000 keys of L2, to its end",
    `${(whole / 1_000).toFixed(2)} s`,
    `${Math.round(pages.length / ROUNDS)} pages of at most 200 000 keys; p50 of a page ${ms(quantile(pages, 0.5))}, the longest ${ms(Math.max(...pages))}`,
  );
  const halves = `p50 ${ms(quantile(searching, 0.5))} : ${ms(quantile(quiet, 0.5))}`;
  told("p99 of service reads meanwhile : while nothing searches", meanwhile / idle, `${ms(meanwhile)} : ${ms(idle)}; ${halves}; ${searching.length} and ${quiet.length} reads`);
}

/** Reads one user after the other, some from each level, until told to stop. */
async function read(url: string, took: number[], stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const id = 1 + Math.floor(Math.random() * 2_000);
    const { wholeMs, status } = await ask(`${url}/demo/users/${id}`);
    expect(status).toBe(200);
    took.push(wholeMs);
    await sleep(PAUSE_MS);
  }
}

interface Page {
  rows: unknown[];
  next: string | null;
  l2_scanned: number | null;
  l2_away: boolean;
}

/** Looks for what is rare, so that every key must be looked at, page after page. */
async function searchAll(url: string): Promise<{ pagesMs: number[]; found: number; looked: number }> {
  const pagesMs: number[] = [];
  let [found, looked, awayMs] = [0, 0, 0];
  let cursor: string | null = null;
  for (;;) {
    const asked = new URLSearchParams({ pattern: "many-*77777", level: "l2", limit: "500" });
    if (cursor !== null) asked.set("cursor", cursor);
    const began = performance.now();
    const answer = await fetch(`${url}/api/v1/caches/users/keys?${asked}`);
    const page = (await answer.json()) as Page;
    // A busy machine may lose Redis for a moment; the page is asked for again.
    if (page.l2_away) {
      expect((awayMs += 200), "L2 is away, milliseconds").toBeLessThan(AWAY_FOR_AT_MOST_MS);
      await sleep(200);
      continue;
    }
    pagesMs.push(performance.now() - began);
    found += page.rows.length;
    looked += page.l2_scanned ?? 0;
    cursor = page.next;
    if (cursor === null) return { pagesMs, found, looked };
  }
}

/** Copies one entry of the users cache to a million keys that no user has. */
async function fill(port: number, url: string): Promise<void> {
  await ask(`${url}/demo/users/1`);
  let keys: string[] = [];
  await expect(async () => {
    keys = (await cli(port, "--scan", "--pattern", "*:users:*")).split("\n").filter((key) => key !== "");
    expect(keys).not.toHaveLength(0);
  }).toPass();
  const prefix = keys[0].slice(0, keys[0].lastIndexOf(":") + 1);
  // The entry itself goes away before long.
  const kept = "an-entry-of-users";
  await cli(port, "COPY", keys[0], kept);
  await cli(port, "PERSIST", kept);
  // In steps that are short enough for the program not to lose Redis meanwhile.
  const step = 5_000;
  const script = `
    local entry = redis.call('GET', KEYS[1])
    for i = ARGV[2], ARGV[2] + ARGV[3] - 1 do
      redis.call('SET', ARGV[1] .. 'many-' .. i, entry, 'EX', 3600)
    end`;
  for (let from = 0; from < KEYS; from += step) {
    await cli(port, "EVAL", script, "1", kept, prefix, String(from), String(step));
  }
  expect(Number(await cli(port, "DBSIZE"))).toBeGreaterThan(KEYS);
}

function startRedis(port: number): ChildProcess {
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  return spawn("redis-server", options, { stdio: "ignore" });
}

async function cli(port: number, ...words: string[]): Promise<string> {
  const { stdout } = await run("redis-cli", ["-e", "-p", String(port), ...words], { maxBuffer: 1e8 });
  return stdout.trim();
}
