// What a `schema.ts` declares, in the engine's words.
import type { GenericSchema, SchemaDefinition } from "convex/server";
import type { ValidatorJson } from "./validate.ts";

export type Schema = SchemaDefinition<GenericSchema, boolean>;

export interface DeclaredTable {
  /** Undefined where the schema is not to be checked. */
  validator: ValidatorJson | undefined;
  /** Fields by the index's name, with those that every index ends in. */
  indexes: Readonly<Record<string, readonly string[]>>;
  searchIndexes: Readonly<Record<string, DeclaredSearchIndex>>;
}

export interface DeclaredSearchIndex {
  searchField: string;
  filterFields: readonly string[];
}

interface ExportedTable {
  documentType: ValidatorJson;
  indexes: { indexDescriptor: string; fields: string[] }[];
  searchIndexes: { indexDescriptor: string; searchField: string; filterFields: string[] }[];
  vectorIndexes: unknown[];
}

/** Fields that every index ends in, so that no two documents have one key. */
const LAST_FIELDS = ["_creationTime", "_id"];
/** Indexes that every table has, whatever the schema says. */
export const BUILT_IN_INDEXES: Readonly<Record<string, readonly string[]>> = {
  by_creation_time: LAST_FIELDS,
  by_id: ["_id"],
};

/** @throws {Error} for a vector index, of which there are none here */
export const declaredTables = (schema: Schema | undefined): Map<string, DeclaredTable> => {
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
          [...fields, ...LAST_FIELDS],
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
