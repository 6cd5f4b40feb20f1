// The system calls that read and write documents.
import { type JSONValue, jsonToConvex } from "convex/values";
import type { Catalog } from "./catalog.ts";
import { type Document, isObject, jsonToField } from "./document.ts";
import type { Execution } from "./execution.ts";
import { type PageRequest, pageQuery } from "./pages.ts";
import { type QueryContext, type SerializedQuery, streamQuery } from "./query.ts";
import type { Search } from "./search.ts";
import { readSnapshot } from "./snapshot.ts";
import { type Reader, type Store, type StoredDocument, rangeOfId } from "./store.ts";
import {
  type Arguments,
  OK,
  type SyscallTable,
  textOf,
  transactionOf,
  writableOf,
} from "./syscallTable.ts";
import type { Transaction } from "./transaction.ts";

export interface DatabaseDeps {
  search: Search;
  catalog: Catalog;
  store: Store;
}

const documentOf = (value: JSONValue): Document => {
  const document = jsonToConvex(value);
  if (!isObject(document)) throw new Error("A document is an object.");
  return document;
};

/** @throws {Error} for what is no id of this component, or of another table than is said */
export const checkedId = (
  catalog: Catalog,
  { component }: Execution,
  id: JSONValue | undefined,
  table?: JSONValue,
): string => {
  if (typeof id !== "string") throw new Error("An ID is a string.");
  const found = catalog.tableOfId(id);
  if (!found || found.component !== component) throw new Error(`"${id}" is not an ID.`);
  if (typeof table === "string" && found.name !== table)
    throw new Error(`"${id}" is an ID of table "${found.name}", not of "${table}".`);
  return id;
};

/** @throws {Error} for a table of Convex's own, which functions only read */
const mustBeOwn = (name: string): void => {
  if (name.startsWith("_")) throw new Error(`The system table "${name}" cannot be written to.`);
};

export const databaseSyscalls = ({ search, catalog, store }: DatabaseDeps): SyscallTable => {
  let streams = 0;

  const readerOf = ({ readsSnapshot }: Execution, transaction: Transaction): Reader =>
    readsSnapshot ? readSnapshot(store, transaction) : store;

  const contextOf = (execution: Execution, op: string): QueryContext => {
    const transaction = transactionOf(execution, op);
    return {
      search,
      catalog,
      store: readerOf(execution, transaction),
      component: execution.component,
      usage: transaction.usage,
      onRead: (range) => transaction.reads.push(range),
    };
  };

  const read = (
    execution: Execution,
    transaction: Transaction,
    id: string,
  ): StoredDocument | undefined => {
    transaction.usage.add("databaseQueries", 1);
    const range = rangeOfId(catalog, id);
    if (range) transaction.reads.push(range);
    const found = readerOf(execution, transaction).get(id);
    if (found) {
      transaction.usage.add("documentsRead", 1);
      transaction.usage.add("bytesRead", found.sizeBytes);
    }
    return found;
  };

  const wrote = ({ usage }: Transaction, sizeBytes: number): void => {
    usage.add("documentsWritten", 1);
    usage.add("bytesWritten", sizeBytes);
  };

  /** The document that is to be changed. */
  const existing = (
    execution: Execution,
    transaction: Transaction,
    args: Arguments,
    what: string,
  ): { id: string; found: StoredDocument } => {
    const id = checkedId(catalog, execution, args["id"], args["table"]);
    mustBeOwn(catalog.tableOfId(id)!.name);
    const found = read(execution, transaction, id);
    if (!found) throw new Error(`${what} on nonexistent document ID "${id}".`);
    return { id, found };
  };

  return {
    sync: {
      "1.0/queryStream": (execution, args) => {
        const query = args["query"] as unknown as SerializedQuery;
        const queryId = (streams += 1);
        execution.streams.set(queryId, streamQuery(query, contextOf(execution, "db.query")));
        return JSON.stringify({ queryId });
      },
      "1.0/queryCleanup": (execution, args) => {
        execution.streams.get(Number(args["queryId"]))?.return?.();
        execution.streams.delete(Number(args["queryId"]));
        return OK;
      },
      "1.0/db/normalizeId": (execution, args) => {
        const id = textOf(args, "idString");
        const isOne = catalog.isIdOf(execution.component)(textOf(args, "table"), id);
        return JSON.stringify({ id: isOne ? id : null });
      },
    },
    async: {
      "1.0/get": (execution, args) => {
        const transaction = transactionOf(execution, "db.get");
        return (
          read(execution, transaction, checkedId(catalog, execution, args["id"], args["table"]))
            ?.json ?? "null"
        );
      },
      "1.0/queryStreamNext": (execution, args) => {
        const stream = execution.streams.get(Number(args["queryId"]));
        if (!stream) throw new Error("The query is closed.");
        const next = stream.next();
        return next.done === true
          ? '{"value":null,"done":true}'
          : `{"value":${next.value},"done":false}`;
      },
      "1.0/queryPage": (execution, args) => {
        execution.paginated += 1;
        if (execution.paginated > 1)
          throw new Error("A function runs one paginated query at most, as Convex allows no more.");
        const request = args as unknown as PageRequest;
        const { journal } = execution;
        const endCursor = request.endCursor ?? journal.given;
        const made = pageQuery({ ...request, endCursor }, contextOf(execution, "db.query"));
        journal.made = made.continueCursor;
        const { page, ...rest } = made;
        return `{"page":[${page.join(",")}],${JSON.stringify(rest).slice(1)}`;
      },
      "1.0/count": (execution, args) => {
        const transaction = transactionOf(execution, "db.count");
        const { usage, reads } = transaction;
        const table = catalog.table(execution.component, textOf(args, "table"));
        usage.add("databaseQueries", 1);
        const index = table.indexes.get("by_creation_time")!;
        reads.push({ index: index.number, from: Buffer.alloc(0), to: undefined });
        return JSON.stringify(readerOf(execution, transaction).count(table));
      },
      "1.0/insert": (execution, args) => {
        const transaction = writableOf(execution, "db.insert");
        const table = catalog.table(execution.component, textOf(args, "table"));
        mustBeOwn(table.name);
        const document = documentOf(args["value"] ?? null);
        const { id, sizeBytes } = store.insert(table, document, transaction);
        wrote(transaction, sizeBytes);
        return JSON.stringify({ _id: id });
      },
      "1.0/shallowMerge": (execution, args) => {
        const transaction = writableOf(execution, "db.patch");
        const { id, found } = existing(execution, transaction, args, "Update");
        const merged = documentOf(JSON.parse(found.json) as JSONValue);
        for (const [name, change] of Object.entries(args["value"] as Arguments)) {
          const value = jsonToField(change);
          if (value === undefined) delete merged[name];
          else merged[name] = value;
        }
        wrote(transaction, store.put(id, merged, transaction));
        return OK;
      },
      "1.0/replace": (execution, args) => {
        const transaction = writableOf(execution, "db.replace");
        const { id } = existing(execution, transaction, args, "Replace");
        const document = documentOf(args["value"] ?? null);
        wrote(transaction, store.put(id, document, transaction));
        return OK;
      },
      "1.0/remove": (execution, args) => {
        const transaction = writableOf(execution, "db.delete");
        const { id } = existing(execution, transaction, args, "Delete");
        store.remove(id, transaction);
        wrote(transaction, 0);
        return OK;
      },
    },
  };
};
