// A stored object as it is named from outside, and whether such a name can be one.
import { v } from "convex/values";
import type { StoredObject } from "#shared/contract/assets.ts";
import { refuse } from "../access.ts";
import { isBucket, keyProblem } from "./name.ts";

export const storedObject = v.object({
  bucket: v.string(),
  key: v.string(),
  sizeBytes: v.number(),
  /** Lower-case hex. */
  sha256: v.string(),
  contentType: v.optional(v.string()),
});

/** The largest object Cloud Storage takes. */
const MAX_SIZE_BYTES = 5 * 1024 ** 4;
const SHA256 = /^[0-9a-f]{64}$/;
const CONTENT_TYPE = /^[\w.+-]{1,100}\/[\w.+-]{1,100}(?:; ?[\w.+=-]{1,100})*$/;

/** What is wrong with an object's name and measures, in sentences. */
const wrongWith = (object: StoredObject): string[] => {
  const { bucket, key, sizeBytes, sha256, contentType } = object;
  const wrong: string[] = [];
  if (!isBucket(bucket)) wrong.push("`bucket` is no name of a bucket.");
  const problem = keyProblem(key);
  if (problem !== null) wrong.push(problem);
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > MAX_SIZE_BYTES) {
    wrong.push("`sizeBytes` is not between 0 and 5 TiB.");
  }
  if (!SHA256.test(sha256)) wrong.push("`sha256` is not 64 lower-case hexadecimal digits.");
  if (contentType !== undefined && !CONTENT_TYPE.test(contentType)) {
    wrong.push("`contentType` is no media type.");
  }
  return wrong;
};

/**
 * @param prefix  what its key must begin with
 * @throws {ConvexError} `invalid_request`, with everything that is wrong
 */
export const checkObject = (object: StoredObject, prefix = ""): void => {
  const wrong = wrongWith(object);
  if (!object.key.startsWith(prefix)) wrong.push(`\`key\` is not below ${prefix}.`);
  if (wrong.length > 0) {
    throw refuse("invalid_request", `This cannot be a stored object. ${wrong.join(" ")}`);
  }
};
