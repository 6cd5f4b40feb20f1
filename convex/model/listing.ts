// What a caller may ask of a list or a search, the same everywhere. A page's size is held to its most,
// since clients go on from wherever a page ends; a `limit` and a query are refused, since nothing would
// tell the caller that they got something else.
import type { PaginationOptions } from "convex/server";
import { refuse } from "./access.ts";

/** Rows of a page of a list. */
export const MAX_PAGE_ROWS = 100;
const MAX_QUERY_CHARS = 500;

/**
 * What was asked of a list, with 1 to `maxRows` a page.
 * @param maxRows  default 100; less where a row is much to read
 */
export const boundedPage = (
  asked: PaginationOptions,
  maxRows = MAX_PAGE_ROWS,
): PaginationOptions => ({
  ...asked,
  numItems: Math.max(1, Math.min(maxRows, Math.floor(asked.numItems) || 1)),
});

/** @throws {ConvexError} `invalid_request` for what is no whole number from 1 to `max` */
export const checkLimit = (limit: number, max: number): number => {
  if (!Number.isInteger(limit) || limit < 1 || limit > max) {
    throw refuse("invalid_request", `limit must be a whole number from 1 to ${max}.`);
  }
  return limit;
};

/**
 * What to search for, trimmed; "" finds nothing: a search box that was cleared.
 * @throws {ConvexError} `invalid_request` for more than 500 characters
 */
export const checkQuery = (query: string): string => {
  if (query.length > MAX_QUERY_CHARS) {
    throw refuse("invalid_request", `query has at most ${MAX_QUERY_CHARS} characters.`);
  }
  return query.trim();
};
