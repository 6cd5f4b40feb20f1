// Brings a file whose server cannot be read out of order into the bucket, whole, once.
import { pipeline } from "node:stream/promises";
import { PassThrough } from "node:stream";
import type { ObjectInfo, ObjectStore } from "../cloud/objectStore.ts";
import { StageError } from "../contract/errors.ts";
import { expectOk } from "./answers.ts";
import type { GuardedFetch } from "./fetch.ts";

/** After this it is clear how fast the server is. */
const TRIAL_MS = 20_000;

/**
 * Whether a download will not be done in time, as fast as it has come so far.
 * @param share of the whole that is there
 * @param elapsedMs since it began
 */
const isHopeless = (share: number, elapsedMs: number, totalMs: number): boolean =>
  elapsedMs >= TRIAL_MS && elapsedMs > share * totalMs;

/**
 * @param options.totalMs time for the whole download
 * @param objectName made by us; an object of this name that is there already is the answer
 * @throws {StageError} `video_too_large`, `empty_file`, and as the fetch; `stage_timeout` as soon as
 *   it is clear that the time will not do
 */
export const spool = async (
  fetch: GuardedFetch,
  url: string,
  store: ObjectStore,
  objectName: string,
  options: { maxBytes: number; totalMs: number; signal?: AbortSignal },
): Promise<ObjectInfo> => {
  const there = await store.stat(objectName);
  if (there !== null) return there;
  const signal = options.signal ? { signal: options.signal } : {};
  const response = expectOk(
    await fetch(url, { maxBytes: options.maxBytes, totalMs: options.totalMs, ...signal }),
  );
  const announced = response.headers["content-length"];
  const encoded = response.headers["content-encoding"] !== undefined;
  const body = new PassThrough();
  const share = (bytes: number): number =>
    announced === undefined || encoded ? Infinity : bytes / Number(announced);
  const startedMs = performance.now();
  let received = 0;
  body.on("data", (chunk: Buffer) => {
    received += chunk.length;
    const elapsedMs = performance.now() - startedMs;
    // Said now, since whoever has more time has to begin anew.
    if (isHopeless(share(received), elapsedMs, options.totalMs)) {
      body.destroy(new StageError("stage_timeout"));
    }
  });
  body.pause();
  const download = pipeline(response.body, body);
  const [stored] = await Promise.all([
    store.put(objectName, body, { contentType: "application/octet-stream", ...signal }),
    download,
  ]);
  const short = announced !== undefined && !encoded && received < Number(announced);
  if (short || received === 0) {
    await store.delete(objectName);
    throw short ? new StageError("source_failed") : new StageError("empty_file");
  }
  return stored;
};
