// Where a legacy row's object is: a bucket and a key, from what `s3ChunkKey` and `s3ChunkUrl` hold.
// Rows were written by hand-made code over years, so nothing of them is taken on trust.
import { isBucket, keyProblem, shown } from "../assets/name.ts";

export interface Location {
  bucket: string;
  key: string;
  /** The legacy address, without what it was signed with. */
  url?: string;
}
/** A location, or a sentence that says why there is none. */
export type Located = { ok: true; location: Location } | { ok: false; message: string };

const MAX_URL_CHARS = 8192;

const S3_HOST =
  /^(?:(.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?$/;
const GOOGLE_HOST = /^(?:(.+)\.)?storage\.(?:googleapis|cloud\.google)\.com$/;
/** Cloud Storage's JSON API, where the key is one segment of the path. */
const GOOGLE_JSON_PATH = /^(?:download\/)?storage\/v1\/b\/([^/]+)\/o\/([^/]+)$/;

const failed = (message: string): Located => ({ ok: false, message });

const locationOf = (bucket: string, key: string, url?: string): Located => {
  if (!isBucket(bucket)) return failed(`${shown(bucket)} is no name of a bucket.`);
  const problem = keyProblem(key);
  if (problem !== null) return failed(problem);
  return { ok: true, location: { bucket, key, ...(url === undefined ? {} : { url }) } };
};

/** Undefined where a percent sign stands for nothing. */
const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

type Parsed =
  | { kind: "object"; bucket: string; key: string; url?: string }
  /** An address on a host of which we do not know where it keeps its bucket. */
  | { kind: "elsewhere"; path: string; url: string }
  | { kind: "bad"; message: string };

const bad = (message: string): Parsed => ({ kind: "bad", message });

/** `s3://bucket/key`, `gs://bucket/key`, or the stores' addresses in either of their forms. */
const parseAddress = (text: string): Parsed => {
  if (text.trim() === "") return bad("The address is empty.");
  if (text.length > MAX_URL_CHARS) return bad(`The address has over ${MAX_URL_CHARS} characters.`);
  const scheme = /^(?:s3|gs):\/\/([^/]*)\/?([^]*)$/i.exec(text);
  if (scheme) return { kind: "object", bucket: scheme[1] ?? "", key: scheme[2] ?? "" };
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    return bad(`${shown(text)} is no address of a stored object.`);
  }
  const { protocol, host, hostname, pathname } = new URL(text);
  const path = pathname.slice(1);
  const plain = `${protocol}//${host}${pathname}`;
  const object = (bucket: string, rawKey: string): Parsed => {
    const key = decoded(rawKey);
    return key === undefined
      ? bad(`${shown(text)} is badly encoded.`)
      : { kind: "object", bucket, key, url: plain };
  };
  const json = hostname === "storage.googleapis.com" ? GOOGLE_JSON_PATH.exec(path) : null;
  if (json) return object(json[1] ?? "", json[2] ?? "");
  const store = S3_HOST.exec(hostname) ?? GOOGLE_HOST.exec(hostname);
  if (!store) {
    const key = decoded(path);
    return key === undefined
      ? bad(`${shown(text)} is badly encoded.`)
      : { kind: "elsewhere", path: key, url: plain };
  }
  if (store[1] !== undefined) return object(store[1], path);
  const [bucket = "", ...rest] = path.split("/");
  return object(bucket, rest.join("/"));
};

const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);

/** From the address alone, which must then say the bucket. */
const locateByUrl = (url: string): Located => {
  const parsed = parseAddress(url);
  switch (parsed.kind) {
    case "object":
      return locationOf(parsed.bucket, parsed.key, parsed.url);
    case "elsewhere":
      return failed(`${shown(url)} is on no store that we know, and there is no key beside it.`);
    case "bad":
      return failed(parsed.message);
    default:
      return parsed satisfies never;
  }
};

/** From the key, with the address for the bucket; both must mean the same object. */
const locateByBoth = (key: string, url: string, defaultBucket: string | undefined): Located => {
  const parsed = parseAddress(url);
  const disagree = failed(`The key ${shown(key)} and the address ${shown(url)} disagree.`);
  switch (parsed.kind) {
    case "object":
      return parsed.key === key ? locationOf(parsed.bucket, key, parsed.url) : disagree;
    case "elsewhere":
      // A delivery network or a store of one's own: the path ends with the key.
      if (parsed.path !== key && !parsed.path.endsWith(`/${key}`)) return disagree;
      return locateByKey(key, defaultBucket, parsed.url);
    case "bad":
      return failed(parsed.message);
    default:
      return parsed satisfies never;
  }
};

const locateByKey = (key: string, defaultBucket: string | undefined, url?: string): Located =>
  defaultBucket === undefined
    ? failed(`Nothing says in which bucket the key ${shown(key)} is: set LEGACY_ASSET_BUCKET.`)
    : locationOf(defaultBucket, key, url);

/**
 * @param row  `s3ChunkKey` and `s3ChunkUrl` as they stand
 * @param defaultBucket  for a key whose address names no bucket, `LEGACY_ASSET_BUCKET`
 * @returns undefined where the row has neither
 */
export const locate = (
  row: { s3ChunkKey?: string | undefined; s3ChunkUrl?: string | undefined },
  defaultBucket: string | undefined,
): Located | undefined => {
  const { s3ChunkKey: key, s3ChunkUrl: url } = row;
  if (key === undefined) return url === undefined ? undefined : locateByUrl(url);
  if (isAddress(key)) {
    const byKey = locateByUrl(key);
    return byKey.ok && url !== undefined
      ? locateByBoth(byKey.location.key, url, byKey.location.bucket)
      : byKey;
  }
  const problem = keyProblem(key);
  if (problem !== null) return failed(problem);
  return url === undefined
    ? locateByKey(key, defaultBucket)
    : locateByBoth(key, url, defaultBucket);
};
