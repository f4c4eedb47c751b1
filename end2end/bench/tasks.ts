import { type CDPSession, expect } from "@playwright/test";

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds of the thread's own time: what others hold up does not count. */
  tdur?: number;
  args: { name?: string };
}

/** The tasks of the pages' main threads, by the processor's time. */
export class Tasks {
  readonly #session: CDPSession;
  #events: TraceEvent[] = [];
  longestMs = 0;
  nLong = 0;

  constructor(session: CDPSession) {
    this.#session = session;
    session.on("Tracing.dataCollected", ({ value }) => this.#events.push(...(value as unknown as TraceEvent[])));
  }

  async watch(): Promise<void> {
    await this.#session.send("Tracing.start", {
      transferMode: "ReportEvents",
      traceConfig: { includedCategories: ["toplevel"], excludedCategories: ["*"] },
    });
  }

  /** Counts what ran since it began to watch, and ends that. */
  async count(): Promise<void> {
    const complete = new Promise((resolve) => this.#session.once("Tracing.tracingComplete", resolve));
    await this.#session.send("Tracing.end");
    await complete;
    const thread = ({ pid, tid }: TraceEvent) => `${pid}:${tid}`;
    const named = this.#events.filter(({ name }) => name === "thread_name");
    const mains = new Set(named.filter(({ args }) => args.name === "CrRendererMain").map(thread));
    let nTimed = 0;
    for (const event of this.#events) {
      if (event.name !== "ThreadControllerImpl::RunTask" || !mains.has(thread(event))) continue;
      if (event.tdur === undefined) continue;
      nTimed += 1;
      const tookMs = event.tdur / 1000;
      this.longestMs = Math.max(this.longestMs, tookMs);
      if (tookMs > 50) this.nLong += 1;
    }
    expect(nTimed, "the browser tells the time of its tasks").toBeGreaterThan(0);
    this.#events = [];
  }
}
