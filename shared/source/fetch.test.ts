import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type FileServer, type ServedFile, startFileServer } from "#local/twitch/fileServer.ts";
import { standInNet } from "#local/twitch/standInNet.ts";
import { expectOk, fetchBytes, retryAfterSec, withRetry } from "./answers.ts";
import { type ClosableFetch, createGuardedFetch, type Net } from "./fetch.ts";
import { StageError } from "../contract/errors.ts";

const files: Record<string, ServedFile> = {};
let server: FileServer;
let guarded: ClosableFetch;

beforeAll(async () => {
  server = await startFileServer(files);
  guarded = createGuardedFetch(
    standInNet({ "a.example": server.address, "b.example": server.address }),
    { maxBytes: 100_000, headersMs: 1000 },
  );
});
afterAll(async () => {
  await guarded.close();
  await server.close();
});
afterEach(() => {
  for (const path of Object.keys(files)) delete files[path];
});

const read = async (url: string, maxBytes = 100_000) =>
  (await fetchBytes(guarded.fetch, url, { maxBytes })).bytes.toString();

describe("where a name leads", () => {
  /** A net whose resolver is the attacker's, and whose dialer counts. */
  const hostile = (answers: string[][]): { net: Net; dialed: string[] } => {
    const dialed: string[] = [];
    let asked = 0;
    return {
      dialed,
      net: {
        resolve: () => {
          const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
          asked += 1;
          return Promise.resolve(answer);
        },
        connect: ({ address }) => {
          dialed.push(address);
          return Promise.reject(new Error("nobody there"));
        },
      },
    };
  };

  it.each([
    ["127.0.0.1"],
    ["10.1.2.3"],
    ["169.254.169.254"],
    ["192.168.0.1"],
    ["0.0.0.0"],
    ["::1"],
    ["::ffff:10.0.0.1"],
    ["fd00::1"],
    ["fe80::1%eth0"],
    ["64:ff9b::a00:1"],
    ["2002:a00:1::1"],
    ["not an address"],
  ])("%s is never dialed", async (address) => {
    const { net, dialed } = hostile([[address]]);
    const { fetch, close } = createGuardedFetch(net);
    await expect(fetch("https://evil.example/")).rejects.toMatchObject({ code: "private_address" });
    expect(dialed).toEqual([]);
    await close();
  });

  it("one private address among public ones refuses all", async () => {
    const { net, dialed } = hostile([["8.8.8.8", "127.0.0.1"]]);
    const { fetch, close } = createGuardedFetch(net);
    await expect(fetch("https://evil.example/")).rejects.toMatchObject({ code: "private_address" });
    expect(dialed).toEqual([]);
    await close();
  });

  it("the address that was checked is the one that is dialed, whatever the name says next", async () => {
    const { net, dialed } = hostile([["8.8.8.8"], ["127.0.0.1"]]);
    const { fetch, close } = createGuardedFetch(net);
    await expect(fetch("https://evil.example/")).rejects.toMatchObject({
      code: "source_unreachable",
    });
    expect(dialed).toEqual(["8.8.8.8"]);
    // The next connection asks again, and sees the change.
    await expect(fetch("https://evil.example/")).rejects.toMatchObject({ code: "private_address" });
    expect(dialed).toEqual(["8.8.8.8"]);
    await close();
  });

  it("a resolver that never answers is given up", async () => {
    const net: Net = {
      resolve: () => new Promise(() => undefined),
      connect: () => Promise.reject(new Error("unused")),
    };
    const { fetch, close } = createGuardedFetch(net, { connectMs: 50 });
    await expect(fetch("https://slow.example/")).rejects.toMatchObject({
      code: "source_unreachable",
    });
    await close();
  });
});

describe("redirects", () => {
  it("are followed to where they lead", async () => {
    files["/from"] = { body: "", redirectTo: "http://b.example:8080/to" };
    files["/to"] = { body: Buffer.from("here") };
    const answer = await guarded.fetch("https://a.example/from");
    expect(answer.url).toBe("http://b.example:8080/to");
    answer.body.destroy();
  });

  it.each([
    ["http://127.0.0.1/", "private_address"],
    ["http://169.254.169.254/", "private_address"],
    ["http://[::1]/", "private_address"],
    ["file:///etc/passwd", "invalid_url"],
    ["http://a.example:22/", "invalid_url"],
    ["gopher://a.example/", "invalid_url"],
    ["http://u:p@a.example/", "invalid_url"],
  ])("to %s are refused", async (redirectTo, code) => {
    files["/from"] = { body: "", redirectTo };
    await expect(guarded.fetch("https://a.example/from")).rejects.toMatchObject({ code });
  });

  it("in a circle end", async () => {
    files["/a"] = { body: "", redirectTo: "/b" };
    files["/b"] = { body: "", redirectTo: "/a" };
    await expect(guarded.fetch("https://a.example/a")).rejects.toMatchObject({
      code: "invalid_url",
    });
    expect((server.requests.get("/a") ?? 0) + (server.requests.get("/b") ?? 0)).toBe(6);
  });

  it("are handed back where none are wanted", async () => {
    files["/from"] = { body: "", redirectTo: "http://127.0.0.1/" };
    const answer = await guarded.fetch("https://a.example/from", { maxRedirects: 0 });
    expect(answer.status).toBe(302);
    answer.body.destroy();
  });

  it("do not carry a key to another host", async () => {
    const seen: (string | undefined)[] = [];
    const other: Server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end("ok");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const port = (other.address() as AddressInfo).port;
    files["/from"] = { body: "", redirectTo: "https://c.example/" };
    const { fetch, close } = createGuardedFetch(
      standInNet({ "a.example": server.address, "c.example": `127.0.0.1:${port}` }),
    );
    const answer = await fetch("https://a.example/from", { headers: { authorization: "secret" } });
    answer.body.resume();
    await once(answer.body, "end");
    expect(seen).toEqual([undefined]);
    await close();
    other.close();
  });
});

describe("caps", () => {
  it("the announced length is refused at once, an unannounced one when it is reached", async () => {
    files["/big"] = { body: Buffer.alloc(200_000) };
    await expect(read("https://a.example/big")).rejects.toMatchObject({ code: "video_too_large" });
    files["/stream"] = {
      body: gzipSync(Buffer.alloc(200_000, "ab")),
      headers: { "content-encoding": "gzip" },
    };
    await expect(read("https://a.example/stream")).rejects.toMatchObject({
      code: "video_too_large",
    });
  });

  it("a bomb is refused by its ratio before the byte cap", async () => {
    files["/bomb"] = {
      body: brotliCompressSync(Buffer.alloc(20 * 2 ** 20)),
      headers: { "content-encoding": "br" },
    };
    await expect(read("https://a.example/bomb", 2 ** 30)).rejects.toMatchObject({
      code: "source_failed",
    });
  });

  it("what is compressed sanely is read", async () => {
    files["/text"] = { body: gzipSync("hello"), headers: { "content-encoding": "gzip" } };
    expect(await read("https://a.example/text")).toBe("hello");
  });

  it("a server that answers late, or stops, is given up", async () => {
    files["/late"] = { body: Buffer.from("x"), latencyMs: 30_000 };
    await expect(read("https://a.example/late")).rejects.toMatchObject({
      code: "source_unreachable",
    });
    files["/cut"] = { body: Buffer.alloc(50_000), cutAfterBytes: 10 };
    await expect(read("https://a.example/cut")).rejects.toMatchObject({
      code: "source_unreachable",
    });
  });

  it("the caller's signal ends a request with its own reason", async () => {
    files["/late"] = { body: Buffer.from("x"), latencyMs: 5000 };
    const stop = new AbortController();
    const asked = guarded.fetch("https://a.example/late", { signal: stop.signal });
    stop.abort(new Error("canceled"));
    await expect(asked).rejects.toThrow("canceled");
  });
});

describe("answers", () => {
  it.each([
    [404, "video_not_found"],
    [410, "video_not_found"],
    [401, "video_restricted"],
    [403, "video_restricted"],
    [500, "source_failed"],
    [503, "source_failed"],
    [418, "source_failed"],
  ])("%i is %s", async (status, code) => {
    files["/x"] = { body: "", fail: { status } };
    const answer = await guarded.fetch("https://a.example/x");
    expect(() => expectOk(answer)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("429 says how long to wait", async () => {
    files["/x"] = { body: "", fail: { status: 429, headers: { "retry-after": "7" } } };
    const answer = await guarded.fetch("https://a.example/x");
    const limited = { code: "source_rate_limited", retryAfterSec: 7 };
    expect(() => expectOk(answer)).toThrow(expect.objectContaining(limited) as Error);
  });

  it("an unknown host is unreachable", async () => {
    await expect(read("https://nowhere.example/")).rejects.toMatchObject({
      code: "source_unreachable",
    });
  });

  it.each([
    ["120", 120],
    ["0", 0],
    ["99999", 600],
    ["Thu, 01 Jan 1970 00:02:00 GMT", 120],
    ["soon", undefined],
    [undefined, undefined],
  ])("Retry-After %s is %s s", (header, sec) => {
    expect(retryAfterSec(header, 0)).toBe(sec);
  });

  it("retrying stops at success, at what is final, and when the tries are used up", async () => {
    const failing = (times: number, code: "source_failed" | "video_not_found") => {
      let calls = 0;
      const work = () => {
        calls += 1;
        return calls <= times ? Promise.reject(new StageError(code)) : Promise.resolve(calls);
      };
      return { work, calls: () => calls };
    };
    expect(await withRetry(failing(2, "source_failed").work, { baseMs: 1 })).toBe(3);
    const final = failing(9, "video_not_found");
    await expect(withRetry(final.work, { baseMs: 1 })).rejects.toBeInstanceOf(StageError);
    expect(final.calls()).toBe(1);
    const always = failing(9, "source_failed");
    await expect(withRetry(always.work, { baseMs: 1, tries: 3 })).rejects.toBeInstanceOf(
      StageError,
    );
    expect(always.calls()).toBe(3);
  });
});
