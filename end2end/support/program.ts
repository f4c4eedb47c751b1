import { join } from "node:path";

/** The top folder of the project, where the program finds `Leptos.toml`. */
export const root = join(import.meta.dirname, "..", "..");

/** What the programs under test write; emptied before each run. */
export const folder = join(root, ".strata", "end2end");

export interface Options {
  port: number;
  traffic: "off" | "steady";
  /** Further options, as typed. */
  more?: string;
}

/** The command line and the environment of a program under test. */
export function run(options: Options): { command: string; env: Record<string, string> } {
  const words = [
    "exec target/release/strata demo",
    `--listen 127.0.0.1:${options.port}`,
    `--data-dir ${join(folder, String(options.port))}`,
    `--traffic ${options.traffic}`,
    "--nodes 3",
    "--users 2000",
    options.more ?? "",
  ];
  return { command: words.join(" "), env: { STRATA_LOG: "warn" } };
}
