// Loaded into each instance of `npm run bench -- stages` before its own code. Counts what the instance
// asks of others, and how long it works on each request, which is what Cloud Run bills. Writes it all
// down when the instance ends.
import { subscribe } from "node:diagnostics_channel";
import { readFileSync, writeFileSync } from "node:fs";
import type { ClientRequest } from "node:http";
import { join } from "node:path";

export interface InstanceReport {
  /** Of each request it was given. */
  requests: { ms: number; cpuMs: number }[];
  /** How many times it asked what: `PUT http://127.0.0.1:1234/b`, ids left out. */
  asked: Record<string, number>;
}

const { BENCH_REPORTS = ".", BENCH_CPU = "", FUNCTION_TARGET = "" } = process.env;
const report: InstanceReport = { requests: [], asked: {} };

/** Of all processes of the instance so far, ffmpeg included. */
const cpuMs = (): number =>
  Number(readFileSync(join(BENCH_CPU, FUNCTION_TARGET, "cpuacct.usage"), "utf8")) / 1e6;

const count = (method: string, origin: string, path: string): void => {
  const [first = "", second = ""] = path
    .replace(/^\/storage\/v1/, "")
    .split(/[/?]/)
    .slice(1);
  const kind = path.includes("uploadType") ? "upload" : /copyTo|rewriteTo/.test(path) ? "copy" : "";
  const list = /\/o(\?|$)/.test(path) && method === "GET" ? "list" : "";
  const what = kind || list || (first === "api" ? second : first);
  const key = `${method} ${origin} ${what}`;
  report.asked[key] = (report.asked[key] ?? 0) + 1;
};

subscribe("http.client.request.start", (event) => {
  const { request } = event as { request: ClientRequest };
  count(request.method, `http://${String(request.getHeader("host"))}`, request.path);
});
subscribe("undici:request:create", (event) => {
  const { request } = event as { request: { method: string; origin: string; path: string } };
  count(request.method, request.origin, request.path);
});

const begun = new WeakMap<object, { atMs: number; cpuMs: number }>();
subscribe("http.server.request.start", (event) => {
  const { response } = event as { response: object };
  begun.set(response, { atMs: performance.now(), cpuMs: cpuMs() });
});
subscribe("http.server.response.finish", (event) => {
  const { response } = event as { response: object };
  const start = begun.get(response);
  if (!start) return;
  report.requests.push({ ms: performance.now() - start.atMs, cpuMs: cpuMs() - start.cpuMs });
});

process.on("exit", () => {
  writeFileSync(
    join(BENCH_REPORTS, `${FUNCTION_TARGET}.${process.pid}.json`),
    JSON.stringify(report),
  );
});
