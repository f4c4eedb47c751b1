import type { Request } from "@playwright/test";
import { expect, open } from "../support/fixtures";
import { bench } from "./bench";
import { atMost, told } from "./table";

const WASM_AIM_KB = 180;
const TOTAL_AIM_KB = 215;

bench("a first visit", async ({ page, baseURL }) => {
  const requests: Request[] = [];
  // The live stream has no end, so it has no size.
  page.on("requestfinished", (request) => requests.push(request));
  await open(page, "/");
  await page.waitForLoadState("load");
  const files = await Promise.all(requests.map(measured));
  const sum = (of: File[]) => of.reduce((sum, { bytes }) => sum + bytes, 0) / 1_000;
  const wasm = files.filter(({ path }) => path.endsWith(".wasm"));
  expect(wasm).toHaveLength(1);
  atMost("first visit of /: wasm, kB", [sum(wasm), WASM_AIM_KB], `with ${wasm[0].encoding}`);
  const [{ started_at_ms }] = (await (await fetch(`${baseURL}/api/v1/nodes`)).json()) as { started_at_ms: number }[];
  const history = `with ${Math.round((Date.now() - started_at_ms) / 1_000)} s of history`;
  const each = files.map(({ path, bytes, encoding }) => `${kind(path)} ${(bytes / 1_000).toFixed(1)} (${encoding})`);
  atMost("first visit of /: all that is sent, headers too, kB", [sum(files), TOTAL_AIM_KB], `${each.join(", ")}; ${history}`);
  told("first event of /events, kB", (await firstEvent(`${baseURL}/events`)) / 1_000, `as sent, uncompressed; ${history}`);
});

/** Bytes of the event that brings everything. */
async function firstEvent(url: string): Promise<number> {
  const stop = new AbortController();
  const { body } = await fetch(url, { signal: stop.signal });
  let text = "";
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString("latin1");
    if (text.includes("\n\n")) break;
  }
  stop.abort();
  return text.indexOf("\n\n") + 2;
}

interface File {
  path: string;
  bytes: number;
  encoding: string;
}

async function measured(request: Request): Promise<File> {
  const { responseBodySize, responseHeadersSize } = await request.sizes();
  const encoding = await (await request.response())?.headerValue("content-encoding");
  const path = new URL(request.url()).pathname;
  return { path, bytes: responseBodySize + responseHeadersSize, encoding: encoding ?? "plain" };
}

function kind(path: string): string {
  return path === "/" ? "page" : path.slice(path.lastIndexOf(".") + 1);
}
