import { test } from "@playwright/test";

/** What was measured, beside what was aimed at. */
export interface Row {
  what: string;
  result: string;
  aim: string;
  isMet?: boolean;
  detail: string;
}

/** How a row travels from a bench to the reporter. */
export const ROW = "row";

/** A figure that should be at most `aim`. */
export function atMost(what: string, [result, aim]: [number, number], detail: string): void {
  add({ what, result: figure(result), aim: `≤ ${aim}`, isMet: result <= aim, detail });
}

/** A figure without an aim. */
export function told(what: string, result: number | string, detail: string): void {
  add({ what, result: typeof result === "number" ? figure(result) : result, aim: "–", detail });
}

/** The table as Markdown. */
export function markdown(rows: Row[]): string {
  const verdict = ({ isMet }: Row) => (isMet === undefined ? "" : isMet ? "met" : "missed");
  const lines = rows.map((row) => `| ${row.what} | ${row.result} | ${row.aim} | ${verdict(row)} | ${row.detail} |`);
  return ["| what | result | aim | | in figures |", "|---|---|---|---|---|", ...lines].join("\n");
}

function add(row: Row): void {
  test.info().annotations.push({ type: ROW, description: JSON.stringify(row) });
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
