// Search indexes, by SQLite's FTS5: words ranked by BM25, the last word of a query also as a beginning.
// Filter fields are words of a second column, so that the index applies them as well.
import { createHash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { JSONValue, Value } from "convex/values";
import { type Document, fieldOf, jsonToField } from "./document.ts";
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
const MAX_RESULTS = 1024;
const MAX_TERMS = 16;
/** As FTS5 takes text apart; accents that are characters of their own belong to the word. */
const WORDS = /[\p{L}\p{N}\p{M}]+/gu;
const MAX_FILTERS = 8;

/** @returns undefined for a document without text, which is in no result */
const textOf = (index: SearchIndex, document: Document): string | undefined => {
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

const tokensOf = (index: SearchIndex, document: Document): string[] =>
  index.filterFields.map((field) => token(field, fieldOf(document, field)));

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
  const words = (search.value.match(WORDS) ?? []).slice(0, MAX_TERMS);
  const last = words.pop();
  if (last === undefined) return undefined;
  const text = [...words.map(quoted), `${quoted(last)}*`].join(" OR ");
  const eq = filters.filter((filter) => filter.type === "Eq");
  const tokens = eq.map(({ fieldPath, value }) => {
    if (!index.filterFields.includes(fieldPath))
      throw new Error(`Search index "${index.name}" has no filter field "${fieldPath}".`);
    return token(fieldPath, jsonToField(value));
  });
  return [`text : (${text})`, ...tokens.map((one) => `filters : ${one}`)].join(" AND ");
};

export interface Search {
  create(index: SearchIndex): void;
  drop(index: SearchIndex): void;
  /**
   * Brings the index from one version of a document to the next.
   * @param seq  the document's number @returns whether the document is, or was, in the index
   */
  update(
    index: SearchIndex,
    seq: number,
    before: Document | undefined,
    after: Document | undefined,
  ): boolean;
  /** Numbers of the documents that match, best first. @throws {Error} for a wrong filter */
  find(index: SearchIndex, filters: readonly SearchFilter[]): number[];
}

const tableOf = ({ number }: SearchIndex): string => `search_${number}`;

const statementsOf = (db: DatabaseSync, table: string) => ({
  add: db.prepare(`INSERT INTO ${table} (rowid, text, filters) VALUES (?, ?, ?)`),
  remove: db.prepare(`DELETE FROM ${table} WHERE rowid = ?`),
  // Words of the text count, those of the filters do not; of equals, the later one comes first.
  find: db.prepare(
    `SELECT rowid FROM ${table} WHERE ${table} MATCH ?
     ORDER BY bm25(${table}, 1.0, 0.0), rowid DESC LIMIT ${MAX_RESULTS}`,
  ),
});

export const createSearch = (db: DatabaseSync): Search => {
  const prepared = new Map<string, Record<"add" | "remove" | "find", StatementSync>>();
  const statements = (index: SearchIndex) => {
    const table = tableOf(index);
    const known = prepared.get(table) ?? statementsOf(db, table);
    prepared.set(table, known);
    return known;
  };
  return {
    create(index) {
      // Only the index is kept; the text itself is in the document.
      db.exec(
        `CREATE VIRTUAL TABLE ${tableOf(index)} USING fts5(text, filters, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0')`,
      );
    },
    drop(index) {
      prepared.delete(tableOf(index));
      db.exec(`DROP TABLE ${tableOf(index)}`);
    },
    update(index, seq, before, after) {
      const had = before && textOf(index, before);
      const has = after && textOf(index, after);
      if (had === undefined && has === undefined) return false;
      const hadTokens = before ? tokensOf(index, before).join(" ") : "";
      const hasTokens = after ? tokensOf(index, after).join(" ") : "";
      if (had === has && hadTokens === hasTokens) return true;
      const { add, remove } = statements(index);
      if (had !== undefined) remove.run(seq);
      if (has !== undefined) add.run(seq, has, hasTokens);
      return true;
    },
    find(index, filters) {
      const match = matchOf(index, filters);
      if (match === undefined) return [];
      return statements(index)
        .find.all(match)
        .map(({ rowid }) => Number(rowid));
    },
  };
};
