// One page of a listing: objects below a prefix, and with a delimiter the "folders" among them.
import type { Catalog, StoredObject } from "./catalog.ts";

export interface ListQuery {
  prefix: string;
  delimiter: string;
  startOffset: string;
  endOffset: string;
  pageToken: string;
  maxResults: number;
  /** Lists an object whose name ends in the delimiter beside its folder. */
  includeTrailingDelimiter: boolean;
}

export interface ListPage {
  items: StoredObject[];
  prefixes: string[];
  nextPageToken: string | undefined;
}

const MAX_RESULTS = 1000;
const BATCH = 500;

/** The smallest name that is after every name beginning with `prefix`; undefined if there is none. */
export const afterPrefix = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.length > 0) {
    const last = points.pop() ?? 0;
    if (last >= 0x10ffff) continue;
    // Surrogates are no characters: the next after U+D7FF is U+E000.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
};

/** Order of UTF-8 bytes, which is that of the index. */
const before = (a: string, b: string): boolean =>
  Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;

const max = (...names: string[]): string =>
  names.reduce((highest, name) => (before(highest, name) ? name : highest));

/** Page tokens say where the next page begins. */
const encodeToken = (from: string): string => Buffer.from(from).toString("base64url");
const decodeToken = (token: string): string => Buffer.from(token, "base64url").toString("utf8");

export const listObjects = (catalog: Catalog, bucket: string, query: ListQuery): ListPage => {
  const { prefix, delimiter, endOffset } = query;
  const limit = Math.max(1, Math.min(query.maxResults, MAX_RESULTS));
  const items: StoredObject[] = [];
  const prefixes: string[] = [];
  let from: string | undefined = max(prefix, query.startOffset, decodeToken(query.pageToken));

  const isPast = (name: string): boolean =>
    !name.startsWith(prefix) || (endOffset !== "" && !before(name, endOffset));

  while (from !== undefined) {
    const batch = catalog.objects(bucket, from, BATCH);
    // No name holds U+0000, so this is the next possible one.
    let next = batch.length === BATCH ? `${batch.at(-1)?.name ?? ""}\u0001` : undefined;
    for (const object of batch) {
      const { name } = object;
      if (isPast(name)) return { items, prefixes, nextPageToken: undefined };
      if (items.length + prefixes.length >= limit) {
        return { items, prefixes, nextPageToken: encodeToken(name) };
      }
      const cut = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
      if (cut === -1) {
        items.push(object);
        continue;
      }
      const folder = name.slice(0, cut + delimiter.length);
      prefixes.push(folder);
      if (query.includeTrailingDelimiter && name === folder) items.push(object);
      // The rest of the folder is skipped, not read.
      next = afterPrefix(folder);
      break;
    }
    from = next;
  }
  return { items, prefixes, nextPageToken: undefined };
};
