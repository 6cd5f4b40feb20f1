// Which tables and indexes there are, for the app and each component apart, by the numbers that they
// have in the file. What the schema declares is compared with what is there at every start: documents
// must fit, new indexes are filled, and those that are gone are emptied.
import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { type Value, jsonToConvex } from "convex/values";
import type { GenericSchema, SchemaDefinition } from "convex/server";
import { tableNumberOf } from "./ids.ts";
import { encodeKey } from "./keys.ts";
import { type SearchIndex, textOf, tokensOf } from "./search.ts";
import { type IsIdOf, type ValidatorJson, validate } from "./validate.ts";

export type Schema = SchemaDefinition<GenericSchema, boolean>;
export type Document = Record<string, Value>;

export interface Index {
  number: number;
  name: string;
  /** With the fields that every index ends in, so that no two documents have one key. */
  fields: readonly string[];
}

export interface Table {
  number: number;
  /** Path of the component, empty for the app. */
  component: string;
  name: string;
  /** What documents must be; undefined where anything goes. */
  validator: ValidatorJson | undefined;
  indexes: ReadonlyMap<string, Index>;
  searchIndexes: ReadonlyMap<string, SearchIndex>;
}

export interface Catalog {
  /** The table of this name; made where the schema says nothing of it. */
  table(component: string, name: string): Table;
  byNumber(number: number): Table | undefined;
  /** For values of functions of this component. */
  isIdOf(component: string): IsIdOf;
  /** Forgets tables that were made in a transaction that was rolled back. */
  reload(): void;
}

export const CATALOG_TABLES = `
  CREATE TABLE IF NOT EXISTS tables (
    number INTEGER PRIMARY KEY,
    component TEXT NOT NULL,
    name TEXT NOT NULL,
    validator TEXT,
    UNIQUE (component, name)
  );
  CREATE TABLE IF NOT EXISTS indexes (
    number INTEGER PRIMARY KEY,
    table_number INTEGER NOT NULL,
    name TEXT NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (table_number, name)
  );
  CREATE TABLE IF NOT EXISTS search_indexes (
    number INTEGER PRIMARY KEY,
    table_number INTEGER NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    UNIQUE (table_number, name)
  );
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

/** Numbers below are Convex's own. */
const FIRST_TABLE = 10_001;
const BY_CREATION_TIME = ["_creationTime", "_id"];
const BY_ID = ["_id"];

const valueAt = (document: Document, path: string): Value | undefined => {
  let value: Value | undefined = document;
  for (const name of path.split(".")) {
    const isObject =
      typeof value === "object" &&
      value !== null &&
      !Array.isArray(value) &&
      !(value instanceof ArrayBuffer);
    if (!isObject || !Object.hasOwn(value as object, name)) return undefined;
    value = (value as Document)[name];
  }
  return value;
};
export { valueAt as fieldOf };

export const keyOf = (index: Index, document: Document): Buffer =>
  encodeKey(index.fields.map((path) => valueAt(document, path)));

interface DeclaredTable {
  validator: ValidatorJson | undefined;
  indexes: Record<string, string[]>;
  searchIndexes: Record<string, { searchField: string; filterFields: string[] }>;
}

interface ExportedTable {
  documentType: ValidatorJson;
  indexes: { indexDescriptor: string; fields: string[] }[];
  searchIndexes: { indexDescriptor: string; searchField: string; filterFields: string[] }[];
  vectorIndexes: unknown[];
}

const declaredTables = (schema: Schema | undefined): Map<string, DeclaredTable> => {
  const declared = new Map<string, DeclaredTable>();
  const { schemaValidation } = (schema ?? {}) as { schemaValidation?: boolean };
  for (const [name, definition] of Object.entries(schema?.tables ?? {})) {
    const exported = (definition as unknown as { export(): ExportedTable }).export();
    if (exported.vectorIndexes.length > 0)
      throw new Error(`The local Convex has no vector indexes; table ${name} declares one.`);
    declared.set(name, {
      validator: schemaValidation === true ? exported.documentType : undefined,
      indexes: Object.fromEntries(
        exported.indexes.map(({ indexDescriptor, fields }) => [
          indexDescriptor,
          [...fields, ...BY_CREATION_TIME],
        ]),
      ),
      searchIndexes: Object.fromEntries(
        exported.searchIndexes.map(({ indexDescriptor, searchField, filterFields }) => [
          indexDescriptor,
          { searchField, filterFields },
        ]),
      ),
    });
  }
  return declared;
};

interface TableRow {
  number: number;
  component: string;
  name: string;
  validator: string | null;
}

/** A document's validator names its own fields only; these two every document has. */
export const withoutSystemFields = ({
  _id,
  _creationTime,
  ...fields
}: Document): Record<string, Value> => fields;

/**
 * Reads what is in the file, and brings it up to the schemas in one transaction.
 * @param schemas  by the path of the component, empty for the app
 * @throws {Error} where documents do not fit their table's validator, naming the first
 */
export const openCatalog = (
  db: DatabaseSync,
  schemas: ReadonlyMap<string, Schema | undefined>,
): Catalog => {
  const declared = new Map([...schemas].map(([path, schema]) => [path, declaredTables(schema)]));
  const byName = new Map<string, Table>();
  const byNumber = new Map<number, Table>();
  const nameOf = (component: string, name: string): string => `${component}\n${name}`;
  let hasNew = false;

  const load = (): void => {
    byName.clear();
    byNumber.clear();
    for (const row of db.prepare("SELECT * FROM tables").all() as unknown as TableRow[]) {
      const table: Table = {
        number: row.number,
        component: row.component,
        name: row.name,
        validator: declared.get(row.component)?.get(row.name)?.validator,
        indexes: new Map(
          db
            .prepare("SELECT number, name, fields FROM indexes WHERE table_number = ?")
            .all(row.number)
            .map(({ number, name, fields }) => [
              String(name),
              {
                number: Number(number),
                name: String(name),
                fields: JSON.parse(String(fields)) as string[],
              },
            ]),
        ),
        searchIndexes: new Map(
          db
            .prepare("SELECT number, name, definition FROM search_indexes WHERE table_number = ?")
            .all(row.number)
            .map(({ number, name, definition }) => [
              String(name),
              {
                number: Number(number),
                name: String(name),
                ...(JSON.parse(String(definition)) as Pick<
                  SearchIndex,
                  "searchField" | "filterFields"
                >),
              },
            ]),
        ),
      };
      byName.set(nameOf(table.component, table.name), table);
      byNumber.set(table.number, table);
    }
  };

  const documentsOf = function* (tableNumber: number): Generator<[number, Document]> {
    const rows = db
      .prepare("SELECT seq, value FROM documents WHERE table_number = ?")
      .iterate(tableNumber);
    for (const { seq, value } of rows)
      yield [Number(seq), jsonToConvex(JSON.parse(String(value))) as Document];
  };

  const addTable = (component: string, name: string): number => {
    const { number } = db
      .prepare("SELECT coalesce(max(number) + 1, ?) AS number FROM tables")
      .get(FIRST_TABLE) as { number: number };
    db.prepare("INSERT INTO tables (number, component, name) VALUES (?, ?, ?)").run(
      number,
      component,
      name,
    );
    for (const [index, fields] of [
      ["by_creation_time", BY_CREATION_TIME],
      ["by_id", BY_ID],
    ] as const) {
      addIndex(number, index, fields);
    }
    return number;
  };

  const addIndex = (tableNumber: number, name: string, fields: readonly string[]): Index => {
    const { lastInsertRowid } = db
      .prepare("INSERT INTO indexes (table_number, name, fields) VALUES (?, ?, ?)")
      .run(tableNumber, name, JSON.stringify(fields));
    return { number: Number(lastInsertRowid), name, fields };
  };

  const fill = (tableNumber: number, index: Index): void => {
    const insert = db.prepare("INSERT INTO entries (index_number, key, seq) VALUES (?, ?, ?)");
    for (const [seq, document] of documentsOf(tableNumber))
      insert.run(index.number, keyOf(index, document), seq);
  };

  const syncIndexes = (table: Table, wanted: DeclaredTable["indexes"]): void => {
    for (const { number, name, fields } of table.indexes.values()) {
      const isBuiltIn = name === "by_creation_time" || name === "by_id";
      if (isBuiltIn || isDeepStrictEqual(wanted[name], fields)) continue;
      db.prepare("DELETE FROM entries WHERE index_number = ?").run(number);
      db.prepare("DELETE FROM indexes WHERE number = ?").run(number);
    }
    for (const [name, fields] of Object.entries(wanted)) {
      if (isDeepStrictEqual(table.indexes.get(name)?.fields, fields)) continue;
      fill(table.number, addIndex(table.number, name, fields));
    }
  };

  const syncSearchIndexes = (table: Table, wanted: DeclaredTable["searchIndexes"]): void => {
    for (const { number, name, searchField, filterFields } of table.searchIndexes.values()) {
      if (isDeepStrictEqual(wanted[name], { searchField, filterFields })) continue;
      db.exec(`DROP TABLE search_${number}`);
      db.prepare("DELETE FROM search_indexes WHERE number = ?").run(number);
    }
    for (const [name, definition] of Object.entries(wanted)) {
      const there = table.searchIndexes.get(name);
      if (there && isDeepStrictEqual(definition, pick(there))) continue;
      const { lastInsertRowid } = db
        .prepare("INSERT INTO search_indexes (table_number, name, definition) VALUES (?, ?, ?)")
        .run(table.number, name, JSON.stringify(definition));
      const number = Number(lastInsertRowid);
      // Only the index is kept; the text itself is in the document.
      db.exec(
        `CREATE VIRTUAL TABLE search_${number} USING fts5(text, filters, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0')`,
      );
      const insert = db.prepare(
        `INSERT INTO search_${number} (rowid, text, filters) VALUES (?, ?, ?)`,
      );
      for (const [seq, document] of documentsOf(table.number)) {
        const text = textOf({ number, name, ...definition }, document);
        if (text === undefined) continue;
        insert.run(seq, text, tokensOf({ number, name, ...definition }, document).join(" "));
      }
    }
  };

  const catalog: Catalog = {
    table(component, name) {
      const known = byName.get(nameOf(component, name));
      if (known) return known;
      addTable(component, name);
      load();
      hasNew = true;
      return byName.get(nameOf(component, name))!;
    },
    byNumber: (number) => byNumber.get(number),
    isIdOf: (component) => (tableName, id) => {
      const number = tableNumberOf(id);
      const table = number === undefined ? undefined : byNumber.get(number);
      return table?.name === tableName && table.component === component;
    },
    reload() {
      if (!hasNew) return;
      hasNew = false;
      load();
    },
  };

  const sync = (): void => {
    load();
    for (const [component, tables] of declared)
      for (const name of tables.keys()) catalog.table(component, name);
    for (const [component, tables] of declared) {
      for (const [name, wanted] of tables) {
        const table = catalog.table(component, name);
        const written = wanted.validator === undefined ? null : JSON.stringify(wanted.validator);
        const { validator: before } = db
          .prepare("SELECT validator FROM tables WHERE number = ?")
          .get(table.number) as unknown as TableRow;
        if (written !== before) {
          if (wanted.validator) checkDocuments(table, wanted.validator);
          db.prepare("UPDATE tables SET validator = ? WHERE number = ?").run(written, table.number);
        }
        syncIndexes(table, wanted.indexes);
        syncSearchIndexes(table, wanted.searchIndexes);
      }
    }
    load();
    hasNew = false;
  };

  const checkDocuments = (table: Table, validator: ValidatorJson): void => {
    for (const [, document] of documentsOf(table.number)) {
      try {
        validate(validator, withoutSystemFields(document), catalog.isIdOf(table.component));
      } catch (cause) {
        const where = table.component === "" ? "" : ` of component ${table.component}`;
        throw new Error(
          `Document ${document["_id"] as string} in table ${table.name}${where} does not match the schema: ${(cause as Error).message}`,
          { cause },
        );
      }
    }
  };

  db.exec("BEGIN IMMEDIATE");
  try {
    sync();
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
  return catalog;
};

const pick = ({ searchField, filterFields }: SearchIndex) => ({ searchField, filterFields });
