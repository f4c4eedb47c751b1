import { existsSync, readFileSync } from "node:fs";

const LOOK_EVERY_MS = 100;

interface Span {
  from: number;
  to: number;
}

/**
 * When the host of a virtual machine gave its processors to others, as Linux tells in /proc/stat.
 * What ran meanwhile took longer by the clock and by its thread's own time. Elsewhere nothing is
 * known to be stolen.
 */
export class Stolen {
  readonly #spans: Span[] = [];
  #ticks = stolenTicks();
  #lookedAt = Date.now();
  #sinceMs = Date.now();

  /** Watches for so long. */
  async watch(ms: number): Promise<void> {
    for (const until = Date.now() + ms; Date.now() < until; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      this.#look();
    }
  }

  /** Whether nothing was stolen between these times, milliseconds since the epoch, as far as it was watched. */
  spared({ from, to }: Span): boolean {
    const isWatched = this.#sinceMs <= from && to <= this.#lookedAt;
    return isWatched && !this.#spans.some((span) => span.from < to && from < span.to);
  }

  /** The share of the time in which some was stolen. */
  share(): number {
    const stolenMs = this.#spans.reduce((sum, { from, to }) => sum + to - from, 0);
    return stolenMs / (this.#lookedAt - this.#sinceMs);
  }

  #look(): void {
    const [ticks, now] = [stolenTicks(), Date.now()];
    if (ticks > this.#ticks) this.#spans.push({ from: this.#lookedAt, to: now });
    [this.#ticks, this.#lookedAt] = [ticks, now];
  }
}

// Of all processors, in hundredths of a second: the eighth number of the first line.
function stolenTicks(): number {
  if (!existsSync("/proc/stat")) return 0;
  return Number(readFileSync("/proc/stat", "utf8").split("\n")[0].split(/\s+/)[8]);
}
