// A web server for tests that serves given bodies well or badly: with and without byte ranges,
// redirecting, slow, cut off, failing a few times first.
import { createReadStream, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { listen, stop } from "../httpServer.ts";

export interface ServedFile {
  /** A path on disk, or the bytes themselves. */
  body: string | Uint8Array;
  contentType?: string;
  /** Default true: `Range` is honoured. */
  ranges?: boolean;
  /** Default true: a strong ETag is sent. `weak` sends one that says nothing. */
  etag?: boolean | "weak";
  /** Before anything is answered. */
  latencyMs?: number;
  /** The connection is cut after so many bytes of each answer. */
  cutAfterBytes?: number;
  /** Answer with this status instead, the first `times` times (default always). */
  fail?: { status: number; times?: number; headers?: Record<string, string> };
  /** Answer 302 to this address. */
  redirectTo?: string;
  /** Sent as they are. */
  headers?: Record<string, string>;
}

export interface FileServer {
  /** `127.0.0.1:port` */
  address: string;
  /** Requests so far, by path. */
  requests: Map<string, number>;
  /** Body bytes sent so far. */
  bytesSent(): number;
  /** Most requests that were under way at once. */
  peakConcurrency(): number;
  close(): Promise<void>;
}

const sizeOf = (body: string | Uint8Array): number =>
  typeof body === "string" ? statSync(body).size : body.length;

const read = (body: string | Uint8Array, start: number, end: number): Readable => {
  if (end <= start) return Readable.from([]);
  return typeof body === "string"
    ? createReadStream(body, { start, end: end - 1 })
    : Readable.from([body.subarray(start, end)]);
};

const etagOf = (file: ServedFile): string => {
  const key = typeof file.body === "string" ? `${file.body} ${sizeOf(file.body)}` : file.body;
  const tag = `"${createHash("sha1").update(key).digest("hex")}"`;
  return file.etag === "weak" ? `W/${tag}` : tag;
};

const rangeOf = (header: string | undefined, size: number): [number, number] | null | "invalid" => {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === undefined) return null;
  const end = to ? Math.min(Number(to) + 1, size) : size;
  return Number(from) >= size ? "invalid" : [Number(from), end];
};

const drainedOrClosed = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    if (response.destroyed) resolve();
    else response.on("drain", done).on("close", done);
  });

/** Answers one request with one file. */
export const serveFile = async (
  request: IncomingMessage,
  response: ServerResponse,
  file: ServedFile,
  onBytes: (count: number) => void = () => undefined,
): Promise<void> => {
  if (file.latencyMs) await delay(file.latencyMs);
  if (file.fail && (file.fail.times ?? Infinity) > 0) {
    if (file.fail.times !== undefined) file.fail.times -= 1;
    response.writeHead(file.fail.status, file.fail.headers ?? {}).end("refused");
    return;
  }
  if (file.redirectTo !== undefined) {
    response.writeHead(302, { location: file.redirectTo }).end();
    return;
  }
  const size = sizeOf(file.body);
  const head: Record<string, string | number> = {
    "content-type": file.contentType ?? "application/octet-stream",
    ...(file.etag === false ? {} : { etag: etagOf(file) }),
    ...file.headers,
  };
  const range = file.ranges === false ? null : rangeOf(request.headers.range, size);
  if (range === "invalid") {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  const wanted = request.headers["if-match"];
  if (wanted !== undefined && wanted !== head["etag"]) {
    response.writeHead(412).end();
    return;
  }
  const [start, end] = range ?? [0, size];
  response.writeHead(range === null ? 200 : 206, {
    ...head,
    "content-length": end - start,
    ...(range === null ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` }),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  let sent = 0;
  for await (const chunk of read(file.body, start, end)) {
    const room = (file.cutAfterBytes ?? Infinity) - sent;
    const piece = (chunk as Buffer).subarray(0, room);
    sent += piece.length;
    onBytes(piece.length);
    if (response.destroyed) return;
    if (!response.write(piece)) await drainedOrClosed(response);
    if (sent >= (file.cutAfterBytes ?? Infinity)) {
      response.destroy();
      return;
    }
  }
  response.end();
};

/** @param files by path, beginning with `/`; read at every request, so they may change */
export const startFileServer = async (files: Record<string, ServedFile>): Promise<FileServer> => {
  const requests = new Map<string, number>();
  let bytesSent = 0;
  let active = 0;
  let peak = 0;
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    requests.set(path, (requests.get(path) ?? 0) + 1);
    active += 1;
    peak = Math.max(peak, active);
    response.once("close", () => {
      active -= 1;
    });
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    if (file === undefined) {
      response.writeHead(404).end("not found");
      return;
    }
    serveFile(request, response, file, (count) => {
      bytesSent += count;
    }).catch((error: Error) => response.destroy(error));
  });
  return {
    address: new URL(await listen(server)).host,
    requests,
    bytesSent: () => bytesSent,
    peakConcurrency: () => peak,
    close: () => stop(server),
  };
};
