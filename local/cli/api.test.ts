// The command line's client of the HTTP API, against servers that break off, refuse or answer nonsense.
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApiClient } from "./api.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-api-"));
});
afterAll(() => rm(folder, { recursive: true }));

const serve = async (listener: RequestListener, interrupted?: AbortSignal) => {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    api: createApiClient(origin, "key", interrupted),
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

it("says what was answered where that is no problem document", async () => {
  using server = await serve((_req, res) => res.writeHead(502).end("<h1>Bad gateway</h1>"));
  await expect(server.api.status("j1")).rejects.toThrow("The service answered with 502.");
});

it("says why storage took no upload, where it says so", async () => {
  let answer = JSON.stringify({ error: { code: 507, message: "The disk that holds d is full." } });
  using server = await serve((req, res) => {
    if (req.url !== "/v1/uploads")
      return void req.resume().on("end", () => res.writeHead(507).end(answer));
    res.end(JSON.stringify({ handle: "gs://b/u", upload_url: `http://${req.headers.host}/put` }));
  });
  const upload = () => server.api.upload(import.meta.filename, "text/plain");
  await expect(upload()).rejects.toThrow(
    /^The upload was answered with 507: The disk that holds d is full\.$/,
  );
  answer = "<h1>No room</h1>";
  await expect(upload()).rejects.toThrow(/^The upload was answered with 507\.$/);
});

it("leaves a file whole or not at all", async () => {
  using server = await serve((req, res) => {
    if (req.url === "/whole") res.end("all of it");
    else res.writeHead(200, { "content-length": "100" }).write("some of it", () => res.destroy());
  });
  await server.api.download(`${server.origin}/whole`, join(folder, "whole"));
  await expect(server.api.download(`${server.origin}/cut`, join(folder, "cut"))).rejects.toThrow(
    "terminated",
  );
  expect(await readFile(join(folder, "whole"), "utf8")).toBe("all of it");
  expect(await readdir(folder)).toEqual(["whole"]);
});

it("lets go of an upload and a download that are interrupted", async () => {
  const first = new AbortController();
  using downloads = await serve(
    (_req, res) => res.write("begun", () => first.abort(new Error("Interrupted."))),
    first.signal,
  );
  await expect(
    downloads.api.download(`${downloads.origin}/`, join(folder, "never")),
  ).rejects.toThrow("Interrupted.");
  expect(await readdir(folder)).toEqual(["whole"]);

  const second = new AbortController();
  using uploads = await serve((req, res) => {
    if (req.url !== "/v1/uploads") return second.abort(new Error("Interrupted."));
    const upload_url = `http://${req.headers.host}/put`;
    res.end(JSON.stringify({ handle: "gs://b/u", upload_url }));
  }, second.signal);
  await expect(uploads.api.upload(import.meta.filename, "text/plain")).rejects.toThrow(
    "Interrupted.",
  );
});
