// Search indexes, by SQLite's FTS5: words ranked by BM25, the last word of a query also as a beginning.
// Filter fields are words of a second column, so that the index applies them as well.
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { type JSONValue, type Value, jsonToConvex } from "convex/values";
import { type Document, fieldOf } from "./catalog.ts";
import { encodeKey } from "./keys.ts";

export interface SearchIndex {
  number: number;
  name: string;
  searchField: string;
  filterFields: readonly string[];
}

/** As `withSearchIndex` writes it. */
export type SearchFilter =
  | { type: "Search"; fieldPath: string; value: string }
  | { type: "Eq"; fieldPath: string; value: JSONValue };

/** Convex considers so many results, and no more. */
export const MAX_RESULTS = 1024;
const MAX_TERMS = 16;
const MAX_FILTERS = 8;

/** @returns undefined for a document without text, which is in no result */
export const textOf = (index: SearchIndex, document: Document): string | undefined => {
  const text = fieldOf(document, index.searchField);
  return typeof text === "string" ? text : undefined;
};

/** One word for a field that has this value. */
const token = (field: string, value: Value | undefined): string => {
  const hash = createHash("sha256")
    .update(field)
    .update("\0")
    .update(encodeKey([value]));
  return `f${hash.digest("hex").slice(0, 32)}`;
};

export const tokensOf = (index: SearchIndex, document: Document): string[] =>
  index.filterFields.map((field) => token(field, fieldOf(document, field)));

const isUndefined = (value: JSONValue): boolean =>
  typeof value === "object" && value !== null && "$undefined" in value;

const quoted = (word: string): string => `"${word.replaceAll('"', '""')}"`;

/** What FTS5 is asked; undefined where nothing can match. @throws {Error} for a wrong filter */
const matchOf = (index: SearchIndex, filters: readonly SearchFilter[]): string | undefined => {
  const searches = filters.filter(({ type }) => type === "Search");
  const [search] = searches;
  if (searches.length !== 1 || typeof search?.value !== "string")
    throw new Error("A search query searches one field once.");
  if (search.fieldPath !== index.searchField)
    throw new Error(
      `Search index "${index.name}" is over the field "${index.searchField}", not "${search.fieldPath}".`,
    );
  if (filters.length - 1 > MAX_FILTERS)
    throw new Error(`A search query has at most ${MAX_FILTERS} filters.`);
  const words = (search.value.match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, MAX_TERMS);
  const last = words.pop();
  if (last === undefined) return undefined;
  const text = [...words.map(quoted), `${quoted(last)}*`].join(" OR ");
  const eq = filters.filter((filter) => filter.type === "Eq");
  const tokens = eq.map(({ fieldPath, value }) => {
    if (!index.filterFields.includes(fieldPath))
      throw new Error(`Search index "${index.name}" has no filter field "${fieldPath}".`);
    return token(fieldPath, isUndefined(value) ? undefined : jsonToConvex(value));
  });
  return [`text : (${text})`, ...tokens.map((one) => `filters : ${one}`)].join(" AND ");
};

/** Numbers of the documents that match, best first. */
export const searchDocuments = (
  db: DatabaseSync,
  index: SearchIndex,
  filters: readonly SearchFilter[],
): number[] => {
  const match = matchOf(index, filters);
  if (match === undefined) return [];
  const name = `search_${index.number}`;
  return db
    .prepare(
      `SELECT rowid FROM ${name} WHERE ${name} MATCH ? ORDER BY bm25(${name}, 1.0, 0.0), rowid DESC LIMIT ${MAX_RESULTS}`,
    )
    .all(match)
    .map(({ rowid }) => Number(rowid));
};
