// Resumable uploads: begun, continued in any number of requests, asked after, canceled. What was
// acknowledged is in a file and in the index, so an upload goes on after this process was killed.
import type { Catalog, StoredObject, Upload } from "./catalog.ts";
import { type ContentFiles, Digest } from "./content.ts";
import { StorageFailure } from "./failure.ts";
import type { Objects, Write } from "./objects.ts";
import type { ContentRange } from "./ranges.ts";

/** Chunks but the last are multiples of this, as Cloud Storage demands. */
const CHUNK_UNIT_BYTES = 256 * 1024;

/** Base64, as the client computed them. */
type Hashes = Upload["expected"];

export type UploadProgress =
  | { kind: "incomplete"; receivedBytes: number }
  | { kind: "complete"; object: StoredObject };

interface Session {
  digest: Digest;
  file: Awaited<ReturnType<ContentFiles["openIncoming"]>>;
}

/** One request on an upload at a time: a new one ends the one before, whose client gave it up. */
interface Turn {
  abort(): void;
  done: Promise<unknown>;
}

export const createUploads = (
  catalog: Catalog,
  files: ContentFiles,
  objects: Objects,
  now: () => number,
) => {
  const sessions = new Map<string, Promise<Session>>();
  const turns = new Map<string, Turn>();

  const find = (id: string): Upload => {
    const upload = /^[0-9a-f]{32}$/.test(id) ? catalog.upload(id) : undefined;
    if (!upload)
      throw new StorageFailure("noSuchUpload", "The upload does not exist or is too old.");
    if (upload.state === "canceled") {
      throw new StorageFailure("canceled", "The upload was canceled.");
    }
    return upload;
  };

  /** The upload's file, opened once; after a restart its digest is computed again. */
  const session = (id: string): Promise<Session> => {
    let opened = sessions.get(id);
    if (!opened) {
      opened = (async () => {
        const file = await files.openIncoming(id);
        const digest = (await file.sizeBytes()) > 0 ? await file.digest() : new Digest();
        return { file, digest };
      })();
      sessions.set(id, opened);
      opened.catch(() => sessions.delete(id));
    }
    return opened;
  };

  const closeSession = async (id: string): Promise<void> => {
    const opened = sessions.get(id);
    sessions.delete(id);
    await (await opened)?.file.close();
  };

  const completed = (upload: Upload): UploadProgress => ({
    kind: "complete",
    object: objects.get(upload.bucket, upload.name, upload.generation),
  });

  const finish = async (
    upload: Upload,
    { file, digest }: Session,
    hashes: Hashes,
  ): Promise<UploadProgress> => {
    const content = await file.finish(digest);
    await closeSession(upload.id);
    const { bucket, name, fields, conditions } = upload;
    const expected = { ...upload.expected, ...hashes };
    const object = await objects.commit(
      { bucket, name, fields, conditions, expected },
      content,
      ({ generation }) => catalog.putUpload({ ...upload, state: "done", generation }),
    );
    return { kind: "complete", object };
  };

  /** Appends a request's body. @returns its end, an offset in the object */
  const append = async (
    { file, digest }: Session,
    start: number,
    limit: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<number> => {
    let at = start;
    for await (const chunk of body) {
      if (at + chunk.length > limit) {
        throw new StorageFailure("badRequest", "The body is longer than Content-Range says.");
      }
      // What is there already is passed over: the client may go back, never ahead.
      const fresh = chunk.subarray(Math.max(0, digest.sizeBytes - at));
      at += chunk.length;
      if (fresh.length === 0) continue;
      await file.append(fresh, digest.sizeBytes);
      digest.update(fresh);
    }
    return at;
  };

  const receive = async (
    id: string,
    range: ContentRange,
    hashes: Hashes,
    body: AsyncIterable<Uint8Array>,
  ): Promise<UploadProgress> => {
    const upload = find(id);
    if (upload.state === "done") return completed(upload);
    const current = await session(id);
    const incomplete = (): UploadProgress => ({
      kind: "incomplete",
      receivedBytes: current.digest.sizeBytes,
    });
    const totalBytes = range.totalBytes ?? upload.totalBytes;
    if (upload.totalBytes !== undefined && totalBytes !== upload.totalBytes) {
      throw new StorageFailure("badRequest", "The size differs from the one announced.");
    }
    if (range.kind === "status") {
      const whole = range.totalBytes === current.digest.sizeBytes;
      return whole ? finish(upload, current, hashes) : incomplete();
    }
    if (range.start > current.digest.sizeBytes) return incomplete();
    const isLast = range.end === undefined || range.end + 1 === totalBytes;
    if (!isLast && ((range.end ?? 0) + 1 - range.start) % CHUNK_UNIT_BYTES !== 0) {
      throw new StorageFailure(
        "badRequest",
        "Every chunk but the last must be a multiple of 262,144 bytes.",
      );
    }
    const limit = range.end === undefined ? (totalBytes ?? Infinity) : range.end + 1;
    const end = await append(current, range.start, limit, body);
    const isWhole =
      isLast &&
      end === current.digest.sizeBytes &&
      end === (totalBytes ?? end) &&
      end - 1 === (range.end ?? end - 1);
    return isWhole ? finish(upload, current, hashes) : incomplete();
  };

  return {
    /** Begins an upload. @returns its id, which nobody can guess */
    begin(write: Write & { totalBytes: number | undefined; origin: string | undefined }): string {
      objects.check(write);
      const { bucket, name, fields, conditions, totalBytes, origin } = write;
      const id = files.newId();
      catalog.putUpload({
        id,
        bucket,
        name,
        fields,
        conditions,
        expected: write.expected ?? {},
        totalBytes,
        origin,
        createdMs: now(),
        state: "open",
        generation: undefined,
      });
      return id;
    },

    find,

    /**
     * Takes one request of an upload.
     * @param hashes  of the whole, as the last request may tell them
     * @param abort ends the request from here, when the client comes back with another
     */
    async request(
      id: string,
      range: ContentRange,
      hashes: Hashes,
      body: AsyncIterable<Uint8Array>,
      abort: () => void,
    ): Promise<UploadProgress> {
      const before = turns.get(id);
      const { promise: done, resolve } = Promise.withResolvers<void>();
      const turn: Turn = { abort, done };
      turns.set(id, turn);
      try {
        before?.abort();
        await before?.done;
        return await receive(id, range, hashes, body);
      } finally {
        resolve();
        if (turns.get(id) === turn) turns.delete(id);
      }
    },

    async cancel(id: string): Promise<void> {
      const upload = find(id);
      if (upload.state === "done") throw new StorageFailure("noSuchUpload", "It is complete.");
      const turn = turns.get(id);
      turn?.abort();
      await turn?.done;
      catalog.putUpload({ ...upload, state: "canceled" });
      await closeSession(id);
      await files.removeIncoming(id);
    },

    async close(): Promise<void> {
      for (const id of Array.from(sessions.keys())) await closeSession(id);
    },
  };
};

export type Uploads = ReturnType<typeof createUploads>;
