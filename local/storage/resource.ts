// Objects and buckets as the JSON API shows them, and what clients may send of them.
import { z } from "zod";
import type { Bucket, Fields, StoredObject } from "./catalog.ts";
import { StorageFailure } from "./failure.ts";

const text = z.string().max(10_000).nullish();

/** What a client may set of an object; everything else it sends is ignored, as in Cloud Storage. */
const FieldsSchema = z.object({
  contentType: text,
  cacheControl: text,
  contentDisposition: text,
  contentEncoding: text,
  contentLanguage: text,
  customTime: text,
  metadata: z.record(z.string(), z.string().nullable()).nullish(),
  name: z.string().optional(),
  crc32c: z.string().optional(),
  md5Hash: z.string().optional(),
});

export interface SentObject {
  fields: Fields;
  name: string | undefined;
  expected: { crc32c?: string; md5?: string };
}

/** @throws {StorageFailure} 400 with what is wrong */
export const readObjectResource = (sent: unknown): SentObject => {
  const parsed = FieldsSchema.safeParse(sent ?? {});
  if (!parsed.success) {
    throw new StorageFailure("badRequest", z.prettifyError(parsed.error));
  }
  const { name, crc32c, md5Hash, ...fields } = parsed.data;
  return {
    name,
    fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    expected: { ...(crc32c ? { crc32c } : {}), ...(md5Hash ? { md5: md5Hash } : {}) },
  };
};

/** Cloud Storage's entity tag of an object, which changes with bytes and metadata. */
const entityTag = ({ generation, metageneration }: StoredObject): string =>
  Buffer.from(`${generation}/${metageneration}`).toString("base64url");

export const objectResource = (object: StoredObject, origin: string) => {
  const { bucket, name, fields, content } = object;
  const path = `b/${bucket}/o/${encodeURIComponent(name)}`;
  const generation = String(object.generation);
  const created = new Date(object.createdMs).toISOString();
  return {
    kind: "storage#object",
    id: `${bucket}/${name}/${generation}`,
    selfLink: `${origin}/storage/v1/${path}`,
    mediaLink: `${origin}/download/storage/v1/${path}?generation=${generation}&alt=media`,
    name,
    bucket,
    generation,
    metageneration: String(object.metageneration),
    storageClass: "STANDARD",
    size: String(content.sizeBytes),
    crc32c: content.crc32c,
    ...(content.md5 ? { md5Hash: content.md5 } : {}),
    ...(object.componentCount ? { componentCount: object.componentCount } : {}),
    etag: entityTag(object),
    timeCreated: created,
    timeFinalized: created,
    updated: new Date(object.updatedMs).toISOString(),
    timeStorageClassUpdated: created,
    ...fields,
  };
};

export const bucketResource = (bucket: Bucket, origin: string) => {
  const { name } = bucket;
  const created = new Date(bucket.createdMs).toISOString();
  return {
    location: "US",
    storageClass: "STANDARD",
    ...bucket.config,
    kind: "storage#bucket",
    id: name,
    name,
    selfLink: `${origin}/storage/v1/b/${name}`,
    metageneration: String(bucket.metageneration),
    etag: Buffer.from(String(bucket.metageneration)).toString("base64url"),
    timeCreated: created,
    updated: created,
  };
};
