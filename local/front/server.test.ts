// The front with real child processes and real ID tokens.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec, Route } from "#functions/catalog.ts";
import { startMetadata } from "../metadata/server.ts";
import type { Metadata } from "../metadata/server.ts";
import { startFront } from "./server.ts";
import type { Front, FrontOptions } from "./server.ts";
import { gone, isAlive } from "./testing/processes.ts";

const PRELOAD = new URL("preload.ts", import.meta.url).href;
const HOST = fileURLToPath(new URL("testing/host.ts", import.meta.url));
const SIZE = {
  memoryMiB: 128,
  cpu: 1,
  timeoutSec: 10,
  concurrency: 4,
  maxInstances: 2,
  account: "api",
  secrets: [],
} as const;

const open = (routes: Route[], size: Partial<FunctionSpec> = {}): FunctionSpec => ({
  ...SIZE,
  name: "open",
  public: true,
  trigger: { kind: "http", routes },
  ...size,
});
const PRIVATE: FunctionSpec = {
  ...SIZE,
  name: "private",
  public: false,
  trigger: { kind: "topic", topic: "private" },
};
const ROUTES: Route[] = [
  { method: "GET", path: "/v1/things/:id" },
  { method: "POST", path: "/v1/things" },
  ...["/never", "/events", "/crash", "/half", "/child", "/echo"].map((path): Route => ({
    method: "GET",
    path,
  })),
  { method: "POST", path: "/events" },
];

let folder: string;
let metadata: Metadata;
const fronts: Front[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "front-"));
  metadata = await startMetadata({
    dataDir: folder,
    projectId: "test-project",
    accounts: ["pusher", "other"],
  });
});
afterAll(async () => {
  await metadata.close();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  await Promise.all(fronts.splice(0).map((front) => front.close()));
});

const start = async (
  catalog: FunctionSpec[] = [open(ROUTES), PRIVATE],
  options: Partial<FrontOptions> = {},
): Promise<Front> => {
  const front = await startFront({
    catalog,
    verifyIdToken: (token, audience) => metadata.verifyIdToken(token, audience),
    invokers: [metadata.account("pusher").email],
    environment: (spec) => ({ PATH: process.env["PATH"] ?? "", TEST_VALUE: spec.account }),
    command: [process.execPath, "--import", PRELOAD, HOST],
    graceMs: 1_000,
    ...options,
  });
  fronts.push(front);
  return front;
};

interface Echo {
  pid: number;
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  target: string;
  value: string;
}
const echo = async (response: Response): Promise<Echo> => (await response.json()) as Echo;

it("a request that comes before instances may start waits for that", async () => {
  const complete = Promise.withResolvers<void>();
  let value = "not yet";
  const front = await start(undefined, {
    instancesMayStart: complete.promise,
    environment: () => ({ PATH: process.env["PATH"] ?? "", TEST_VALUE: value }),
  });
  const answer = fetch(`${front.origin}/v1/things/1`);
  // Answered without an instance, so the one before has reached the front.
  expect((await fetch(`${front.origin}/nothing`)).status).toBe(404);
  value = "all there";
  complete.resolve();
  expect((await echo(await answer)).value).toBe("all there");
});

describe("routes", () => {
  it("reach the function with method, path, query, headers and body as they came", async () => {
    const front = await start();
    const response = await fetch(`${front.origin}/v1/things?a=1&b=%20`, {
      method: "POST",
      headers: { Authorization: "Bearer untouched.by.us", "Content-Type": "text/plain" },
      body: "hello",
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-test")).toBe("yes");
    expect(await echo(response)).toMatchObject({
      method: "POST",
      url: "/v1/things?a=1&b=%20",
      headers: { authorization: "Bearer untouched.by.us", "content-type": "text/plain" },
      body: "hello",
      target: "open",
      value: "api",
    });
  });

  it("tell one path from another", async () => {
    const front = await start();
    const get = (path: string) => fetch(`${front.origin}${path}`);
    expect((await get("/v1/things/a.b")).status).toBe(200);
    expect((await get("/v1/things/a/b")).status).toBe(404);
    expect((await get("/v1/things/")).status).toBe(405);
    expect((await get("/v1/things")).headers.get("allow")).toBe("POST");
    expect((await get("/_functions/nothing")).status).toBe(404);
    expect((await echo(await get("/_functions/open/some/path?q=1"))).url).toBe("/some/path?q=1");
  });

  it("refuse what is larger than Cloud Run takes", async () => {
    const front = await start();
    const request = httpRequest(`${front.origin}/v1/things`, {
      method: "POST",
      headers: { "Content-Length": String(33 * 1024 ** 2) },
    });
    request.on("error", () => {});
    request.flushHeaders();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    request.destroy();
  });
});

describe("a private function", () => {
  const call = async (front: Front, authorization?: string) =>
    fetch(front.urlOf("private"), {
      method: "POST",
      headers: authorization === undefined ? {} : { Authorization: authorization },
    });
  const token = (audience: string, account = "pusher") =>
    metadata.mintIdToken({ serviceAccountEmail: metadata.account(account).email, audience });

  it("is called with a token of the right account and audience, without its signature", async () => {
    const front = await start();
    const given = await token(front.urlOf("private"));
    const response = await call(front, `Bearer ${given}`);
    expect(response.status).toBe(200);
    const seen = (await echo(response)).headers["authorization"];
    const [header, claims] = given.split(".");
    expect(seen).toBe(`Bearer ${header}.${claims}.SIGNATURE_REMOVED_BY_GOOGLE`);
  });

  it("answers 403 without a token and to another account", async () => {
    const front = await start();
    expect((await call(front)).status).toBe(403);
    const others = await token(front.urlOf("private"), "other");
    expect((await call(front, `Bearer ${others}`)).status).toBe(403);
  });

  it("answers 401 to a token for another audience, a changed one, and what is none", async () => {
    const front = await start();
    const forOther = await token(front.urlOf("open"));
    expect((await call(front, `Bearer ${forOther}`)).status).toBe(401);
    const good = await token(front.urlOf("private"));
    const [header, , signature] = good.split(".");
    const claims = btoa(JSON.stringify({ email: metadata.account("pusher").email }));
    expect((await call(front, `Bearer ${header}.${claims}.${signature}`)).status).toBe(401);
    expect((await call(front, "Basic abc")).status).toBe(401);
    expect(front.instances()).toEqual([]);
  });

  it("is not reached by the path of a public one", async () => {
    const front = await start();
    for (const path of ["/private", "/_functions/open/../private", "//_functions/private"]) {
      const request = httpRequest(front.origin, { path });
      request.end();
      const [response] = (await once(request, "response")) as [IncomingMessage];
      response.resume();
      // The second is the public function's: it sees that path and nothing else happens.
      expect([404, 200]).toContain(response.statusCode);
    }
    expect(front.instances().map((instance) => instance.function)).not.toContain("private");
  });
});

describe("streaming", () => {
  it("goes both ways while the request is open", async () => {
    const front = await start();
    const request = httpRequest(`${front.origin}/events`, { method: "POST" });
    request.flushHeaders();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.setEncoding("utf8");
    expect((await once(response, "data"))[0]).toBe("id: 1\n\n");
    request.write("one");
    expect((await once(response, "data"))[0]).toBe("data: one\n\n");
    request.end();
    response.resume();
    await once(response, "end");
  });
});

describe("instances", () => {
  it("are started for the first request and kept", async () => {
    const front = await start();
    expect(front.instances()).toEqual([]);
    const first = await echo(await fetch(`${front.origin}/echo`));
    const second = await echo(await fetch(`${front.origin}/echo`));
    expect(second.pid).toBe(first.pid);
    expect(front.instances()).toEqual([{ function: "open", pid: first.pid, inFlight: 0 }]);
  });

  it("take as many requests as they are made for; then others start; then 429", async () => {
    const front = await start([open(ROUTES, { concurrency: 1, maxInstances: 2 })], {
      maxWaitMs: 20,
    });
    const cut = new AbortController();
    const busy = [1, 2].map(() => fetch(`${front.origin}/never`, { signal: cut.signal }));
    while (front.instances().reduce((sum, one) => sum + one.inFlight, 0) < 2) await delay(5);
    const refused = await fetch(`${front.origin}/echo`);
    expect(refused.status).toBe(429);
    expect(front.instances()).toHaveLength(2);
    cut.abort();
    await Promise.allSettled(busy);
    while (front.instances().some((one) => one.inFlight > 0)) await delay(5);
    expect((await fetch(`${front.origin}/echo`)).status).toBe(200);
  });

  it("hand a waiting request to the one that is free first", async () => {
    const front = await start([open(ROUTES, { concurrency: 1, maxInstances: 1 })]);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => fetch(`${front.origin}/echo`)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
    expect(front.instances()).toHaveLength(1);
  });

  it("that are killed fail what they worked on, with all they started, and are replaced", async () => {
    const front = await start();
    const grandchild = Number(await (await fetch(`${front.origin}/child`)).text());
    const [before] = front.instances();
    const pending = fetch(`${front.origin}/never`);
    while (front.instances()[0]?.inFlight !== 1) await delay(5);
    process.kill(before!.pid, "SIGKILL");
    expect((await pending).status).toBe(503);
    const after = await echo(await fetch(`${front.origin}/echo`));
    expect(after.pid).not.toBe(before!.pid);
    await gone(grandchild);
  });

  it("that end in the middle of an answer leave it visibly broken", async () => {
    const front = await start();
    expect((await fetch(`${front.origin}/crash`)).status).toBe(503);
    const half = await fetch(`${front.origin}/half`);
    expect(half.status).toBe(200);
    await expect(half.text()).rejects.toThrow("terminated");
  });

  it("that do not start answer 503 with the reason, without waiting", async () => {
    const front = await start([open(ROUTES)], {
      environment: () => ({ TEST_FAIL_AT_START: "1" }),
    });
    const response = await fetch(`${front.origin}/echo`);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("ended with code 3");
  });

  it("are given the function's time and no more", async () => {
    const front = await start([open(ROUTES, { timeoutSec: 0.3 })]);
    const response = await fetch(`${front.origin}/never`);
    expect(response.status).toBe(504);
    expect(front.instances()).toMatchObject([{ inFlight: 0 }]);
  });

  it("are not asked for a caller that left while it waited", async () => {
    const front = await start();
    const cut = new AbortController();
    const pending = fetch(`${front.origin}/never`, { signal: cut.signal });
    // The first request waits for the process to start.
    while (front.instances().length === 0) await delay(1);
    cut.abort();
    await expect(pending).rejects.toThrow("aborted");
    await (await fetch(`${front.origin}/echo`)).text();
    // Held by nobody: not by the one that left.
    while (front.instances()[0]?.inFlight !== 0) await delay(5);
    expect(front.instances()).toHaveLength(1);
  });

  it("hear when the caller is gone", async () => {
    const front = await start();
    const cut = new AbortController();
    const pending = fetch(`${front.origin}/never`, { signal: cut.signal });
    while (front.instances()[0]?.inFlight !== 1) await delay(5);
    cut.abort();
    await expect(pending).rejects.toThrow("aborted");
    while (front.instances()[0]?.inFlight !== 0) await delay(5);
  });
});

describe("the end", () => {
  it("stops instances, also one that does not listen to SIGTERM", async () => {
    const front = await start([open(ROUTES)], {
      graceMs: 100,
      environment: () => ({ TEST_IGNORE_SIGTERM: "1" }),
    });
    const { pid } = await echo(await fetch(`${front.origin}/echo`));
    await front.close();
    expect(isAlive(pid)).toBe(false);
    await expect(fetch(`${front.origin}/echo`)).rejects.toThrow("fetch failed");
  });

  it("by kill -9 leaves no instance behind", async () => {
    const parent = spawn(
      process.execPath,
      [fileURLToPath(new URL("testing/parent.ts", import.meta.url))],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [output] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(output.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await gone(pid);
  });
});

it("replaced instances end with what they are at, and requests find new ones at once", async () => {
  let value = "old";
  const front = await start(undefined, {
    environment: () => ({ PATH: process.env["PATH"] ?? "", TEST_VALUE: value }),
  });
  const old = await echo(await fetch(`${front.origin}/v1/things/1`));
  value = "new";
  expect(front.replaceInstances()).toBe(1);
  const answers = await Promise.all(
    ["1", "2", "3"].map(async (id) => echo(await fetch(`${front.origin}/v1/things/${id}`))),
  );
  for (const answer of answers) expect(answer.value).toBe("new");
  await gone(old.pid);
  // One that is only coming up is replaced as well, and whoever waits for it does not notice.
  for (const { pid } of front.instances()) process.kill(pid, "SIGKILL");
  await Promise.all(front.instances().map(({ pid }) => gone(pid)));
  const waiting = fetch(`${front.origin}/v1/things/4`);
  while (front.instances().length === 0) await delay(5);
  value = "newer";
  front.replaceInstances();
  expect((await echo(await waiting)).value).toBe("newer");
});
