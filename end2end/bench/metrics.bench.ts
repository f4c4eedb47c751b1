import { expect, testOnOwnServer } from "../support/fixtures";
import { told } from "./table";
import { ask, ms, quantile } from "./timing";

const ROUNDS = 200;
const NODES = 13;

const bench = testOnOwnServer({ traffic: "steady", nodes: NODES });

bench("metrics of fifty caches", async ({ baseURL }) => {
  const metrics: number[] = [];
  const healthz: number[] = [];
  const headers = { "accept-encoding": "gzip" };
  for (let round = 0; round < ROUNDS; round += 1) {
    healthz.push((await ask(`${baseURL}/healthz`, headers)).wholeMs);
    const asked = await ask(`${baseURL}/metrics`, headers);
    expect(asked.status).toBe(200);
    metrics.push(asked.wholeMs);
  }
  const text = await (await fetch(`${baseURL}/metrics`)).text();
  const caches = text.match(/^cache_size\{[^}]*level="l1"/gm)?.length;
  const [p50, p99, alive] = [quantile(metrics, 0.5), quantile(metrics, 0.99), quantile(healthz, 0.5)];
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  const detail = `p50 ${ms(p50)} : ${ms(alive)}; p99 ${ms(p99)}; ${lines} series in ${(text.length / 1000).toFixed(0)} kB, gzip on the way`;
  told(`/metrics of ${caches} caches, ${NODES} nodes : /healthz`, p50 / alive, detail);
});
