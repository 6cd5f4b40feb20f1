// A web server for one task on the loopback address, in front of a source that is read out of
// order: ffmpeg seeks in it as it likes and never learns where the bytes come from. Blocks are
// kept and read ahead, so that its short jumps cost no request at the source.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ByteSource, readBytes } from "./byteSource.ts";

const BLOCK_BYTES = 2 ** 20;
/** Blocks in memory, those under way included: 32 MiB. */
const MAX_BLOCKS = 32;
/** Most blocks that are fetched before they are asked for. */
const MAX_AHEAD = 8;

export interface RangeServer {
  /** `http://127.0.0.1:port/token` */
  url: string;
  bytesRead: () => number;
  /** What reading the source failed with. */
  failure: () => Error | undefined;
  close: () => Promise<void>;
}

/** Blocks of a source by number, the least recently used forgotten first. */
const blockReader = (source: ByteSource, signal: AbortSignal, onBytes: (n: number) => void) => {
  const blocks = new Map<number, Promise<Buffer>>();
  const count = Math.ceil(source.sizeBytes / BLOCK_BYTES);
  const get = (index: number): Promise<Buffer> => {
    const kept = blocks.get(index);
    blocks.delete(index);
    const block =
      kept ??
      readBytes(source, index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES, signal).then((bytes) => {
        onBytes(bytes.length);
        return bytes;
      });
    block.catch(() => blocks.delete(index)); // the next one to ask tries again
    blocks.set(index, block);
    for (const oldest of blocks.keys()) {
      if (blocks.size <= MAX_BLOCKS) break;
      blocks.delete(oldest);
    }
    return block;
  };
  return {
    get,
    ahead: (index: number, depth: number) => {
      for (let i = index + 1; i <= Math.min(index + depth, count - 1); i += 1) {
        if (!blocks.has(i)) get(i).catch(() => undefined); // it is reported when it is asked for
      }
    },
  };
};

const parseRange = (
  header: string | undefined,
  size: number,
): { start: number; end: number } | null | "invalid" => {
  if (header === undefined) return null;
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (from === undefined || (from === "" && to === "")) return null;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size : Math.min(Number(to) + 1, size);
  return start >= end ? "invalid" : { start, end };
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

/** Serves `source` until it is closed or `signal` aborts. */
export const startRangeServer = async (
  source: ByteSource,
  signal?: AbortSignal,
): Promise<RangeServer> => {
  const stop = new AbortController();
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const token = randomBytes(24).toString("base64url");
  let bytesRead = 0;
  let failure: Error | undefined;
  const blocks = blockReader(source, stopped, (n) => {
    bytesRead += n;
  });

  const send = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { sizeBytes } = source;
    if (request.url !== `/${token}` || !/^(GET|HEAD)$/.test(request.method ?? "")) {
      response.writeHead(404).end();
      return;
    }
    const range = parseRange(request.headers.range, sizeBytes);
    if (range === "invalid") {
      response.writeHead(416, { "content-range": `bytes */${sizeBytes}` }).end();
      return;
    }
    const { start, end } = range ?? { start: 0, end: sizeBytes };
    response.writeHead(range === null ? 200 : 206, {
      "accept-ranges": "bytes",
      "content-length": end - start,
      "content-type": "application/octet-stream",
      ...(range === null ? {} : { "content-range": `bytes ${start}-${end - 1}/${sizeBytes}` }),
    });
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    let depth = 1;
    for (let at = start; at < end && !response.destroyed;) {
      const index = Math.floor(at / BLOCK_BYTES);
      const pending = blocks.get(index);
      blocks.ahead(index, depth);
      const block = await pending;
      const offset = at - index * BLOCK_BYTES;
      const piece = block.subarray(offset, Math.min(block.length, end - index * BLOCK_BYTES));
      if (response.destroyed) return;
      if (!response.write(piece)) await drainedOrClosed(response);
      at += piece.length;
      depth = Math.min(depth * 2, MAX_AHEAD); // who reads on and on is read ahead for
    }
    response.end();
  };

  const server = createServer((request, response) => {
    send(request, response).catch((error: Error) => {
      if (!stopped.aborted) failure ??= error;
      response.destroy(); // an end before the announced length is the only way left to say it
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      stop.abort(new Error("The range server was closed."));
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closing;
  };
  signal?.addEventListener("abort", () => void close(), { once: true });
  return {
    url: `http://127.0.0.1:${port}/${token}`,
    bytesRead: () => bytesRead,
    failure: () => failure,
    close,
  };
};
