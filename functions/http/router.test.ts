// Against the framework's own server, with every body a caller may send.
import { getTestServer } from "@google-cloud/functions-framework/testing";
import * as ff from "@google-cloud/functions-framework";
import { once } from "node:events";
import { type IncomingMessage, type Server, request } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AnalysisRequest, Problem } from "#shared/contract/api.ts";
import { StageError } from "#shared/contract/errors.ts";
import { createLog } from "#shared/pipeline/log.ts";
import { leaveRequestsAlone } from "#functions/serve.ts";
import { parseOr422 } from "./problem.ts";
import { createRouter } from "./router.ts";

const log: string[] = [];
let server: Server;
let origin: string;

beforeAll(async () => {
  leaveRequestsAlone(true);
  const handle = createRouter(
    [
      { method: "POST", path: "/v1/analysis" },
      { method: "GET", path: "/v1/analysis/:job_id/outputs/*name" },
      { method: "GET", path: "/openapi.json" },
      { method: "GET", path: "/health" },
    ],
    {
      "POST /analysis": async (call) =>
        void call.res.json(parseOr422(AnalysisRequest, await call.json())),
      "GET /analysis/:job_id/outputs/*name": async ({ params, res }) => void res.json(params),
      "GET /openapi.json": async () => {
        throw new Error("a secret in a stack");
      },
      "GET /health": async () => {
        const cause = new Error("connect ECONNREFUSED");
        throw new StageError("ledger_unavailable", undefined, { cause });
      },
    },
    createLog({}, (line) => log.push(line)),
  );
  ff.http("router-test", handle);
  server = getTestServer("router-test").listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const post = (body: string, type = "application/json") =>
  fetch(`${origin}/v1/analysis`, { method: "POST", headers: { "content-type": type }, body });

it("tells every problem of a body at once", async () => {
  const response = await post(
    JSON.stringify({
      callback_url: "ftp://x",
      options: { clips: "yes", bits: 12, highlights: { min_sec: 50, max_sec: 20 } },
      extra: 1,
    }),
  );
  expect(response.status).toBe(422);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  const problem = Problem.parse(await response.json());
  const paths = (problem.errors ?? []).map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(["url", "callback_url", "options.clips", "options.bits"]),
  );
  expect(JSON.stringify(problem.errors)).toContain("extra");
});

it.each([
  ["JSON that is cut off", '{"url": ', 400, "malformed_json"],
  ["no body", "", 422, "invalid_request"],
  ["a number", "1", 422, "invalid_request"],
  ["more than a mebibyte", `"${"x".repeat(1024 * 1024)}"`, 413, "body_too_large"],
])("answers %s with a problem document", async (_name, body, status, code) => {
  const response = await post(body);
  expect(response.status).toBe(status);
  expect(Problem.parse(await response.json())).toMatchObject({ status, code });
});

it("reads JSON whatever type the caller calls it, or none", async () => {
  const body = '{"url":"https://example.com/a.mp4"}';
  expect((await post(body, "text/plain")).status).toBe(200);
  const untyped = { method: "POST", body: Buffer.from(body) };
  expect((await fetch(`${origin}/v1/analysis`, untyped)).status).toBe(200);
});

it("decodes path segments", async () => {
  const good = await fetch(`${origin}/v1/analysis/j1/outputs/clips%2F01.mp4`);
  expect(await good.json()).toEqual({ job_id: "j1", name: "clips/01.mp4" });
  const plain = await fetch(`${origin}/v1/analysis/j1/outputs/clips/01.mp4`);
  expect(await plain.json()).toEqual({ job_id: "j1", name: "clips/01.mp4" });
});

it("takes a path that cannot be decoded as it is written", async () => {
  const broken = await fetch(`${origin}/v1/analysis/%zz/outputs/%ff?x=%zz`);
  expect(await broken.json()).toEqual({ job_id: "%zz", name: "%ff" });
});

it("unpacks no bodies", async () => {
  const response = await fetch(`${origin}/v1/analysis`, {
    method: "POST",
    headers: { "content-encoding": "gzip" },
    body: gzipSync('{"url":"https://example.com/a.mp4"}'),
  });
  expect(Problem.parse(await response.json())).toMatchObject({ code: "malformed_json" });
});

it("waits for no more of a body than it takes", async () => {
  const upload = request(`${origin}/v1/analysis`, { method: "POST" });
  upload.on("error", () => undefined); // it is broken off at the end
  upload.write(Buffer.alloc(2 * 2 ** 20)); // and never ended
  const [response] = (await once(upload, "response")) as [IncomingMessage];
  const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
  expect(Problem.parse(JSON.parse(text))).toMatchObject({ code: "body_too_large" });
  upload.destroy();
});

it("names the methods that a path allows", async () => {
  const response = await fetch(`${origin}/v1/analysis`);
  expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
});

it("keeps the cause of an error in the log and out of the answer", async () => {
  const response = await fetch(`${origin}/openapi.json`, { headers: { "x-request-id": "r-1" } });
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(text).not.toContain("secret");
  expect(JSON.parse(text)).toMatchObject({ code: "internal", request_id: "r-1" });
  expect(log.join("\n")).toContain("a secret in a stack");
});

it("logs what an error of ours was caused by", async () => {
  const response = await fetch(`${origin}/health`);
  const text = await response.text();
  expect(Problem.parse(JSON.parse(text))).toMatchObject({ code: "ledger_unavailable" });
  expect(text).not.toContain("ECONNREFUSED");
  expect(log.join("\n")).toContain("connect ECONNREFUSED");
});
