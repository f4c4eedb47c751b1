import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The top folder of the project. */
export const root = join(import.meta.dirname, "..", "..");

/** The program under test, which also runs as a debug build. */
export const program = process.env.END2END_PROGRAM ?? "target/release/strata";

/** Where the programs under test keep their databases during this run. */
const folder = (process.env.END2END_FOLDER ??= newFolder());

// Made by the first process of the run, which hands it to the others and ends last.
function newFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "strata-end2end-"));
  process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** The path under which the dashboard is tested; empty at the root of its host. */
export const basePath = process.env.BASE_PATH ?? "";

export interface Options {
  port: number;
  traffic: "off" | "steady";
  nodes?: number;
  /** Users to seed, 2 000 where nothing is said. */
  users?: number;
  /** Further options, as typed. */
  more?: string;
}

/** The command line and the environment of a program under test. */
export function run(options: Options): { command: string; env: Record<string, string> } {
  const words = [
    `exec ${program} demo`,
    `--listen 127.0.0.1:${options.port}`,
    `--data-dir ${join(folder, String(options.port))}`,
    `--traffic ${options.traffic}`,
    `--nodes ${options.nodes ?? 3}`,
    `--users ${options.users ?? 2000}`,
    basePath === "" ? "" : `--base-path ${basePath}`,
    options.more ?? "",
  ];
  return { command: words.join(" "), env: { STRATA_LOG: "warn" } };
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
