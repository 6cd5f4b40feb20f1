// Brings the file up to what the schema declares, at every start: documents must fit, new indexes are
// filled, and those that are gone are emptied.
import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { jsonToConvex } from "convex/values";
import type { Catalog, Table } from "./catalog.ts";
import { BUILT_IN_INDEXES, type DeclaredTable } from "./declared.ts";
import { type Document, keyOf, withoutSystemFields } from "./document.ts";
import { type SearchIndex, createSearch } from "./search.ts";
import { type ValidatorJson, validate } from "./validate.ts";

const UNDECLARED: DeclaredTable = { validator: undefined, indexes: {}, searchIndexes: {} };

/** The oldest first. */
function* documentsOf(db: DatabaseSync, { indexes }: Table): Generator<[seq: number, Document]> {
  const rows = db
    .prepare(
      "SELECT d.seq, d.value FROM entries e JOIN documents d USING (seq) WHERE index_number = ?",
    )
    .iterate(indexes.get("by_creation_time")!.number);
  for (const { seq, value } of rows)
    yield [Number(seq), jsonToConvex(JSON.parse(String(value))) as Document];
}

const checkDocuments = (
  db: DatabaseSync,
  catalog: Catalog,
  table: Table,
  validator: ValidatorJson,
): void => {
  const isIdOf = catalog.isIdOf(table.component);
  for (const [, document] of documentsOf(db, table)) {
    try {
      validate(validator, withoutSystemFields(document), isIdOf);
    } catch (cause) {
      const where = table.component === "" ? "" : ` of component ${table.component}`;
      throw new Error(
        `Document ${document["_id"] as string} in table ${table.name}${where} does not match the schema: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
};

const syncValidator = (
  db: DatabaseSync,
  catalog: Catalog,
  table: Table,
  validator: ValidatorJson | undefined,
): void => {
  const written = validator === undefined ? null : JSON.stringify(validator);
  const { validator: before } = db
    .prepare("SELECT validator FROM tables WHERE number = ?")
    .get(table.number) as { validator: string | null };
  if (written === before) return;
  if (validator) checkDocuments(db, catalog, table, validator);
  db.prepare("UPDATE tables SET validator = ? WHERE number = ?").run(written, table.number);
};

const syncIndexes = (db: DatabaseSync, table: Table, wanted: DeclaredTable["indexes"]): void => {
  for (const { number, name, fields } of table.indexes.values()) {
    if (Object.hasOwn(BUILT_IN_INDEXES, name) || isDeepStrictEqual(wanted[name], fields)) continue;
    db.prepare("DELETE FROM entries WHERE index_number = ?").run(number);
    db.prepare("DELETE FROM indexes WHERE number = ?").run(number);
  }
  const add = db.prepare("INSERT INTO indexes (table_number, name, fields) VALUES (?, ?, ?)");
  const fill = db.prepare("INSERT INTO entries (index_number, key, seq) VALUES (?, ?, ?)");
  for (const [name, fields] of Object.entries(wanted)) {
    if (isDeepStrictEqual(table.indexes.get(name)?.fields, fields)) continue;
    const number = Number(add.run(table.number, name, JSON.stringify(fields)).lastInsertRowid);
    for (const [seq, document] of documentsOf(db, table))
      fill.run(number, keyOf({ fields }, document), seq);
  }
};

const definitionOf = ({ searchField, filterFields }: SearchIndex) => ({
  searchField,
  filterFields,
});

const syncSearchIndexes = (
  db: DatabaseSync,
  table: Table,
  wanted: DeclaredTable["searchIndexes"],
): void => {
  const search = createSearch(db);
  for (const index of table.searchIndexes.values()) {
    if (isDeepStrictEqual(wanted[index.name], definitionOf(index))) continue;
    search.drop(index);
    db.prepare("DELETE FROM search_indexes WHERE number = ?").run(index.number);
  }
  const add = db.prepare(
    "INSERT INTO search_indexes (table_number, name, definition) VALUES (?, ?, ?)",
  );
  for (const [name, definition] of Object.entries(wanted)) {
    const there = table.searchIndexes.get(name);
    if (there && isDeepStrictEqual(definition, definitionOf(there))) continue;
    const { lastInsertRowid } = add.run(table.number, name, JSON.stringify(definition));
    const index: SearchIndex = { number: Number(lastInsertRowid), name, ...definition };
    search.create(index);
    for (const [seq, document] of documentsOf(db, table))
      search.update(index, seq, undefined, document);
  }
};

/**
 * Inside a transaction, with every declared table there. Tables of components that are not mounted are
 * left as they are; tables that a schema no longer names lose their indexes.
 * @param declared  by component, then by table
 * @throws {Error} where documents do not fit their table's validator, naming the first
 */
export const syncSchema = (
  db: DatabaseSync,
  catalog: Catalog,
  declared: ReadonlyMap<string, ReadonlyMap<string, DeclaredTable>>,
): void => {
  for (const table of catalog.tables()) {
    const tables = declared.get(table.component);
    if (!tables) continue;
    const wanted = tables.get(table.name) ?? UNDECLARED;
    syncValidator(db, catalog, table, wanted.validator);
    syncIndexes(db, table, wanted.indexes);
    syncSearchIndexes(db, table, wanted.searchIndexes);
  }
};
