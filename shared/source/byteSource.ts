// Bytes that are read out of order, wherever they are: behind an address or in the bucket. A read
// that breaks off goes on from where it broke.
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { ObjectStore } from "../cloud/objectStore.ts";
import { StageError } from "../contract/errors.ts";
import { dropBody, expectOk } from "./answers.ts";
import type { GuardedFetch } from "./fetch.ts";

export interface ByteSource {
  readonly sizeBytes: number;
  /** Bytes from `start` up to `end`, exclusive. Both lie within the size. */
  open(start: number, end: number, signal?: AbortSignal): Promise<Readable>;
}

/** `bytes 0-99/1000` as numbers; null where it is anything else. */
export const parseContentRange = (
  header: string | undefined,
): { start: number; end: number; total: number | null } | null => {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header?.trim() ?? "");
  if (match === null) return null;
  const total = match[3] === "*" ? null : Number(match[3]);
  return { start: Number(match[1]), end: Number(match[2]), total };
};

/** Time for one range: they are a few MiB, but a caller may take them slowly. */
const RANGE_MS = 300_000;

/**
 * A file behind an address whose server honours `Range`.
 * Its reads fail with `source_changed` where the file is not the described one any more.
 */
export const httpBytes = (
  fetch: GuardedFetch,
  file: { url: string; etag?: string | undefined; sizeBytes: number },
): ByteSource => ({
  sizeBytes: file.sizeBytes,
  open: async (start, end, signal) => {
    const response = await fetch(file.url, {
      headers: {
        range: `bytes=${start}-${end - 1}`,
        ...(file.etag === undefined ? {} : { "if-match": file.etag }),
      },
      maxBytes: end - start,
      totalMs: RANGE_MS,
      ...(signal ? { signal } : {}),
    });
    if (response.status === 412 || response.status === 416) {
      dropBody(response);
      throw new StageError("source_changed");
    }
    expectOk(response);
    const range = parseContentRange(response.headers["content-range"]);
    const whole = response.status === 200 && start === 0 && end === file.sizeBytes;
    const matches =
      range !== null && range.start === start && (range.total ?? file.sizeBytes) === file.sizeBytes;
    if (!whole && !matches) {
      dropBody(response);
      throw new StageError("source_changed");
    }
    return response.body;
  },
});

/** An object of our own bucket. */
export const bucketBytes = (store: ObjectStore, object: string, sizeBytes: number): ByteSource => ({
  sizeBytes,
  open: (start, end) => Promise.resolve(store.stream(object, { start, end: end - 1 })),
});

/** Bytes that are here already. */
export const memoryBytes = (bytes: Buffer): ByteSource => ({
  sizeBytes: bytes.length,
  open: (start, end) => Promise.resolve(Readable.from([bytes.subarray(start, end)])),
});

const TRIES = 4;

/** Reads a range and goes on after a failure that may pass, a few times without progress. */
export async function* readRange(
  source: ByteSource,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let at = start;
  for (let failures = 0; at < end;) {
    signal?.throwIfAborted();
    let body: Readable | undefined;
    try {
      body = await source.open(at, end, signal);
      for await (const chunk of body) {
        at += (chunk as Buffer).length;
        failures = 0;
        yield chunk as Buffer;
      }
      if (at < end) throw new StageError("source_failed", "The server ends the file early.");
    } catch (error) {
      failures += 1;
      if (!(error instanceof StageError) || !error.retryable || failures >= TRIES) throw error;
      if (error.code === "source_changed") throw error;
      const waitMs = Math.max(200 * 2 ** failures, (error.retryAfterSec ?? 0) * 1000);
      if (waitMs > 10_000) throw error;
      await delay(waitMs, undefined, { signal });
    } finally {
      body?.destroy();
    }
  }
}

/** A range in memory. */
export const readBytes = async (
  source: ByteSource,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  const to = Math.min(end, source.sizeBytes);
  for await (const chunk of readRange(source, start, to, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
};
