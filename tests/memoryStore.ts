// A bucket in memory, for tests of parts that only read and write objects.
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { ObjectInfo, ObjectStore } from "#shared/cloud/objectStore.ts";
import { StageError } from "#shared/contract/errors.ts";

export const memoryStore = (bucket = "test-bucket"): ObjectStore => {
  const objects = new Map<string, { bytes: Buffer; info: ObjectInfo }>();
  const held = (name: string): { bytes: Buffer; info: ObjectInfo } => {
    const object = objects.get(name);
    if (object === undefined) throw new StageError("not_found");
    return object;
  };
  const unsupported = (): Promise<never> => Promise.reject(new Error("Not of this store."));
  return {
    bucket,
    put: async (name, body, options) => {
      const there = objects.get(name);
      if (there && options.onlyIfAbsent !== false) return there.info;
      const chunks: Buffer[] = [];
      if (body instanceof Readable) for await (const chunk of body) chunks.push(chunk as Buffer);
      else chunks.push(Buffer.from(body as string));
      const bytes = Buffer.concat(chunks);
      const info: ObjectInfo = {
        name,
        sizeBytes: bytes.length,
        contentType: options.contentType,
        // Stands for a checksum; nothing in memory compares it with Cloud Storage's.
        crc32c: crc32(bytes).toString(16),
        sha256: createHash("sha256").update(bytes).digest("hex"),
      };
      objects.set(name, { bytes, info });
      return info;
    },
    stat: (name) => Promise.resolve(objects.get(name)?.info ?? null),
    read: (name) => Promise.resolve(held(name).bytes),
    stream: (name, range) => {
      const { bytes } = held(name);
      const end = range?.end === undefined ? bytes.length : range.end + 1;
      return Readable.from([bytes.subarray(range?.start ?? 0, end)]);
    },
    copy: (from, to) => {
      const object = held(from);
      objects.set(to, { bytes: object.bytes, info: { ...object.info, name: to } });
      return Promise.resolve({ ...object.info, name: to });
    },
    list: (prefix) =>
      Promise.resolve(
        [...objects.values()].map(({ info }) => info).filter(({ name }) => name.startsWith(prefix)),
      ),
    delete: (name) => {
      objects.delete(name);
      return Promise.resolve();
    },
    signedUrl: unsupported,
    createUpload: unsupported,
  };
};
