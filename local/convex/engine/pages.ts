// A page of a query, and the cursors that say where one begins and ends. A page that is asked for again
// ends where it ended before, so that the pages of a list that changes stay without gaps and doubles.
import { createHash } from "node:crypto";
import {
  BATCH,
  type QueryContext,
  type SerializedQuery,
  type Source,
  filtersOf,
  passes,
  sourceOf,
} from "./query.ts";

export interface PageRequest {
  query: SerializedQuery;
  /** Null for the first page. */
  cursor: string | null;
  /** Where the page is to end, however many documents that takes. */
  endCursor: string | null;
  pageSize: number;
  maximumRowsRead: number | null;
  maximumBytesRead?: number | null | undefined;
}

export interface Page {
  /** JSON of each document. */
  page: string[];
  isDone: boolean;
  continueCursor: string;
  splitCursor: string | null;
  pageStatus: "SplitRecommended" | "SplitRequired" | null;
}

/** A place between two entries: at the start, after one, or at the end. */
type Place = { at: "start" } | { at: "after"; key: Buffer } | { at: "end" };

const START: Place = { at: "start" };
const END: Place = { at: "end" };
const END_CURSOR = "_end_cursor";
const FINGERPRINT_BYTES = 8;

/** A cursor is good for the query that it came from, and no other. */
const fingerprintOf = (query: SerializedQuery): Buffer =>
  createHash("sha256").update(JSON.stringify(query)).digest().subarray(0, FINGERPRINT_BYTES);

const cursors = (query: SerializedQuery, { isKey }: Source) => {
  const fingerprint = fingerprintOf(query);
  return {
    write(place: Place): string {
      if (place.at === "end") return END_CURSOR;
      const parts = place.at === "start" ? [fingerprint] : [fingerprint, place.key];
      return Buffer.concat(parts).toString("base64url");
    },
    read(cursor: string): Place {
      if (cursor === END_CURSOR) return END;
      const bytes = Buffer.from(cursor, "base64url");
      const key = bytes.subarray(FINGERPRINT_BYTES);
      const isOurs = bytes.subarray(0, FINGERPRINT_BYTES).equals(fingerprint);
      if (isOurs && key.length === 0) return START;
      if (isOurs && isKey(key)) return { at: "after", key };
      throw new Error("InvalidCursor: the cursor does not belong to this query.");
    },
  };
};

/** @throws {Error} for a cursor of another query, or of none */
export const pageQuery = (request: PageRequest, context: QueryContext): Page => {
  const { query, pageSize } = request;
  const { usage } = context;
  const source = sourceOf(query, context);
  const { write, read } = cursors(query, source);
  const filters = filtersOf(query);
  const start = request.cursor === null ? START : read(request.cursor);
  const end = request.endCursor === null ? undefined : read(request.endCursor);
  // All up to a given end belongs to the page, whatever it takes to read it.
  const limitOf = (limit: number | null | undefined): number =>
    end === undefined ? Math.max(1, limit ?? Infinity) : Infinity;
  const maxRows = limitOf(request.maximumRowsRead);
  const maxBytes = limitOf(request.maximumBytesRead);
  usage.add("databaseQueries", 1);

  const page: string[] = [];
  const keys: Buffer[] = [];
  let bytes = 0;
  const isLimited = (): boolean => keys.length >= maxRows || bytes >= maxBytes;
  const isFull = (): boolean => end === undefined && (page.length >= pageSize || isLimited());
  const isBeyond = (key: Buffer): boolean =>
    end?.at === "start" || (end?.at === "after" && source.isAfter(key, end.key));
  const lastKey = (): Buffer | undefined =>
    keys.at(-1) ?? (start.at === "after" ? start.key : undefined);

  /** Reads on until the page is full or over. @returns whether nothing is left after it */
  const fill = (): boolean => {
    while (!isFull()) {
      const batch = source.read(lastKey(), BATCH);
      for (const { key, json, sizeBytes } of batch) {
        if (isBeyond(key)) return false;
        keys.push(key);
        bytes += sizeBytes;
        usage.add("documentsRead", 1);
        usage.add("bytesRead", sizeBytes);
        if (passes(filters, { json })) page.push(json);
        if (isFull()) break;
      }
      if (!isFull() && batch.length < BATCH) return true;
    }
    return !isLimited() && source.read(lastKey(), 1).length === 0;
  };

  const isExhausted = start.at === "end" || fill();
  const key = lastKey();
  const reached: Place = key === undefined ? START : { at: "after", key };
  const next = end ?? (isExhausted ? END : reached);
  if (start.at !== "end" && next.at !== "start")
    source.depend(
      start.at === "after" ? start.key : undefined,
      next.at === "after" ? next.key : undefined,
    );
  const status = statusOf(isLimited(), keys.length, pageSize);
  const middle = keys[Math.floor((keys.length - 1) / 2)];
  const isSplit = status !== null && keys.length >= 2 && middle !== undefined;
  return {
    page,
    isDone: next.at === "end",
    continueCursor: write(next),
    splitCursor: isSplit ? write({ at: "after", key: middle }) : null,
    pageStatus: status,
  };
};

const statusOf = (isLimited: boolean, rowsRead: number, pageSize: number): Page["pageStatus"] => {
  if (isLimited) return "SplitRequired";
  return rowsRead > pageSize + 1 ? "SplitRecommended" : null;
};
