import { readFileSync } from "node:fs";
import { Agent, get, type IncomingMessage } from "node:http";
import { brotliCompressSync } from "node:zlib";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "../support/fixtures";
import { bench } from "./bench";
import { atMost, told } from "./table";
import { quantile } from "./timing";

const READERS = 1_000;
const SECONDS = 10;
const ROUNDS = 5;
// Of the kernel, and the same on every Linux that Node.js runs on.
const TICKS_PER_S = 100;

bench("a thousand readers of the live stream", async ({ server, baseURL }) => {
  const pid = server.pid ?? 0;
  const [without, among]: number[][] = [[], []];
  let [frames, bytes, lost] = [0, 0, 0];
  let newest: Buffer = Buffer.alloc(0);
  for (let round = 0; round < ROUNDS; round += 1) {
    without.push(await shareOfCore(pid));
    const readers = await Promise.all(Array.from({ length: READERS }, () => Reader.open(`${baseURL}/events`)));
    // Opening them, and their snapshots, is behind us once each has had a frame.
    await expect.poll(() => readers.every(({ ids }) => ids.length > 0), { timeout: 60_000 }).toBe(true);
    for (const reader of readers) reader.forget();
    among.push(await shareOfCore(pid));
    for (const reader of readers) {
      reader.close();
      frames += reader.ids.length;
      bytes += reader.bytes;
      lost += reader.lost();
    }
    newest = readers[0].newest;
    await sleep(2_000);
  }
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const added = quantile(among.map((share, round) => share - without[round]), 0.5);
  const each = among.map((share, round) => `${percent(share)} : ${percent(without[round])}`).join(", ");
  const us = (added * ROUNDS * SECONDS * 1e6) / frames;
  told(`${READERS} readers of /events: what they add to the server's share of a core`, percent(added), `with and without, in ${ROUNDS} rounds: ${each}; ${us.toFixed(0)} µs a frame and reader`);
  atMost(`${READERS} readers of /events: frames lost`, [lost, 0], `of ${frames}`);
  told("a frame of /events, bytes", Math.round(bytes / frames), `as sent, uncompressed; ${brotliCompressSync(newest).length} with brotli; three nodes, four caches`);
});

/** How much of one core a process uses in the next seconds. */
async function shareOfCore(pid: number): Promise<number> {
  const began = performance.now();
  const used = cpuS(pid);
  await sleep(SECONDS * 1_000);
  return (cpuS(pid) - used) / ((performance.now() - began) / 1_000);
}

function cpuS(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name, which stands in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** One reader of the stream, which keeps what it must to tell that nothing is missing. */
class Reader {
  static readonly #agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  readonly #answer: IncomingMessage;
  #rest: Buffer = Buffer.alloc(0);
  ids: number[] = [];
  bytes = 0;
  newest: Buffer = Buffer.alloc(0);

  private constructor(answer: IncomingMessage) {
    this.#answer = answer;
    answer.on("data", (chunk: Buffer) => this.#take(chunk));
    // Closing it ourselves is an error to Node.js.
    answer.on("error", () => undefined);
  }

  static open(url: string): Promise<Reader> {
    return new Promise((resolve, reject) => {
      const headers = { "accept-encoding": "br, gzip" };
      get(url, { agent: Reader.#agent, headers }, (answer) => resolve(new Reader(answer))).on("error", reject);
    });
  }

  forget(): void {
    this.ids = [];
    this.bytes = 0;
  }

  /** Frames that should lie between those that came. */
  lost(): number {
    const [first, last] = [this.ids[0], this.ids[this.ids.length - 1]];
    return this.ids.length === 0 ? Number.POSITIVE_INFINITY : last - first + 1 - this.ids.length;
  }

  close(): void {
    this.#answer.destroy();
  }

  #take(chunk: Buffer): void {
    const read = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let begin = 0;
    for (let end = read.indexOf("\n\n"); end >= 0; end = read.indexOf("\n\n", begin)) {
      this.#event(read.subarray(begin, end + 2));
      begin = end + 2;
    }
    this.#rest = Buffer.from(read.subarray(begin));
  }

  #event(event: Buffer): void {
    const head = event.toString("latin1", 0, 100);
    if (!head.includes("event: frame\n")) return;
    this.ids.push(Number(/^id: (\d+)$/m.exec(head)?.[1]));
    this.bytes += event.length;
    this.newest = event;
  }
}
