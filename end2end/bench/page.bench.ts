import type { CDPSession, Page } from "@playwright/test";
import { expect, open } from "../support/fixtures";
import { bench } from "./bench";
import { Stolen } from "./stolen";
import { atMost, told } from "./table";

const MINUTES = Number(process.env.BENCH_PAGE_MINUTES ?? 10);
const STARTING_UP_MS = 10_000;

// Both at a time: each has a window of its own, and neither is busy.
bench("a page left open", async ({ browser, baseURL }) => {
  const paths = ["/", "/caches/users"];
  const stolen = new Stolen();
  const watched = await Promise.all(
    paths.map(async (path) => Watched.open(await browser.newPage({ baseURL }), path)),
  );
  for (let minute = 1; minute <= MINUTES; minute += 1) {
    await stolen.watch(60_000);
    for (const page of watched) await page.sample();
  }
  // The last task is judged by what comes after it.
  await stolen.watch(1_000);
  for (const page of watched) await page.tell(stolen);
});

interface Sample {
  heapBytes: number;
  wasmBytes: number;
  nodes: number;
  /** Nodes that are kept although they are not in the document. */
  detached: number;
  listeners: number;
  taskS: number;
  frames: number;
}

/** Milliseconds, since the page was opened. */
interface LongTask {
  at: number;
  took: number;
}

/** What the script in the page leaves for us. */
interface Watch {
  longTasks: LongTask[];
  memories: WebAssembly.Memory[];
  frames: number;
}

class Watched {
  readonly #path: string;
  readonly #page: Page;
  readonly #cdp: CDPSession;
  readonly #samples: Sample[] = [];

  private constructor(path: string, page: Page, cdp: CDPSession) {
    this.#path = path;
    this.#page = page;
    this.#cdp = cdp;
  }

  static async open(page: Page, path: string): Promise<Watched> {
    const cdp = await page.context().newCDPSession(page);
    // The processor's time, not the clock's: other programs do not count.
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    await page.addInitScript(watch);
    await open(page, path);
    return new Watched(path, page, cdp);
  }

  /** Collects garbage and keeps what is left. */
  async sample(): Promise<void> {
    await this.#cdp.send("HeapProfiler.collectGarbage");
    const { metrics } = await this.#cdp.send("Performance.getMetrics");
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
    const { wasmBytes, frames, shown } = await this.#page.evaluate(() => {
      const { memories, frames } = (globalThis as unknown as { watch: Watch }).watch;
      const wasmBytes = memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
      const walk = document.createTreeWalker(document);
      let shown = 1;
      while (walk.nextNode() !== null) shown += 1;
      return { wasmBytes, frames, shown };
    });
    this.#samples.push({
      heapBytes: of("JSHeapUsedSize"),
      wasmBytes,
      nodes: of("Nodes"),
      detached: of("Nodes") - shown,
      listeners: of("JSEventListeners"),
      taskS: of("TaskDuration"),
      frames,
    });
  }

  async tell(stolen: Stolen): Promise<void> {
    const [first, last] = [this.#samples[0], this.#samples[this.#samples.length - 1]];
    expect(last.frames, "frames arrive").toBeGreaterThan(first.frames);
    const kb = (of: (sample: Sample) => number) => this.#samples.map((sample) => (of(sample) / 1_000).toFixed(0)).join(" ");
    const each = (of: (sample: Sample) => number) => this.#samples.map(of).join(" ");
    const at = `${this.#path} open for ${MINUTES} minutes`;
    const grown = (of: (sample: Sample) => number): [number, number] => [of(last) / of(first), 1.1];
    const heap = ({ heapBytes }: Sample) => heapBytes;
    atMost(`${at}: JS heap at the end : after a minute`, grown(heap), `kB, minute by minute: ${kb(heap)}`);
    const detached = ({ detached }: Sample) => detached;
    atMost(`${at}: DOM nodes outside the document`, grown(detached), each(detached));
    // The charts fill with history until they show all of their range, and wasm keeps what it had.
    const nodes = ({ nodes }: Sample) => nodes;
    told(`${at}: DOM nodes`, grown(nodes)[0], `${each(nodes)}; listeners ${each(({ listeners }) => listeners)}`);
    const wasm = ({ wasmBytes }: Sample) => wasmBytes;
    told(`${at}: wasm memory`, grown(wasm)[0], `kB: ${kb(wasm)}`);
    const [longTasks, openedAt] = await this.#page.evaluate(() => {
      const { longTasks } = (globalThis as unknown as { watch: Watch }).watch;
      return [longTasks, performance.timeOrigin] as const;
    });
    const later = longTasks.filter(({ at }) => at > STARTING_UP_MS);
    const isOurs = ({ at, took }: LongTask) => stolen.spared({ from: openedAt + at, to: openedAt + at + took });
    const ours = later.filter(isOurs);
    const share = ((1 - stolen.share()) * 100).toFixed(0);
    atMost(`${at}: tasks over 50 ms after start-up, while the host took nothing`, [ours.length, 0], `${share} % of the time; ${named(ours) || "none"}`);
    told(`${at}: tasks over 50 ms after start-up, in all`, later.length, named(later));
    const perFrameMs = ((last.taskS - first.taskS) / (last.frames - first.frames)) * 1000;
    told(`${at}: processor time a frame`, `${perFrameMs.toFixed(1)} ms`, `${last.frames - first.frames} frames`);
  }
}

function named(longTasks: LongTask[]): string {
  const some = longTasks.slice(0, 8);
  return some.map(({ at, took }) => `${took.toFixed(0)} ms after ${(at / 1000).toFixed(0)} s`).join(", ");
}

// Runs in the page, before anything else does.
function watch(): void {
  const watch: Watch = { longTasks: [], memories: [], frames: 0 };
  Object.assign(globalThis, { watch });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      watch.longTasks.push({ at: startTime, took: duration });
    }
  }).observe({ type: "longtask", buffered: true });
  const instantiate = WebAssembly.instantiateStreaming.bind(WebAssembly);
  WebAssembly.instantiateStreaming = async (...args) => {
    const made = await instantiate(...args);
    watch.memories.push(made.instance.exports.memory as WebAssembly.Memory);
    return made;
  };
  const Source = globalThis.EventSource;
  globalThis.EventSource = class extends Source {
    constructor(...args: ConstructorParameters<typeof Source>) {
      super(...args);
      this.addEventListener("frame", () => (watch.frames += 1));
    }
  };
}
