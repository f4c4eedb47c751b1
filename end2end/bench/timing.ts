import { Agent, get } from "node:http";

const agent = new Agent({ keepAlive: true });

/** How long one GET took, milliseconds. */
export interface Timing {
  firstByteMs: number;
  wholeMs: number;
  status: number;
  bytes: number;
}

/** Asks once, over a connection that is kept. */
export function ask(url: string, headers: Record<string, string> = {}): Promise<Timing> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (answer) => {
      let firstByteMs = performance.now() - began;
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        if (bytes === 0) firstByteMs = performance.now() - began;
        bytes += chunk.length;
      });
      answer.on("end", () => {
        resolve({ firstByteMs, wholeMs: performance.now() - began, status: answer.statusCode ?? 0, bytes });
      });
      answer.on("error", reject);
    }).on("error", reject);
  });
}

/** The value below which this share of them lies. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** A time as a person says it. */
export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}
