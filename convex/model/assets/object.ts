// A stored object as it is named from outside, and whether such a name can be one.
import { type Infer, v } from "convex/values";
import { refuse } from "../access.ts";

/** What whoever stored an object says of it. */
export const storedObject = v.object({
  bucket: v.string(),
  key: v.string(),
  sizeBytes: v.number(),
  /** Lower-case hex. */
  sha256: v.string(),
  contentType: v.optional(v.string()),
});
export type StoredObject = Infer<typeof storedObject>;

/** The largest object Cloud Storage takes. */
const MAX_SIZE_BYTES = 5 * 1024 ** 4;
const MAX_KEY_BYTES = 1024;
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
const SHA256 = /^[0-9a-f]{64}$/;
const CONTENT_TYPE = /^[\w.+-]{1,100}\/[\w.+-]{1,100}(?:; ?[\w.+=-]{1,100})*$/;
const CONTROL = /\p{Cc}/u;

const isKey = (key: string): boolean =>
  new TextEncoder().encode(key).length <= MAX_KEY_BYTES &&
  !CONTROL.test(key) &&
  key.split("/").every((part) => part !== "" && part !== "." && part !== "..");

/** What is wrong with an object's name and measures; empty where nothing is. */
const wrongWith = (object: StoredObject): string[] => {
  const { bucket, key, sizeBytes, sha256, contentType } = object;
  const wrong: string[] = [];
  if (!BUCKET.test(bucket)) wrong.push("`bucket` is no name of a bucket");
  if (!isKey(key)) wrong.push("`key` is no path of an object");
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > MAX_SIZE_BYTES) {
    wrong.push("`sizeBytes` is not between 0 and 5 TiB");
  }
  if (!SHA256.test(sha256)) wrong.push("`sha256` is not 64 lower-case hexadecimal digits");
  if (contentType !== undefined && !CONTENT_TYPE.test(contentType)) {
    wrong.push("`contentType` is no media type");
  }
  return wrong;
};

/**
 * @param prefix  what its key must begin with
 * @throws {ConvexError} `invalid_request`, with everything that is wrong
 */
export const checkObject = (object: StoredObject, prefix = ""): void => {
  const wrong = wrongWith(object);
  if (!object.key.startsWith(prefix)) wrong.push(`\`key\` is not below ${prefix}`);
  if (wrong.length > 0) {
    throw refuse("invalid_request", `This cannot be a stored object: ${wrong.join("; ")}.`);
  }
};
