// Brings a file whose server cannot be read out of order into the bucket, whole, once.
import { pipeline } from "node:stream/promises";
import { PassThrough } from "node:stream";
import type { ObjectInfo, ObjectStore } from "../cloud/objectStore.ts";
import { StageError } from "../contract/errors.ts";
import { expectOk } from "./answers.ts";
import type { GuardedFetch } from "./fetch.ts";

/** Time for the whole download; a task has no longer. */
const SPOOL_MS = 540_000;

/**
 * @param objectName made by us; an object of this name that is there already is the answer
 * @throws {StageError} `video_too_large`, `empty_file`, and as the fetch
 */
export const spool = async (
  fetch: GuardedFetch,
  url: string,
  store: ObjectStore,
  objectName: string,
  options: { maxBytes: number; signal?: AbortSignal },
): Promise<ObjectInfo> => {
  const there = await store.stat(objectName);
  if (there !== null) return there;
  const signal = options.signal ? { signal: options.signal } : {};
  const response = expectOk(
    await fetch(url, { maxBytes: options.maxBytes, totalMs: SPOOL_MS, ...signal }),
  );
  const announced = response.headers["content-length"];
  const encoded = response.headers["content-encoding"] !== undefined;
  const body = new PassThrough();
  let received = 0;
  body.on("data", (chunk: Buffer) => {
    received += chunk.length;
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
