// Signed URLs, made by the official client and checked here: what they open and what they do not.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bucket, type GetSignedUrlConfig, Storage } from "@google-cloud/storage";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StorageServer, startStorage } from "./server.ts";
import { SIGNER, verifySigner } from "./testing/signer.ts";

let dataDir: string;
let server: StorageServer;
let bucket: Bucket;
let nowMs = Date.now();

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "klipstream-signing-"));
  server = await startStorage({ dataDir, verifySigner, buckets: ["media"], now: () => nowMs });
  bucket = new Storage({
    projectId: "klipstream",
    apiEndpoint: server.origin,
    credentials: SIGNER,
  }).bucket("media");
  await bucket.file("dir/read ü.txt").save("signed", { contentType: "text/plain" });
});
afterAll(async () => {
  await server?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const sign = async (
  config: Partial<GetSignedUrlConfig> & { action: GetSignedUrlConfig["action"] },
  name = "dir/read ü.txt",
): Promise<string> => {
  const [url] = await bucket
    .file(name)
    .getSignedUrl({ version: "v4", expires: Date.now() + 60_000, ...config });
  return url;
};
const load = async (name: string) => (await bucket.file(name).download())[0].toString("utf8");
const errorCode = async (response: Response) =>
  /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1];

describe("reading", () => {
  it("by GET, HEAD and Range", async () => {
    const url = await sign({ action: "read" });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain");
    expect(await response.text()).toBe("signed");
    const part = await fetch(url, { headers: { range: "bytes=1-3" } });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe("bytes 1-3/6");
    expect(await part.text()).toBe("ign");
    const past = await fetch(url, { headers: { range: "bytes=6-" } });
    expect(past.status).toBe(416);
    expect(past.headers.get("content-range")).toBe("bytes */6");
    const etag = response.headers.get("etag") ?? "";
    expect((await fetch(url, { headers: { "if-none-match": etag } })).status).toBe(304);
    const head = await fetch(await sign({ action: "read" }), { method: "HEAD" });
    // A signature is for one method.
    expect(head.status).toBe(403);
  });

  it("with the headers the address asks for", async () => {
    const response = await fetch(
      await sign({
        action: "read",
        responseDisposition: 'attachment; filename="x y.txt"',
        responseType: "application/x-other",
      }),
    );
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="x y.txt"');
    expect(response.headers.get("content-type")).toBe("application/x-other");
  });

  it("of what is not there", async () => {
    const response = await fetch(await sign({ action: "read" }, "missing"));
    expect(response.status).toBe(404);
    expect(await errorCode(response)).toBe("NoSuchKey");
  });
});

describe("refused", () => {
  it("without a signature", async () => {
    const response = await fetch(`${server.origin}/media/dir/read%20%C3%BC.txt`);
    expect(response.status).toBe(403);
    expect(await errorCode(response)).toBe("AccessDenied");
  });

  it("when it has expired", async () => {
    const url = await sign({ action: "read" });
    nowMs = Date.now() + 61_000;
    const response = await fetch(url);
    nowMs = Date.now();
    expect(response.status).toBe(400);
    expect(await errorCode(response)).toBe("ExpiredToken");
    expect((await fetch(url)).status).toBe(200);
  });

  it.each<[string, (url: URL) => void]>([
    ["another object", (url) => (url.pathname = "/media/other")],
    ["another bucket", (url) => (url.pathname = url.pathname.replace("media", "secrets"))],
    ["a longer life", (url) => url.searchParams.set("X-Goog-Expires", "604800")],
    ["a later date", (url) => url.searchParams.set("X-Goog-Date", later(url))],
    ["a parameter more", (url) => url.searchParams.set("response-content-type", "text/html")],
    ["another signature", (url) => url.searchParams.set("X-Goog-Signature", "00ff")],
    ["no hexadecimal", (url) => url.searchParams.set("X-Goog-Signature", "zz")],
    ["another signer", (url) => url.searchParams.set("X-Goog-Credential", other(url))],
  ])("when changed to %s", async (_, change) => {
    const url = new URL(await sign({ action: "read" }));
    change(url);
    const response = await fetch(url);
    expect(response.status).toBe(403);
    expect(await errorCode(response)).toBe("SignatureDoesNotMatch");
  });

  it.each<[string, (url: URL) => void]>([
    ["without a date", (url) => url.searchParams.delete("X-Goog-Date")],
    ["with a life of eight days", (url) => url.searchParams.set("X-Goog-Expires", "691200")],
    ["with a life of nonsense", (url) => url.searchParams.set("X-Goog-Expires", "1e3x")],
    ["without host", (url) => url.searchParams.set("X-Goog-SignedHeaders", "accept")],
    ["in another algorithm", (url) => url.searchParams.set("X-Goog-Algorithm", "none")],
    ["of nobody", (url) => url.searchParams.set("X-Goog-Credential", "/")],
  ])("as malformed %s", async (_, change) => {
    const url = new URL(await sign({ action: "read" }));
    change(url);
    expect((await fetch(url)).status).toBe(400);
  });

  it("with a header of Google's that was not signed", async () => {
    const url = await sign({ action: "write" }, "unsigned");
    const headers = { "x-goog-meta-a": "b" };
    expect((await fetch(url, { method: "PUT", body: "x", headers })).status).toBe(400);
    expect((await fetch(url, { method: "PUT", body: "x" })).status).toBe(200);
  });
});

const later = (url: URL): string => {
  const date = url.searchParams.get("X-Goog-Date") ?? "";
  return `${date.slice(0, 9)}235959Z`;
};
const other = (url: URL): string =>
  (url.searchParams.get("X-Goog-Credential") ?? "").replace("pipeline@", "stranger@");

describe("writing", () => {
  it("by PUT, with the type and metadata that were signed", async () => {
    const headers = { "x-goog-meta-sha256": "abc", "x-goog-if-generation-match": "0" };
    const url = await sign(
      { action: "write", contentType: "video/mp4", extensionHeaders: headers },
      "put here.mp4",
    );
    const put = () =>
      fetch(url, {
        method: "PUT",
        body: "movie",
        headers: { ...headers, "content-type": "video/mp4" },
      });
    const response = await put();
    expect(response.status).toBe(200);
    expect(response.headers.get("x-goog-hash")).toMatch(/^crc32c=.{8},md5=/);
    expect((await put()).status).toBe(412);
    const wrongType = await fetch(url, {
      method: "PUT",
      body: "movie",
      headers: { ...headers, "content-type": "text/html" },
    });
    expect(wrongType.status).toBe(403);
    expect(await load("put here.mp4")).toBe("movie");
    expect((await bucket.file("put here.mp4").getMetadata())[0]).toMatchObject({
      contentType: "video/mp4",
      metadata: { sha256: "abc" },
    });
  });

  it("a resumable upload that is begun by a signed POST, and goes on by its address alone", async () => {
    const url = await sign({ action: "resumable", contentType: "video/mp4" }, "resumable ü");
    const headers = { "x-goog-resumable": "start", "content-type": "video/mp4" };
    const begun = await fetch(url, { method: "POST", headers });
    expect(begun.status).toBe(201);
    const address = begun.headers.get("location") ?? "";
    const body = "x".repeat(256 * 1024);
    const first = await fetch(address, {
      method: "PUT",
      body,
      headers: { "content-range": "bytes 0-262143/*" },
    });
    expect(first.status).toBe(308);
    expect(first.headers.get("range")).toBe("bytes=0-262143");
    const last = await fetch(address, {
      method: "PUT",
      body: "end",
      headers: { "content-range": "bytes 262144-262146/262147" },
    });
    expect(last.status).toBe(200);
    expect(await load("resumable ü")).toBe(`${body}end`);
  });
});

describe("from a web page", () => {
  const origin = "https://app.test";
  const preflight = (url: string, method: string) =>
    fetch(url, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": method,
        "access-control-request-headers": "content-type",
      },
    });

  it("a bucket without a CORS setting is open", async () => {
    const url = await sign({ action: "write" }, "cors");
    const asked = await preflight(url, "PUT");
    expect(asked.status).toBe(200);
    expect(asked.headers.get("access-control-allow-origin")).toBe("*");
    expect(asked.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(asked.headers.get("access-control-allow-headers")).toBe("content-type");
    const put = await fetch(url, { method: "PUT", body: "x", headers: { origin } });
    expect(put.headers.get("access-control-allow-origin")).toBe("*");
  });

  it("a bucket with one is as open as it says", async () => {
    await bucket.setCorsConfiguration([{ origin: [origin], method: ["GET"], maxAgeSeconds: 60 }]);
    const url = await sign({ action: "read" });
    const allowed = await preflight(url, "GET");
    expect(allowed.headers.get("access-control-allow-origin")).toBe(origin);
    expect(allowed.headers.get("access-control-max-age")).toBe("60");
    expect((await preflight(url, "PUT")).headers.get("access-control-allow-origin")).toBeNull();
    const stranger = await fetch(url, { headers: { origin: "https://evil.test" } });
    expect(stranger.headers.get("access-control-allow-origin")).toBeNull();
  });
});
