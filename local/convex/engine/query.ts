// A query as the builders write it down: where documents come from, in which order, and what is done
// with them. It is read entry by entry, so that what was not looked at is not depended on either.
import { type JSONValue, jsonToConvex } from "convex/values";
import type { Catalog, Index, Table } from "./catalog.ts";
import { type Document, jsonToField } from "./document.ts";
import { matches } from "./filter.ts";
import { afterKey, afterPrefix, encodeKey } from "./keys.ts";
import type { Search, SearchFilter } from "./search.ts";
import { type Entry, type Range, type Reader, type StoredDocument, searchNumber } from "./store.ts";
import type { Usage } from "./usage.ts";

type Order = "asc" | "desc";

interface RangeExpression {
  type: "Eq" | "Gt" | "Gte" | "Lt" | "Lte";
  fieldPath: string;
  value: JSONValue;
}

export interface SerializedQuery {
  source:
    | { type: "FullTableScan"; tableName: string; order: Order | null }
    | {
        type: "IndexRange";
        indexName: string;
        range: readonly RangeExpression[];
        order: Order | null;
      }
    | { type: "Search"; indexName: string; filters: readonly SearchFilter[] };
  operators: readonly ({ filter: JSONValue } | { limit: number })[];
}

/** Where a query runs, and who hears of what it read. */
export interface QueryContext {
  search: Search;
  catalog: Catalog;
  store: Reader;
  component: string;
  usage: Usage;
  onRead(range: Range): void;
}

/** Entries read at a time. */
export const BATCH = 64;
const START = Buffer.alloc(0);

export interface Source {
  /** Entries after (in order) the given key, at most `limit`. */
  read(after: Buffer | undefined, limit: number): Entry[];
  /** Says that all was read from after one key to another; from the start, or to the end, without. */
  depend(after: Buffer | undefined, upTo: Buffer | undefined): void;
  isAfter(key: Buffer, other: Buffer): boolean;
  /** Whether this may be the key of an entry here. */
  isKey(key: Buffer): boolean;
}

const tableAndIndex = (indexName: string): [string, string] => {
  const dot = indexName.indexOf(".");
  return [indexName.slice(0, dot), indexName.slice(dot + 1)];
};

const indexOf = (table: Table, name: string): Index => {
  const index = table.indexes.get(name);
  if (index) return index;
  throw new Error(
    `Cannot use index "${name}" for table "${table.name}" because it is not declared in the schema.`,
  );
};

/**
 * Fields in the order of the index: any number of `eq`, then at most one lower and one upper bound of
 * the next field.
 */
const rangeOf = (index: Index, expressions: readonly RangeExpression[]): Range => {
  const wrong = (why: string): never => {
    throw new Error(`The range of index "${index.name}" is wrong: ${why}`);
  };
  let fixed = 0;
  while (expressions[fixed]?.type === "Eq") fixed += 1;
  const bounds = expressions.slice(fixed);
  for (const [place, { fieldPath }] of expressions.entries()) {
    const expected = index.fields[Math.min(place, fixed)];
    if (fieldPath !== expected)
      wrong(`expected the field "${expected ?? "none"}", got "${fieldPath}".`);
  }
  const lower = bounds.filter(({ type }) => type === "Gt" || type === "Gte");
  const upper = bounds.filter(({ type }) => type === "Lt" || type === "Lte");
  if (lower.length > 1 || upper.length > 1 || lower.length + upper.length < bounds.length)
    wrong("one lower and one upper bound may follow what is equal.");
  const values = expressions.map(({ value }) => jsonToField(value));
  const prefix = encodeKey(values.slice(0, fixed));
  const keyTo = ({ value }: RangeExpression): Buffer =>
    Buffer.concat([prefix, encodeKey([jsonToField(value)])]);
  const [low] = lower;
  const [high] = upper;
  const beyond = (key: Buffer): Buffer => afterPrefix(key) ?? wrong("it is too far.");
  let from = prefix;
  if (low) from = low.type === "Gte" ? keyTo(low) : beyond(keyTo(low));
  let to = afterPrefix(prefix);
  if (high) to = high.type === "Lt" ? keyTo(high) : beyond(keyTo(high));
  return { index: index.number, from, to };
};

const indexSource = (range: Range, order: Order, { store, onRead }: QueryContext): Source => {
  const isEmpty = range.to !== undefined && Buffer.compare(range.from, range.to) >= 0;
  const rest = (after: Buffer | undefined): Range => {
    if (after === undefined) return range;
    if (order === "asc") {
      const from = afterKey(after);
      return { ...range, from: Buffer.compare(from, range.from) > 0 ? from : range.from };
    }
    const isBefore = range.to === undefined || Buffer.compare(after, range.to) < 0;
    return { ...range, to: isBefore ? after : range.to };
  };
  return {
    read: (after, limit) => (isEmpty ? [] : store.scan(rest(after), order, limit)),
    depend(after, upTo) {
      if (isEmpty) return;
      const read = rest(after);
      if (upTo === undefined) onRead(read);
      else onRead(order === "asc" ? { ...read, to: afterKey(upTo) } : { ...read, from: upTo });
    },
    isAfter: (key, other) =>
      order === "asc" ? Buffer.compare(key, other) > 0 : Buffer.compare(key, other) < 0,
    isKey: (key) => key.length > 0,
  };
};

const PLACE_BYTES = 4;
/** Results of a search have no keys; their places stand for them. */
const searchSource = (
  indexName: string,
  filters: readonly SearchFilter[],
  { search, catalog, store, component, onRead }: QueryContext,
): Source => {
  const [tableName, name] = tableAndIndex(indexName);
  const index = catalog.table(component, tableName).searchIndexes.get(name);
  if (!index)
    throw new Error(`There is no search index "${name}" on table "${tableName}" in the schema.`);
  let found: number[] | undefined;
  const placeOf = (key: Buffer): number => key.readUInt32BE(0);
  return {
    read(after, limit) {
      found ??= search.find(index, filters);
      const start = after === undefined ? 0 : placeOf(after) + 1;
      return found.slice(start, start + limit).flatMap((seq, i) => {
        const key = Buffer.alloc(PLACE_BYTES);
        key.writeUInt32BE(start + i, 0);
        const document = store.bySeq(seq);
        return document ? [{ ...document, key }] : [];
      });
    },
    depend: () => onRead({ index: searchNumber(index), from: START, to: undefined }),
    isAfter: (key, other) => placeOf(key) > placeOf(other),
    isKey: (key) => key.length === PLACE_BYTES,
  };
};

export const sourceOf = (query: SerializedQuery, context: QueryContext): Source => {
  const { source } = query;
  const { catalog, component } = context;
  switch (source.type) {
    case "FullTableScan": {
      const index = indexOf(catalog.table(component, source.tableName), "by_creation_time");
      return indexSource(rangeOf(index, []), source.order ?? "asc", context);
    }
    case "IndexRange": {
      const [tableName, name] = tableAndIndex(source.indexName);
      const index = indexOf(catalog.table(component, tableName), name);
      return indexSource(rangeOf(index, source.range), source.order ?? "asc", context);
    }
    case "Search":
      return searchSource(source.indexName, source.filters, context);
  }
};

export const filtersOf = ({ operators }: SerializedQuery): JSONValue[] =>
  operators.flatMap((operator) => ("filter" in operator ? [operator.filter] : []));

export const passes = (
  filters: readonly JSONValue[],
  { json }: Pick<StoredDocument, "json">,
): boolean => filters.length === 0 || matches(filters, jsonToConvex(JSON.parse(json)) as Document);

/**
 * The documents of a query, as JSON, read as they are asked for. What was read is told at the end, also
 * where that comes early.
 */
export function* streamQuery(query: SerializedQuery, context: QueryContext): Generator<string> {
  const { usage } = context;
  const source = sourceOf(query, context);
  const filters = filtersOf(query);
  const limits = query.operators.flatMap((operator) =>
    "limit" in operator ? [operator.limit] : [],
  );
  const limit = Math.min(...limits, Infinity);
  usage.add("databaseQueries", 1);
  let last: Buffer | undefined;
  let isExhausted = false;
  let given = 0;
  try {
    while (given < limit) {
      // A first look is small: most queries want one document, or few.
      const size = last === undefined ? Math.min(BATCH, limit) : BATCH;
      const batch = source.read(last, size);
      for (const entry of batch) {
        last = entry.key;
        usage.add("documentsRead", 1);
        usage.add("bytesRead", entry.sizeBytes);
        if (!passes(filters, entry)) continue;
        given += 1;
        yield entry.json;
        if (given >= limit) return;
      }
      if (batch.length < size) {
        isExhausted = true;
        return;
      }
    }
  } finally {
    if (isExhausted || last !== undefined) source.depend(undefined, isExhausted ? undefined : last);
  }
}
