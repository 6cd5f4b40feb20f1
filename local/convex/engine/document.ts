// What a document is to the engine: an object of Convex's values, whose fields indexes and filters read
// by path. A field that is not there is `undefined` to them, which JSON has no word for.
import { type JSONValue, type Value, jsonToConvex } from "convex/values";
import { encodeKey } from "./keys.ts";

export type Document = Record<string, Value>;

/** An object with fields, in contrast to lists and bytes. */
export const isObject = (value: Value | undefined): value is Record<string, Value> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof ArrayBuffer);

/** @param path  names joined by dots @returns undefined where there is no such field */
export const fieldOf = (document: Document, path: string): Value | undefined => {
  let value: Value | undefined = document;
  for (const name of path.split(".")) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
};

/** `undefined` as Convex's clients write it down, where a patch takes a field away or a filter compares. */
const isUndefined = (value: JSONValue): boolean =>
  typeof value === "object" && value !== null && "$undefined" in value;

export const jsonToField = (value: JSONValue): Value | undefined =>
  isUndefined(value) ? undefined : jsonToConvex(value);

/** A document's validator names its own fields only; these two every document has. */
export const withoutSystemFields = ({ _id, _creationTime, ...fields }: Document): Document =>
  fields;

/** Where a document stands in the index over these fields. */
export const keyOf = ({ fields }: { fields: readonly string[] }, document: Document): Buffer =>
  encodeKey(fields.map((path) => fieldOf(document, path)));
