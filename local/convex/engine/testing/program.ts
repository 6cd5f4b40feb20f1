// What a program is made of: plain values, so that a whole one is written down where two runtimes
// differ, and goes to a function as its arguments.
import type { Value } from "convex/values";

/** Ids of the documents made so far, by table; those that are gone too. */
export type Ids = Record<string, string[]>;

/** One of a table's ids, counted round; where there is none yet, a text that is no id. */
export interface Ref {
  table: string;
  at: number;
}

/** Where a step has a value: itself, a document's id or creation time, or nothing. */
export type Operand =
  | { kind: "value"; value: Value }
  | { kind: "id"; ref: Ref }
  | { kind: "createdAt"; ref: Ref }
  | { kind: "missing" };

export type Fields = Record<string, Operand>;

export const BOUNDS = ["eq", "gt", "gte", "lt", "lte"] as const;
export type Bound = (typeof BOUNDS)[number];

export type Filter =
  | { kind: "eq" | "neq"; field: string; operand: Operand }
  /** Of fields that hold one kind of value: see `DIFFERENCES`. */
  | {
      kind: "order";
      op: "gt" | "gte" | "lt" | "lte";
      field: "size" | "name";
      value: number | string;
    }
  | { kind: "remainder"; divisor: number; of: number }
  | { kind: "and" | "or"; filters: Filter[] }
  | { kind: "not"; filter: Filter };

export interface QuerySpec {
  table: string;
  /** Null for a scan of the table. */
  index: string | null;
  range: { op: Bound; field: string; operand: Operand }[];
  order: "asc" | "desc" | null;
  filter: Filter | null;
}

export interface Call {
  /** A `staleQuery` sees what was there before the mutation that asks. */
  how: "query" | "staleQuery" | "mutation";
  steps: Step[];
}

export interface TypedArgs {
  args: Record<string, Value>;
  /** What the function shall return. */
  give: Value;
  /** Never where `give` is of the wrong type: see `DIFFERENCES`. */
  writes: boolean;
}

export type Step = {
  /** Where it fails: whether the function goes on. */
  isCaught: boolean;
} & Action;

type Action =
  | { kind: "insert"; table: string; fields: Fields }
  | { kind: "insertMany"; count: number; ranks: Value[] }
  /** `says`: the table that the call names, or null for the call without. */
  | { kind: "patch" | "replace"; ref: Ref; says: string | null; fields: Fields }
  | { kind: "delete" | "get"; ref: Ref; says: string | null }
  | { kind: "normalizeId"; table: string; ref: Ref }
  | { kind: "query"; query: QuerySpec; end: "collect" | "first" | "unique" | number }
  | { kind: "count"; table: string }
  | { kind: "page"; query: QuerySpec; numItems: number }
  | { kind: "call"; call: Call }
  | { kind: "together"; calls: Call[] }
  | { kind: "typed"; typed: TypedArgs }
  | { kind: "tally"; name: "add" | "addSafely" | "addBoth" | "later"; key: string; by: number }
  | { kind: "tallied"; key: string }
  | { kind: "callBack"; steps: Step[]; fails: boolean }
  | { kind: "schedule"; afterMs: number; steps: Step[] }
  | { kind: "cancel"; at: number }
  | { kind: "whoAmI" }
  | { kind: "throw"; data: Value | null };

/** What a test does from outside. */
export type Move =
  | { kind: "mutation" | "query"; steps: Step[]; as: string | null }
  | { kind: "action"; calls: { call: Call; isCaught: boolean }[]; together: boolean }
  | { kind: "typed"; typed: TypedArgs }
  | { kind: "walk"; walk: Walk }
  | { kind: "wait"; ms: number };

/** A list read page by page to its end, with writes in between, then once more by where pages ended. */
export interface Walk {
  query: QuerySpec;
  numItems: number[];
  maximumRowsRead: number | null;
  between: Step[][];
}

export type Program = Move[];
