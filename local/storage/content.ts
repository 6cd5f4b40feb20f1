// The bytes of objects, as files under numbers of ours. They are written under `incoming/`, synced,
// and renamed into `objects/`; the index names them only then, so that a process killed at any
// moment leaves whole objects and, at worst, a file that nobody names, which the next start removes.
import { createHash, type Hash, randomBytes } from "node:crypto";
import { constants, createReadStream, mkdirSync, openSync } from "node:fs";
import { copyFile, link, open, type FileHandle, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { crc32c, crc32cBase64 } from "./crc32c.ts";

export interface Content {
  /** Name of the file; 32 hex digits. */
  id: string;
  sizeBytes: number;
  /** Base64. */
  crc32c: string;
  /** Base64; unknown for composed objects, as in Cloud Storage. */
  md5: string | undefined;
}

/** Checksums of bytes as they pass. */
export class Digest {
  #crc = 0;
  #md5: Hash = createHash("md5");
  sizeBytes = 0;

  update(chunk: Uint8Array): void {
    this.#crc = crc32c(chunk, this.#crc);
    this.#md5.update(chunk);
    this.sizeBytes += chunk.length;
  }

  /** Of all so far; may be asked once. */
  finish(): Omit<Content, "id"> {
    return {
      sizeBytes: this.sizeBytes,
      crc32c: crc32cBase64(this.#crc),
      md5: this.#md5.digest("base64"),
    };
  }
}

const newId = (): string => randomBytes(16).toString("hex");

/** Writes all of `chunk`; a file may take less than it is given. */
const writeAll = async (file: FileHandle, chunk: Uint8Array, position: number): Promise<void> => {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
};

export const openContent = (dataDir: string) => {
  const incomingDir = join(dataDir, "incoming");
  const objectsDir = join(dataDir, "objects");
  mkdirSync(incomingDir, { recursive: true });
  mkdirSync(objectsDir, { recursive: true });

  const objectPath = (id: string): string => join(objectsDir, id.slice(0, 2), id);
  const incomingPath = (id: string): string => join(incomingDir, id);

  /** Where a new object's file goes; its folder is there afterwards. */
  const makeObjectPath = (id: string): string => {
    mkdirSync(join(objectsDir, id.slice(0, 2)), { recursive: true });
    return objectPath(id);
  };

  const remove = async (id: string): Promise<void> => {
    await rm(objectPath(id), { force: true });
  };

  return {
    newId,
    remove,

    /** Writes a whole object's bytes, or nothing. */
    async write(source: AsyncIterable<Uint8Array>): Promise<Content> {
      const id = newId();
      const digest = new Digest();
      const file = await open(incomingPath(id), "wx");
      try {
        for await (const chunk of source) {
          await writeAll(file, chunk, digest.sizeBytes);
          digest.update(chunk);
        }
        await file.sync();
        await rename(incomingPath(id), makeObjectPath(id));
      } catch (error) {
        await rm(incomingPath(id), { force: true });
        throw error;
      } finally {
        await file.close();
      }
      return { id, ...digest.finish() };
    },

    /** The file of an upload that comes in parts. */
    async openIncoming(id: string) {
      // Not to append: after a write that failed halfway the next one takes its place.
      const file = await open(incomingPath(id), constants.O_RDWR | constants.O_CREAT);
      return {
        sizeBytes: async (): Promise<number> => (await file.stat()).size,
        append: (chunk: Uint8Array, position: number) => writeAll(file, chunk, position),
        /** Digest of what is there, after a restart. */
        async digest(): Promise<Digest> {
          const digest = new Digest();
          for await (const chunk of createReadStream(incomingPath(id))) {
            digest.update(chunk as Uint8Array);
          }
          return digest;
        },
        /** Makes it an object's content, under the same number. */
        async finish(digest: Digest): Promise<Content> {
          await file.truncate(digest.sizeBytes);
          await file.sync();
          await rename(incomingPath(id), makeObjectPath(id));
          return { id, ...digest.finish() };
        },
        close: () => file.close(),
      };
    },
    removeIncoming: (id: string) => rm(incomingPath(id), { force: true }),

    /**
     * The same bytes under a number of their own; no byte is read where the disk can link.
     * @returns undefined where they were removed meanwhile
     */
    async duplicate(content: Content): Promise<Content | undefined> {
      const id = newId();
      const to = makeObjectPath(id);
      try {
        await link(objectPath(content.id), to);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "";
        if (code === "ENOENT") return undefined;
        if (!["EPERM", "EXDEV", "EMLINK", "ENOTSUP", "ENOSYS"].includes(code)) throw error;
        await copyFile(objectPath(content.id), to);
      }
      return { ...content, id };
    },

    /**
     * Bytes from `start` to `end`, both inclusive. Opened before this returns, so that an object
     * that is replaced or deleted meanwhile is still read to its end.
     */
    read(id: string, start = 0, end?: number): Readable {
      return createReadStream("", {
        fd: openSync(objectPath(id), "r"),
        start,
        ...(end === undefined ? {} : { end }),
        highWaterMark: 256 * 1024,
      });
    },
    /** Removes what an earlier process left and nobody names. */
    async sweep(isObject: (id: string) => boolean, isIncoming: (id: string) => boolean) {
      for (const id of await readdir(incomingDir)) {
        if (!isIncoming(id)) await rm(incomingPath(id), { force: true });
      }
      for (const shard of await readdir(objectsDir)) {
        for (const id of await readdir(join(objectsDir, shard))) {
          if (isObject(id)) continue;
          // Killed between the rename and the index: what came of the upload was acknowledged.
          if (isIncoming(id)) await rename(objectPath(id), incomingPath(id));
          else await remove(id);
        }
      }
    },
  };
};

export type ContentFiles = ReturnType<typeof openContent>;
