// Documents and the entries of their indexes in SQLite, inside whatever transaction is open. Every read
// says which keys it depends on and every write which keys it changed: that is how live queries learn
// what concerns them.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { convexToJson, jsonToConvex } from "convex/values";
import type { Catalog, Table } from "./catalog.ts";
import { type Document, keyOf, withoutSystemFields } from "./document.ts";
import { newId } from "./ids.ts";
import { afterKey, encodeKey } from "./keys.ts";
import type { Search, SearchIndex } from "./search.ts";
import { validate } from "./validate.ts";
import { checkDocumentValue } from "./valueLimits.ts";

/** A document as it lies there: its JSON is handed on as it is. */
export interface StoredDocument {
  json: string;
  sizeBytes: number;
}

/** A stretch of one index, from `from` on and before `to`; to its end where there is no `to`. */
export interface Range {
  index: number;
  from: Buffer;
  to: Buffer | undefined;
}

export interface Entry extends StoredDocument {
  key: Buffer;
}

/** Keys written, by the index they belong to. */
export type Writes = Map<number, Buffer[]>;

/** What a transaction has changed so far. */
export interface Changes {
  writes: Writes;
  /** Documents as they were before it, by id; undefined for those that were not there. */
  originals: Map<string, Original | undefined>;
}

export interface Original extends StoredDocument {
  table: Table;
  document: Document;
}

/** Search indexes are told apart from others by their sign. */
export const searchNumber = ({ number }: SearchIndex): number => -number;
const WHOLE_SEARCH_INDEX = Buffer.alloc(0);

/**
 * Documents as Convex's JSON, and one entry for each in each index. Read, written and deleted here, and by
 * `schemaSync.ts` where an index is new or gone.
 */
export const DOCUMENT_TABLES = `
  CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY,
    table_number INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL,
    size INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS entries (
    index_number INTEGER NOT NULL,
    key BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (index_number, key)
  ) WITHOUT ROWID;
`;

interface Row {
  seq: number;
  table_number: number;
  value: string;
  size: number;
}

export interface Reader {
  get(id: string): (StoredDocument & { table: Table }) | undefined;
  /** Entries in order, at most `limit`. */
  scan(range: Range, order: "asc" | "desc", limit: number): Entry[];
  bySeq(seq: number): StoredDocument | undefined;
  count(table: Table): number;
}

export interface Store extends Reader {
  /** @returns the new id and the size. @throws {Error} where it does not fit the schema */
  insert(table: Table, value: Document, changes: Changes): { id: string; sizeBytes: number };
  /** Puts other fields in place of the document's own. @returns its new size */
  put(id: string, value: Document, changes: Changes): number;
  remove(id: string, changes: Changes): void;
}

export interface StoreOptions {
  db: DatabaseSync;
  catalog: Catalog;
  search: Search;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** When the last document was created, or later: the clock may have been put back since. */
  lastCreatedMs: number;
}

export const createStore = ({ db, catalog, search, clock, lastCreatedMs }: StoreOptions): Store => {
  const byId = db.prepare("SELECT seq, table_number, value, size FROM documents WHERE id = ?");
  const bySeq = db.prepare("SELECT value, size FROM documents WHERE seq = ?");
  const countEntries = db.prepare("SELECT count(*) AS count FROM entries WHERE index_number = ?");
  const addDocument = db.prepare(
    "INSERT INTO documents (table_number, id, value, size) VALUES (?, ?, ?, ?)",
  );
  const setDocument = db.prepare("UPDATE documents SET value = ?, size = ? WHERE seq = ?");
  const dropDocument = db.prepare("DELETE FROM documents WHERE seq = ?");
  const addEntry = db.prepare("INSERT INTO entries (index_number, key, seq) VALUES (?, ?, ?)");
  const dropEntry = db.prepare("DELETE FROM entries WHERE index_number = ? AND key = ?");
  const scans = new Map<string, StatementSync>();
  const scanStatement = (order: "asc" | "desc", isOpen: boolean): StatementSync => {
    const name = `${order} ${isOpen}`;
    const known = scans.get(name);
    if (known) return known;
    const made = db.prepare(
      `SELECT e.key, d.value, d.size FROM entries e JOIN documents d ON d.seq = e.seq
       WHERE e.index_number = ? AND e.key >= ? ${isOpen ? "" : "AND e.key < ?"}
       ORDER BY e.key ${order} LIMIT ?`,
    );
    scans.set(name, made);
    return made;
  };
  let lastCreationTime = lastCreatedMs;

  const note = (writes: Writes, index: number, key: Buffer): void => {
    const keys = writes.get(index);
    if (keys) keys.push(key);
    else writes.set(index, [key]);
  };

  const find = (id: string): Row | undefined => byId.get(id) as Row | undefined;
  const existing = (id: string): { row: Row; table: Table; document: Document } => {
    const row = find(id);
    const table = row && catalog.byNumber(row.table_number);
    if (!row || !table) throw new Error(`There is no document with ID "${id}".`);
    return { row, table, document: jsonToConvex(JSON.parse(row.value)) as Document };
  };

  const keepOriginal = (
    originals: Changes["originals"],
    id: string,
    { value: json, size: sizeBytes }: Row,
    table: Table,
    document: Document,
  ): void => {
    if (!originals.has(id)) originals.set(id, { json, sizeBytes, table, document });
  };

  /** Brings the entries of all indexes from one version of a document to the next. */
  const reindex = (
    table: Table,
    seq: number,
    before: Document | undefined,
    after: Document | undefined,
    writes: Writes,
  ): void => {
    for (const index of table.indexes.values()) {
      const had = before && keyOf(index, before);
      const has = after && keyOf(index, after);
      if (had) note(writes, index.number, had);
      if (had && has && had.equals(has)) continue;
      if (had) dropEntry.run(index.number, had);
      if (!has) continue;
      note(writes, index.number, has);
      addEntry.run(index.number, has, seq);
    }
    for (const index of table.searchIndexes.values()) {
      // Any change may move what others find up or down.
      if (search.update(index, seq, before, after))
        note(writes, searchNumber(index), WHOLE_SEARCH_INDEX);
    }
  };

  const checked = (table: Table, document: Document): StoredDocument => {
    if (table.validator)
      validate(table.validator, withoutSystemFields(document), catalog.isIdOf(table.component));
    const sizeBytes = checkDocumentValue(document);
    return { json: JSON.stringify(convexToJson(document)), sizeBytes };
  };

  return {
    get(id) {
      const row = find(id);
      const table = row && catalog.byNumber(row.table_number);
      return row && table ? { json: row.value, sizeBytes: row.size, table } : undefined;
    },
    scan({ index, from, to }, order, limit) {
      const statement = scanStatement(order, to === undefined);
      const rows = (
        to === undefined ? statement.all(index, from, limit) : statement.all(index, from, to, limit)
      ) as { key: Uint8Array; value: string; size: number }[];
      return rows.map(({ key, value, size }) => ({
        key: Buffer.from(key.buffer, key.byteOffset, key.byteLength),
        json: value,
        sizeBytes: size,
      }));
    },
    bySeq(seq) {
      const row = bySeq.get(seq) as Pick<Row, "value" | "size"> | undefined;
      return row && { json: row.value, sizeBytes: row.size };
    },
    count(table) {
      const { number } = table.indexes.get("by_id")!;
      return (countEntries.get(number) as { count: number }).count;
    },
    insert(table, value, { writes, originals }) {
      const id = newId(table.number);
      const now = clock();
      // Each is created after the one before, also within a millisecond.
      lastCreationTime = now > lastCreationTime ? now : lastCreationTime + 0.001;
      const document: Document = { ...value, _id: id, _creationTime: lastCreationTime };
      const { json, sizeBytes } = checked(table, document);
      const { lastInsertRowid } = addDocument.run(table.number, id, json, sizeBytes);
      originals.set(id, undefined);
      reindex(table, Number(lastInsertRowid), undefined, document, writes);
      return { id, sizeBytes };
    },
    put(id, value, { writes, originals }) {
      const { row, table, document } = existing(id);
      for (const field of ["_id", "_creationTime"] as const) {
        if (value[field] !== undefined && value[field] !== document[field])
          throw new Error(`The field \`${field}\` of a document cannot be changed.`);
      }
      const after: Document = {
        ...value,
        _id: document["_id"]!,
        _creationTime: document["_creationTime"]!,
      };
      const { json, sizeBytes } = checked(table, after);
      setDocument.run(json, sizeBytes, row.seq);
      keepOriginal(originals, id, row, table, document);
      reindex(table, row.seq, document, after, writes);
      return sizeBytes;
    },
    remove(id, { writes, originals }) {
      const { row, table, document } = existing(id);
      dropDocument.run(row.seq);
      keepOriginal(originals, id, row, table, document);
      reindex(table, row.seq, document, undefined, writes);
    },
  };
};

/** The stretch of `by_id` that holds one document. @returns undefined for what is no id of ours */
export const rangeOfId = (catalog: Catalog, id: string): Range | undefined => {
  const index = catalog.tableOfId(id)?.indexes.get("by_id");
  if (!index) return undefined;
  const from = encodeKey([id]);
  return { index: index.number, from, to: afterKey(from) };
};
