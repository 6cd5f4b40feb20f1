// The index of buckets, objects and uploads under way, in SQLite: a row names an object's bytes and
// holds its metadata, so both change in one transaction. Written by every change, read by every
// request; rows go with their object, uploads a week after they began.
import { inTransaction, openExclusively } from "../exclusiveDatabase.ts";
import type { Content } from "./content.ts";
import type { Preconditions } from "./preconditions.ts";

/** What a client may say of an object; null removes a field. */
export interface Fields {
  contentType?: string | null;
  cacheControl?: string | null;
  contentDisposition?: string | null;
  contentEncoding?: string | null;
  contentLanguage?: string | null;
  customTime?: string | null;
  metadata?: Record<string, string | null> | null;
}

export interface StoredObject {
  bucket: string;
  name: string;
  generation: number;
  metageneration: number;
  content: Content;
  fields: Fields;
  createdMs: number;
  updatedMs: number;
  /** Of composed objects. */
  componentCount?: number;
}

export interface Bucket {
  name: string;
  createdMs: number;
  /** As the client gave it: `cors`, `lifecycle`, `labels`, … */
  config: Record<string, unknown>;
  metageneration: number;
}

export interface Upload {
  id: string;
  bucket: string;
  name: string;
  fields: Fields;
  conditions: Preconditions;
  /** Checksums the client announced. */
  expected: { crc32c?: string; md5?: string };
  totalBytes: number | undefined;
  /** Page that may continue it from a browser. */
  origin: string | undefined;
  createdMs: number;
  state: "open" | "done" | "canceled";
  /** Generation of the object it became. */
  generation: number | undefined;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL UNIQUE, row TEXT NOT NULL,
    PRIMARY KEY (bucket, name)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, row TEXT NOT NULL)
    WITHOUT ROWID;
`;
/** The highest that was ever given, also to an object that is gone. */
const GENERATIONS = `
  CREATE TABLE generations (id INTEGER PRIMARY KEY CHECK (id = 0), last INTEGER NOT NULL);
  INSERT INTO generations SELECT 0, ifnull(MAX(json_extract(row, '$.generation')), 0) FROM objects;
`;
/** Each brings the file from the version of its place to the next. Files of version 0 have the first's tables. */
const STEPS = [SCHEMA, GENERATIONS];
const UPLOAD_LIFE_MS = 7 * 86_400_000;

/** @throws {Error} when another process has the folder open */
export const openCatalog = (dataDir: string, now: () => number) => {
  const db = openExclusively(dataDir, "storage", STEPS);
  db.prepare("DELETE FROM uploads WHERE created_ms < ?").run(now() - UPLOAD_LIFE_MS);

  const sql = {
    bucket: db.prepare("SELECT row FROM buckets WHERE name = ?"),
    buckets: db.prepare("SELECT row FROM buckets WHERE name > ? ORDER BY name LIMIT ?"),
    putBucket: db.prepare("INSERT OR REPLACE INTO buckets VALUES (?, ?)"),
    deleteBucket: db.prepare("DELETE FROM buckets WHERE name = ?"),
    object: db.prepare("SELECT row FROM objects WHERE bucket = ? AND name = ?"),
    objects: db.prepare(
      "SELECT row FROM objects WHERE bucket = ? AND name >= ? ORDER BY name LIMIT ?",
    ),
    putObject: db.prepare("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)"),
    deleteObject: db.prepare("DELETE FROM objects WHERE bucket = ? AND name = ?"),
    content: db.prepare("SELECT 1 FROM objects WHERE content = ?"),
    generation: db.prepare("SELECT last FROM generations"),
    putGeneration: db.prepare("UPDATE generations SET last = ?"),
    upload: db.prepare("SELECT row FROM uploads WHERE id = ?"),
    putUpload: db.prepare("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?)"),
  };
  const parse = (row: Record<string, unknown> | undefined): unknown =>
    row && JSON.parse(row["row"] as string);

  let lastGeneration = sql.generation.get()?.["last"] as number;
  return {
    /**
     * Microseconds since 1970, as in Cloud Storage, and each higher than the one before, whatever the
     * clock does. To be asked inside the transaction that uses it.
     */
    nextGeneration(): number {
      lastGeneration = Math.max(lastGeneration + 1, now() * 1000);
      sql.putGeneration.run(lastGeneration);
      return lastGeneration;
    },
    transaction: <T>(work: () => T): T => inTransaction(db, work),

    bucket: (name: string) => parse(sql.bucket.get(name)) as Bucket | undefined,
    buckets: (after: string, limit: number) =>
      sql.buckets.all(after, limit).map((row) => parse(row) as Bucket),
    putBucket: (bucket: Bucket) => sql.putBucket.run(bucket.name, JSON.stringify(bucket)),
    deleteBucket: (name: string) => sql.deleteBucket.run(name),

    object: (bucket: string, name: string) =>
      parse(sql.object.get(bucket, name)) as StoredObject | undefined,
    /** Objects by name from `from` on, in the order of UTF-8 bytes. */
    objects: (bucket: string, from: string, limit: number) =>
      sql.objects.all(bucket, from, limit).map((row) => parse(row) as StoredObject),
    putObject: (object: StoredObject) =>
      sql.putObject.run(object.bucket, object.name, object.content.id, JSON.stringify(object)),
    deleteObject: (bucket: string, name: string) => sql.deleteObject.run(bucket, name),
    isContent: (id: string): boolean => sql.content.get(id) !== undefined,

    upload: (id: string) => parse(sql.upload.get(id)) as Upload | undefined,
    putUpload: (upload: Upload) =>
      sql.putUpload.run(upload.id, upload.createdMs, JSON.stringify(upload)),

    close: () => db.close(),
  };
};

export type Catalog = ReturnType<typeof openCatalog>;
