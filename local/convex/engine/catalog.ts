// Which tables and indexes there are, for the app and each component apart, by the numbers that they
// have in the file. `schemaSync.ts` brings them up to what the schema declares.
import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "../../exclusiveDatabase.ts";
import { BUILT_IN_INDEXES, type Schema, declaredTables } from "./declared.ts";
import { tableNumberOf } from "./ids.ts";
import { syncSchema } from "./schemaSync.ts";
import type { SearchIndex } from "./search.ts";
import type { IsIdOf, ValidatorJson } from "./validate.ts";

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
  /**
   * The table of this name; made where the schema says nothing of it.
   * @throws {Error} where it is no name for one
   */
  table(component: string, name: string): Table;
  byNumber(number: number): Table | undefined;
  /** The table that an id belongs to; undefined for what is no id of a table that there is. */
  tableOfId(id: string): Table | undefined;
  /** All that are in the file, also of components that are not mounted any more. */
  tables(): Iterable<Table>;
  /** For values of functions of this component. */
  isIdOf(component: string): IsIdOf;
  /** Forgets tables that were made in a transaction that was rolled back. */
  reload(): void;
}

/**
 * Read when the catalog is loaded. Indexes are written and deleted by `schemaSync.ts`, at each start; a table
 * is written when a schema or a function first names it and never deleted, since ids tell its number.
 */
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
`;

const TABLE_NAME = /^[A-Za-z_]\w{0,63}$/;
const MAX_SHOWN = 100;
/** Numbers below are Convex's own. */
const FIRST_TABLE = 10_001;

/** All of it or nothing, also in a query, which runs in no transaction of the file's. */
const inSavepoint = (db: DatabaseSync, work: () => void): void => {
  db.exec("SAVEPOINT catalog");
  try {
    work();
  } catch (error) {
    // A full disk has undone all of it already.
    if (db.isTransaction) db.exec("ROLLBACK TO catalog; RELEASE catalog");
    throw error;
  }
  db.exec("RELEASE catalog");
};

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
  const allTables = db.prepare("SELECT number, component, name FROM tables");
  const indexesOf = db.prepare("SELECT number, name, fields FROM indexes WHERE table_number = ?");
  const searchIndexesOf = db.prepare(
    "SELECT number, name, definition FROM search_indexes WHERE table_number = ?",
  );
  let hasNew = false;

  const readIndexes = (table: number): Map<string, Index> =>
    new Map(
      indexesOf.all(table).map((row) => {
        const fields = JSON.parse(String(row["fields"])) as string[];
        return [
          String(row["name"]),
          { number: Number(row["number"]), name: String(row["name"]), fields },
        ];
      }),
    );

  const readSearchIndexes = (table: number): Map<string, SearchIndex> =>
    new Map(
      searchIndexesOf.all(table).map((row) => {
        const definition = JSON.parse(String(row["definition"])) as Pick<
          SearchIndex,
          "searchField" | "filterFields"
        >;
        const name = String(row["name"]);
        return [name, { number: Number(row["number"]), name, ...definition }];
      }),
    );

  const load = (): void => {
    byName.clear();
    byNumber.clear();
    for (const row of allTables.all()) {
      const table: Table = {
        number: Number(row["number"]),
        component: String(row["component"]),
        name: String(row["name"]),
        validator: declared.get(String(row["component"]))?.get(String(row["name"]))?.validator,
        indexes: readIndexes(Number(row["number"])),
        searchIndexes: readSearchIndexes(Number(row["number"])),
      };
      byName.set(nameOf(table.component, table.name), table);
      byNumber.set(table.number, table);
    }
  };

  const addTable = (component: string, name: string): void => {
    const { number } = db
      .prepare("SELECT coalesce(max(number) + 1, ?) AS number FROM tables")
      .get(FIRST_TABLE) as { number: number };
    db.prepare("INSERT INTO tables (number, component, name) VALUES (?, ?, ?)").run(
      number,
      component,
      name,
    );
    const addIndex = db.prepare(
      "INSERT INTO indexes (table_number, name, fields) VALUES (?, ?, ?)",
    );
    for (const [index, fields] of Object.entries(BUILT_IN_INDEXES))
      addIndex.run(number, index, JSON.stringify(fields));
  };

  const tableOfId = (id: string): Table | undefined => {
    const number = tableNumberOf(id);
    return number === undefined ? undefined : byNumber.get(number);
  };

  const catalog: Catalog = {
    table(component, name) {
      const known = byName.get(nameOf(component, name));
      if (known) return known;
      if (!TABLE_NAME.test(name))
        throw new Error(
          `Invalid table name ${JSON.stringify(name.slice(0, MAX_SHOWN))}: it is at most 64 letters, digits and underscores, no digit first.`,
        );
      inSavepoint(db, () => addTable(component, name));
      load();
      hasNew = true;
      return byName.get(nameOf(component, name))!;
    },
    byNumber: (number) => byNumber.get(number),
    tableOfId,
    tables: () => byNumber.values(),
    isIdOf: (component) => (tableName, id) => {
      const table = tableOfId(id);
      return table?.name === tableName && table.component === component;
    },
    reload() {
      if (!hasNew) return;
      // Where a nested call was rolled back, what it is part of may take the table with it yet.
      hasNew = db.isTransaction;
      load();
    },
  };

  inTransaction(db, () => {
    load();
    for (const [component, tables] of declared)
      for (const name of tables.keys()) catalog.table(component, name);
    syncSchema(db, catalog, declared);
    load();
    hasNew = false;
  });
  return catalog;
};
