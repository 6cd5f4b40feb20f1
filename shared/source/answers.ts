// What a caller makes of an answer: a status as an error, a body as bytes or text, and another try
// where that can help.
import { setTimeout as delay } from "node:timers/promises";
import { StageError } from "../contract/errors.ts";
import { freeChunk } from "../media/freeChunk.ts";
import type { FetchRequest, FetchResponse, GuardedFetch } from "./fetch.ts";

/** Longest wait that a server may ask for before it is simply a failure, seconds. */
const MAX_RETRY_AFTER_SEC = 600;

/** Seconds of a `Retry-After` header, which is a number or a date; undefined without a sane one. */
export const retryAfterSec = (header: string | undefined, now = Date.now()): number | undefined => {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  if (!Number.isFinite(seconds)) return undefined;
  return Math.min(Math.max(0, Math.ceil(seconds)), MAX_RETRY_AFTER_SEC);
};

/** The error that a status means, or null for 2xx. */
const statusError = (response: FetchResponse): StageError | null => {
  const { status } = response;
  if (status >= 200 && status < 300) return null;
  const cause = new Error(`HTTP ${status}`);
  if (status === 404 || status === 410)
    return new StageError("video_not_found", undefined, { cause });
  if (status === 401 || status === 403 || status === 402 || status === 451) {
    return new StageError("video_restricted", undefined, { cause });
  }
  if (status === 429) {
    const wait = retryAfterSec(response.headers["retry-after"]);
    return new StageError("source_rate_limited", undefined, {
      cause,
      ...(wait === undefined ? {} : { retryAfterSec: wait }),
    });
  }
  return new StageError("source_failed", undefined, { cause });
};

/**
 * The answer if its status is 2xx; otherwise its body is dropped and the status becomes an error.
 * @throws {StageError} `video_not_found`, `video_restricted`, `source_rate_limited`, `source_failed`
 */
export const expectOk = (response: FetchResponse): FetchResponse => {
  const error = statusError(response);
  if (error === null) return response;
  dropBody(response);
  throw error;
};

/** Ends a body nobody wants. */
export const dropBody = (response: FetchResponse): void => {
  response.body.on("error", () => {
    // Cut off on purpose.
  });
  response.body.destroy();
};

/** Takes a body as it arrives, and may keep less of it. */
export interface ByteCollector {
  /** @param chunk gone once this returns */
  push(chunk: Buffer): void;
  /** @returns what was kept */
  finish(): Buffer;
}

export interface FetchedBytes {
  bytes: Buffer;
  /** Bytes of the body, whatever was kept of them. */
  received: number;
  status: number;
  headers: Record<string, string>;
  url: string;
}

/**
 * A whole body in memory, or what the collector keeps of it.
 * @throws {StageError} as `GuardedFetch` and `expectOk`
 */
export const fetchBytes = async (
  fetch: GuardedFetch,
  url: string,
  request: FetchRequest & { maxBytes: number },
  collector?: ByteCollector,
): Promise<FetchedBytes> => {
  const response = expectOk(await fetch(url, request));
  const { status, headers } = response;
  const found = collector ? await collect(response, collector) : await readAll(response);
  return { ...found, status, headers, url: response.url };
};

type Body = Pick<FetchedBytes, "bytes" | "received">;

const collect = async ({ body }: FetchResponse, collector: ByteCollector): Promise<Body> => {
  let received = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    received += chunk.length;
    collector.push(chunk);
    freeChunk(chunk);
  }
  return { bytes: collector.finish(), received };
};

/** Where the length is known the bytes go straight into place, so that they are held once. */
const readAll = async ({ body, headers }: FetchResponse): Promise<Body> => {
  const length = headers["content-encoding"] ? 0 : Number(headers["content-length"] ?? 0);
  if (!(length > 0)) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    return { bytes, received: bytes.length };
  }
  // The body's cap was held against this length already.
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    at += chunk.copy(bytes, at);
    freeChunk(chunk);
  }
  return { bytes: bytes.subarray(0, at), received: at };
};

export interface RetryOptions {
  signal?: AbortSignal;
  /** Tries in all; default 4. */
  tries?: number;
  /** Wait before the second try, doubled each time and spread by half; default 250 ms. */
  baseMs?: number;
  /** Longest `Retry-After` that is waited for here, seconds; default 10. */
  maxWaitSec?: number;
}

/**
 * Runs something that may be repeated until it succeeds, fails for good, or the tries are used up.
 * A server that asks for a longer wait than `maxWaitSec` fails at once: the task is tried later.
 */
export const withRetry = async <T>(
  work: () => Promise<T>,
  { signal, tries = 4, baseMs = 250, maxWaitSec = 10 }: RetryOptions = {},
): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const again = error instanceof StageError && error.retryable && attempt < tries;
      if (!again || (error.retryAfterSec ?? 0) > maxWaitSec) throw error;
      const backoffMs = baseMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
      await delay(Math.max(backoffMs, (error.retryAfterSec ?? 0) * 1000), undefined, { signal });
    }
  }
};
