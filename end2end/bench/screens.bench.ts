import { expect } from "../support/fixtures";
import { bench } from "./bench";
import { told } from "./table";
import { ask, ms, quantile, type Timing } from "./timing";

const ROUNDS = 200;
const SCREENS = ["/", "/caches/users", "/keys", "/keys?cache=users&pattern=1*", "/nodes", "/redis", "/activity"];

bench("time to first byte", async ({ baseURL }) => {
  const timings = new Map<string, Timing[]>(["/healthz", ...SCREENS].map((path) => [path, []]));
  // In turn, so that whatever else the machine does meets all of them.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [path, taken] of timings) {
      const timing = await ask(`${baseURL}${path}`, { "accept-encoding": "br, gzip", accept: "text/html" });
      expect(timing.status, path).toBe(200);
      taken.push(timing);
    }
  }
  const healthz = timings.get("/healthz") ?? [];
  for (const path of SCREENS) {
    const taken = timings.get(path) ?? [];
    const [p50, p99] = firstBytes(taken);
    const whole = quantile(taken.map(({ wholeMs }) => wholeMs), 0.5);
    const detail = `p50 ${ms(p50)} : ${ms(firstBytes(healthz)[0])}; p99 ${ms(p99)}; the whole page ${ms(whole)}, ${(taken[0].bytes / 1000).toFixed(1)} kB`;
    told(`first byte of ${path} : of /healthz`, p50 / firstBytes(healthz)[0], detail);
  }
});

function firstBytes(timings: Timing[]): [number, number] {
  const times = timings.map(({ firstByteMs }) => firstByteMs);
  return [quantile(times, 0.5), quantile(times, 0.99)];
}
