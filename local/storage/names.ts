// Names of buckets and objects, as Cloud Storage allows them. A name never becomes a path: the
// bytes of an object lie under a number of ours, and its name is a column in the index.
import { StorageFailure } from "./failure.ts";

const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
const MAX_OBJECT_NAME_BYTES = 1024;

/** @throws {StorageFailure} 400 */
export const bucketName = (name: string): string => {
  if (!BUCKET.test(name)) {
    throw new StorageFailure("badRequest", `Invalid bucket name: '${name.slice(0, 300)}'`);
  }
  return name;
};

/** @throws {StorageFailure} 400 */
export const objectName = (name: string): string => {
  const valid =
    name !== "" &&
    name !== "." &&
    name !== ".." &&
    Buffer.byteLength(name) <= MAX_OBJECT_NAME_BYTES &&
    name.isWellFormed() &&
    // oxlint-disable-next-line no-control-regex -- the very characters that are refused
    !/[\u0000\r\n]/.test(name) &&
    !name.startsWith(".well-known/acme-challenge/");
  if (!valid) {
    throw new StorageFailure("badRequest", `Invalid object name: '${name.slice(0, 300)}'`);
  }
  return name;
};

/** One percent-encoded part of a path. @throws {StorageFailure} 400 */
export const decodePart = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new StorageFailure("badRequest", "The path is not valid percent-encoding.", { cause });
  }
};
