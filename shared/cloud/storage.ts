// One bucket of Cloud Storage as the pipeline's object store. Every write has a generation
// precondition, so it may be repeated without harm, and an object is there whole or not at all.
import { createHash, randomUUID } from "node:crypto";
import { addAbortSignal, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { File, FileMetadata, Storage } from "@google-cloud/storage";
import { StageError } from "../contract/errors.ts";
import { download } from "./download.ts";
import { hold } from "./heldBody.ts";
import type { ObjectInfo, ObjectStore, PutOptions } from "./objectStore.ts";
import { defaultClient } from "./storageClient.ts";
import { isStatus, toStageError } from "./storageErrors.ts";

export interface ObjectStoreOptions {
  bucket: string;
  /** Default: a client with the environment's credentials, loaded at first use. */
  storage?: Storage;
  /** Origin that signed addresses point to, where it is not Google's. */
  signingOrigin?: string;
}

/** Below this a body is sent in one request; above it resumably. */
const ONE_REQUEST_BYTES = 5 * 1024 * 1024;
/** Kept in memory during a resumable upload, so that a broken request can be sent again. */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** A stream that ends before this is sent as bytes. */
const HELD_BYTES = 1024 * 1024;
const MAX_EXPIRES_SEC = 12 * 3600;
/** Tries against other writers of the same object. */
const MAX_RACES = 5;
/** Where streams wait for their checksum; nothing there is older than its upload unless it broke. */
const WAITING_PREFIX = "tmp/uploads/";

const toInfo = (name: string, metadata: FileMetadata): ObjectInfo => {
  const sha256 = metadata.metadata?.["sha256"];
  return {
    name,
    sizeBytes: Number(metadata.size),
    contentType: metadata.contentType ?? "application/octet-stream",
    crc32c: metadata.crc32c ?? "",
    sha256: typeof sha256 === "string" ? sha256 : undefined,
  };
};

const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Generation a write expects to replace; 0 for none. */
const generationOf = (metadata: FileMetadata | null): number => Number(metadata?.generation ?? 0);

/** A name for a header, in both spellings of RFC 6266. */
const attachment = (name: string): string => {
  const ascii = name.replace(/[^\w .()+-]/g, "_");
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
};

/**
 * The store of one bucket.
 *
 * `put` knows the SHA-256 of bytes before it sends them. A stream's is known only at its end, and
 * Cloud Storage takes metadata only at the beginning; so a longer stream is written under `tmp/`,
 * and copied to its name, which inside a bucket moves no bytes, together with its checksum. No
 * reader ever sees an object without it. A rule of the bucket removes what is left under `tmp/`.
 */
export const createObjectStore = (options: ObjectStoreOptions): ObjectStore => {
  const { bucket, signingOrigin } = options;
  const file = async (name: string): Promise<File> => {
    const storage = options.storage ?? (await defaultClient());
    return storage.bucket(bucket).file(name);
  };

  const metadataOf = async (name: string): Promise<FileMetadata | null> => {
    try {
      return (await (await file(name)).getMetadata())[0];
    } catch (error) {
      if (isStatus(error, 404)) return null;
      throw toStageError(error, `${name} cannot be looked up.`);
    }
  };

  /**
   * Writes with the generation that is there now, again when another writer was faster.
   * @param onlyIfAbsent an object that is there stays, and is the answer
   */
  const writeOver = async (
    name: string,
    onlyIfAbsent: boolean,
    write: (ifGenerationMatch: number) => Promise<FileMetadata>,
  ): Promise<ObjectInfo> => {
    for (let races = 0; races < MAX_RACES; races += 1) {
      // A new object is the rule, so it is tried first without a look.
      const current = races === 0 && onlyIfAbsent ? null : await metadataOf(name);
      if (current && onlyIfAbsent) return toInfo(name, current);
      try {
        return toInfo(name, await write(generationOf(current)));
      } catch (error) {
        if (isStatus(error, 412)) continue;
        throw toStageError(error, `${name} cannot be written.`);
      }
    }
    throw new StageError("storage_unavailable", `${name} is being written by too many at once.`);
  };

  const putBytes = (
    name: string,
    bytes: Uint8Array,
    { contentType, onlyIfAbsent = true }: PutOptions,
  ) =>
    writeOver(name, onlyIfAbsent, async (ifGenerationMatch) => {
      const target = await file(name);
      const resumable = bytes.length > ONE_REQUEST_BYTES;
      await target.save(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
        resumable,
        ...(resumable ? { chunkSize: CHUNK_BYTES } : {}),
        validation: "crc32c",
        contentType,
        metadata: { metadata: { sha256: sha256Hex(bytes) } },
        preconditionOpts: { ifGenerationMatch },
      });
      return target.metadata;
    });

  const putStream = async (
    name: string,
    body: Readable,
    { contentType, onlyIfAbsent = true, signal }: PutOptions,
  ): Promise<ObjectInfo> => {
    if (onlyIfAbsent) {
      const there = await metadataOf(name);
      if (there) {
        body.destroy();
        return toInfo(name, there);
      }
    }
    const waiting = await file(`${WAITING_PREFIX}${randomUUID()}`);
    const hash = createHash("sha256");
    try {
      await pipeline(
        body,
        async function* (source: AsyncIterable<Buffer>) {
          for await (const chunk of source) {
            hash.update(chunk);
            yield chunk;
          }
        },
        waiting.createWriteStream({
          resumable: true,
          chunkSize: CHUNK_BYTES,
          validation: "crc32c",
          contentType,
          preconditionOpts: { ifGenerationMatch: 0 },
        }),
        signal ? { signal } : {},
      );
      const sha256 = hash.digest("hex");
      return await writeOver(name, onlyIfAbsent, async (ifGenerationMatch) => {
        const [, answer] = await waiting.copy(await file(name), {
          contentType,
          metadata: { sha256 },
          preconditionOpts: { ifGenerationMatch },
        });
        return (answer as { resource: FileMetadata }).resource;
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw toStageError(error, `${name} cannot be written.`);
    } finally {
      // Where this fails too, the bucket's rule on `tmp/` removes it.
      await waiting.delete({ ignoreNotFound: true }).catch(() => undefined);
    }
  };

  const store: ObjectStore = {
    bucket,

    async put(name, body, putOptions) {
      putOptions.signal?.throwIfAborted();
      if (typeof body === "string") return putBytes(name, Buffer.from(body), putOptions);
      if (!(body instanceof Readable)) return putBytes(name, body, putOptions);
      if (putOptions.signal) addAbortSignal(putOptions.signal, body);
      const held = await hold(body, HELD_BYTES).catch((error: unknown) => {
        putOptions.signal?.throwIfAborted();
        throw error;
      });
      return "whole" in held
        ? putBytes(name, held.whole, putOptions)
        : putStream(name, held.rest, putOptions);
    },

    async stat(name) {
      const metadata = await metadataOf(name);
      return metadata && toInfo(name, metadata);
    },

    async read(name) {
      const chunks: Buffer[] = [];
      for await (const chunk of download(await file(name), { start: 0 })) chunks.push(chunk);
      return Buffer.concat(chunks);
    },

    stream: (name, range = { start: 0 }) => {
      const bytes = async function* () {
        yield* download(await file(name), range);
      };
      return Readable.from(bytes(), { objectMode: false });
    },

    copy: (from, to) =>
      writeOver(to, false, async (ifGenerationMatch) => {
        try {
          const [, answer] = await (
            await file(from)
          ).copy(await file(to), { preconditionOpts: { ifGenerationMatch } });
          return (answer as { resource: FileMetadata }).resource;
        } catch (error) {
          if (!isStatus(error, 404)) throw error;
          throw new StageError("not_found", `There is no ${from}.`, { cause: error });
        }
      }),

    async list(prefix, limit) {
      const storage = options.storage ?? (await defaultClient());
      try {
        const [files] = await storage.bucket(bucket).getFiles({
          prefix,
          ...(limit === undefined ? {} : { maxResults: limit, autoPaginate: false }),
        });
        return files.map(({ name, metadata }) => toInfo(name, metadata));
      } catch (error) {
        throw toStageError(error, `What begins with ${prefix} cannot be listed.`);
      }
    },

    async delete(name) {
      try {
        await (await file(name)).delete({ ignoreNotFound: true });
      } catch (error) {
        throw toStageError(error, `${name} cannot be deleted.`);
      }
    },

    async signedUrl(name, { expiresSec, downloadAs }) {
      if (!(expiresSec > 0 && expiresSec <= MAX_EXPIRES_SEC)) {
        throw new RangeError(
          `A signed address lives 1 to ${MAX_EXPIRES_SEC} s, not ${expiresSec}.`,
        );
      }
      try {
        const [url] = await (
          await file(name)
        ).getSignedUrl({
          version: "v4",
          action: "read",
          expires: Date.now() + expiresSec * 1000,
          ...(signingOrigin === undefined ? {} : { host: new URL(signingOrigin) }),
          ...(downloadAs === undefined ? {} : { responseDisposition: attachment(downloadAs) }),
        });
        return url;
      } catch (error) {
        throw toStageError(error, `${name} cannot be signed.`);
      }
    },

    async createUpload(name, { contentType, sizeBytes, origin }) {
      try {
        const [uri] = await (
          await file(name)
        ).createResumableUpload({
          metadata: {
            contentType,
            ...(sizeBytes === undefined ? {} : { contentLength: sizeBytes }),
          },
          ...(origin === undefined ? {} : { origin }),
          preconditionOpts: { ifGenerationMatch: 0 },
        });
        return uri;
      } catch (error) {
        throw toStageError(error, `An upload of ${name} cannot be started.`);
      }
    },
  };
  return store;
};
