import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as bench } from "@playwright/test";
import { freePort, program, root } from "../support/program";
import { atMost } from "./table";
import { ms, quantile } from "./timing";

const ROUNDS = 15;
const AIM_MS = 200;

bench("from the start to a page", async () => {
  const folder = mkdtempSync(join(tmpdir(), "strata-start-"));
  const demo = ["demo", "--data-dir", join(folder, "demo"), "--users", "200", "--traffic", "off"];
  // Seeds the database, which later starts find.
  await firstByte(demo);
  // Nobody listens there: it starts without Redis.
  const serve = ["serve", "--redis-url", `redis://127.0.0.1:${await freePort()}`];
  for (const options of [serve, demo]) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) times.push(await firstByte(options));
    const [p50, slowest] = [quantile(times, 0.5), Math.max(...times)];
    atMost(`start of strata ${options[0]} to the first byte of /, ms`, [Math.round(p50), AIM_MS], `p50 of ${ROUNDS} starts; the slowest ${ms(slowest)}`);
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the program and asks until it answers; milliseconds. */
async function firstByte(options: string[]): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(program, [...options, "--listen", `127.0.0.1:${port}`], { cwd: root, stdio: "ignore" });
  const ended = once(child, "exit");
  let answer: Response | undefined;
  while (answer === undefined && child.exitCode === null) {
    answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
  }
  await answer?.body?.getReader().read();
  const took = performance.now() - began;
  child.kill("SIGTERM");
  await ended;
  if (answer === undefined) throw new Error(`strata ${options.join(" ")} ended at once`);
  return took;
}
