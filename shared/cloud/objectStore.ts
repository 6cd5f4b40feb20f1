// What the pipeline needs of Cloud Storage, as an interface: stages take it, tests can wrap it.
import type { Readable } from "node:stream";

export interface ObjectInfo {
  name: string;
  sizeBytes: number;
  contentType: string;
  /** Base64 of the big-endian CRC-32C, as Cloud Storage reports it. */
  crc32c: string;
  /** Lower-case hex; kept in the object's metadata by `put`. */
  sha256: string | undefined;
}

export interface PutOptions {
  contentType: string;
  /** Default true: an object that is there already stays, and counts as written. */
  onlyIfAbsent?: boolean;
  signal?: AbortSignal;
}

/** One bucket. Names are made by the server, never by a stranger. */
export interface ObjectStore {
  readonly bucket: string;
  /** Writes a whole object, or nothing. @throws {StageError} `storage_unavailable` */
  put(name: string, body: Uint8Array | string | Readable, options: PutOptions): Promise<ObjectInfo>;
  /** @returns null where there is no such object */
  stat(name: string): Promise<ObjectInfo | null>;
  /** @throws {StageError} `not_found` */
  read(name: string): Promise<Uint8Array>;
  /** Bytes from `start` to `end`, both inclusive; to the end without `end`. */
  stream(name: string, range?: { start: number; end?: number }): Readable;
  /** Copies inside the bucket, keeping type and metadata. */
  copy(from: string, to: string): Promise<ObjectInfo>;
  list(prefix: string, limit?: number): Promise<ObjectInfo[]>;
  delete(name: string): Promise<void>;
  /** A V4 signed address for reading. `expiresSec` at most 43,200 (12 h). */
  signedUrl(name: string, options: { expiresSec: number; downloadAs?: string }): Promise<string>;
  /** Starts a resumable upload that a browser or a command line continues. */
  createUpload(
    name: string,
    options: { contentType: string; sizeBytes?: number; origin?: string },
  ): Promise<string>;
}
