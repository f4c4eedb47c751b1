import { loadavg } from "node:os";
import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";
import { markdown, ROW, type Row } from "./table";

/** Prints one table of all benches, and how busy the machine was beside them. */
export default class Table implements Reporter {
  readonly #rows: Row[] = [];
  readonly #load: string[] = [];

  /** The program's warnings are worth reading beside the figures. */
  onStdErr(text: string | Buffer): void {
    process.stderr.write(text);
  }

  onTestEnd(bench: TestCase, result: TestResult): void {
    for (const { type, description } of result.annotations) {
      if (type === ROW && description !== undefined) this.#rows.push(JSON.parse(description) as Row);
    }
    const load = loadavg()[0].toFixed(1);
    this.#load.push(load);
    process.stderr.write(`${bench.title}: ${(result.duration / 1000).toFixed(0)} s, load ${load}\n`);
    for (const { message, stack } of result.errors) process.stderr.write(`${stack ?? message}\n`);
  }

  onEnd(result: FullResult): void {
    if (this.#rows.length > 0) process.stdout.write(`${markdown(this.#rows)}\n`);
    if (result.status !== "passed") process.stderr.write(`the benches ${result.status}\n`);
  }
}
