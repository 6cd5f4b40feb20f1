// What a value may be at most, wherever one enters or leaves: as an argument, an answer or a document
// (https://docs.convex.dev/production/state/limits). Names of fields are checked by Convex's own code,
// which turns values into JSON and back.
import { type Value, getConvexSize } from "convex/values";
import type { Document } from "./document.ts";

const MIB = 1024 ** 2;
const MAX_ARRAY_LENGTH = 8192;
const MAX_FIELDS = 1024;
const MAX_DEPTH = 64;
const MAX_DOCUMENT_BYTES = MIB;
/** Of the arguments of one call, and of its answer. */
const MAX_CALL_BYTES = 16 * MIB;

const inMib = (bytes: number): string => `${Number((bytes / MIB).toFixed(2))} MiB`;

const checkShape = (value: Value, depth: number): void => {
  if (typeof value !== "object" || value === null || value instanceof ArrayBuffer) return;
  if (depth > MAX_DEPTH)
    throw new Error(`Value is too deeply nested (more than the maximum of ${MAX_DEPTH} levels)`);
  if (Array.isArray(value)) {
    if (value.length > MAX_ARRAY_LENGTH)
      throw new Error(
        `Array length is too long (${value.length} > maximum length ${MAX_ARRAY_LENGTH})`,
      );
    for (const item of value) checkShape(item, depth + 1);
    return;
  }
  const items = Object.values(value);
  if (items.length > MAX_FIELDS)
    throw new Error(`Object has too many fields (${items.length} > maximum number ${MAX_FIELDS})`);
  for (const item of items) if (item !== undefined) checkShape(item, depth + 1);
};

/**
 * @param what  whose value it is, as `Arguments for dir/file:name are` or `Function dir/file:name return value is`
 * @throws {Error} that says which limit it passes
 */
export const checkCallValue = (what: string, value: Value): void => {
  checkShape(value, 1);
  const sizeBytes = getConvexSize(value);
  if (sizeBytes > MAX_CALL_BYTES)
    throw new Error(`${what} too large (${inMib(sizeBytes)}, limit: ${inMib(MAX_CALL_BYTES)})`);
};

/** @param document  with its id and creation time @returns its size in bytes */
export const checkDocumentValue = (document: Document): number => {
  checkShape(document, 1);
  for (const name of Object.keys(document)) {
    if (name.startsWith("_") && name !== "_id" && name !== "_creationTime")
      throw new Error(`Field name ${name} starts with '_', which is reserved for system fields.`);
  }
  const sizeBytes = getConvexSize(document);
  if (sizeBytes > MAX_DOCUMENT_BYTES)
    throw new Error(
      `Value is too large (${inMib(sizeBytes)} > maximum size ${inMib(MAX_DOCUMENT_BYTES)})`,
    );
  return sizeBytes;
};
