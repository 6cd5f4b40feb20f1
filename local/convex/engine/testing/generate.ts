// Random programs of queries and changes, in calls within calls.
import fc from "fast-check";
import type { Value } from "convex/values";
import { end, querySpec } from "./generateQueries.ts";
import {
  anyValue,
  bytes,
  documentOf,
  errorData,
  patchOf,
  rarely,
  refTo,
  TABLES,
  table,
} from "./generateValues.ts";
import type { Call, Move, Program, Ref, Step, TypedArgs, Walk } from "./program.ts";

const GOOD_ARGS: Record<string, Value> = {
  name: "ada",
  count: 3n,
  tags: ["x", null],
  extra: { flag: true },
  mode: "fast",
};
const typed: fc.Arbitrary<TypedArgs> = fc
  .record({
    changed: fc.oneof(
      fc.constantFrom<Record<string, Value>>(
        {},
        { extra: { flag: false, data: bytes(1) } },
        { mode: 7 },
        { tags: [] },
      ),
      fc.dictionary(fc.constantFrom(...Object.keys(GOOD_ARGS), "unheard"), anyValue, {
        maxKeys: 1,
        noNullPrototype: true,
      }),
    ),
    left: rarely(8, fc.constantFrom(...Object.keys(GOOD_ARGS))),
    give: fc.oneof(
      fc.constantFrom<Value>({ text: "a" }, { text: "a", at: 1n }, { text: "", at: null }),
      fc.oneof(anyValue, fc.constantFrom<Value>({ text: "a", more: 1 }, { text: "a", at: 1 })),
    ),
  })
  .map(({ changed, left, give }) => {
    const args = { ...GOOD_ARGS, ...changed };
    if (left !== null) delete args[left];
    return { args, give, writes: isGood(give) };
  });

const isGood = (give: Value): boolean => {
  if (typeof give !== "object" || give === null || !("text" in give)) return false;
  const { text, at = null, ...more } = give as Record<string, Value>;
  const isAtGood = at === null || typeof at === "bigint";
  return typeof text === "string" && isAtGood && Object.keys(more).length === 0;
};

/** Which table a call names: the right one, none, or now and then another. */
const saying = <T extends { ref: Ref }>(one: fc.Arbitrary<T>): fc.Arbitrary<T & { says: string }> =>
  fc
    .tuple(one, rarely(12, fc.constantFrom(...TABLES)))
    .map(([step, other]) => ({ ...step, says: other === null ? step.ref.table : other }));

/** Most of the time, so that programs come to something. */
const isCaught = fc.oneof(
  { weight: 1, arbitrary: fc.constant(false) },
  { weight: 3, arbitrary: fc.constant(true) },
);
const tallyKey = fc.constantFrom("x", "y");

const { reads, steps } = fc.letrec<{ read: Step; step: Step; reads: Step[]; steps: Step[] }>(
  (tie) => {
    const calls = (how: fc.Arbitrary<Call["how"]>): fc.Arbitrary<Call> =>
      how.chain((one) =>
        fc.record({
          how: fc.constant(one),
          steps: one === "mutation" ? tie("steps") : tie("reads"),
        }),
      );
    const readOnly = calls(fc.constant("query" as const));
    const anyCall = calls(
      fc.constantFrom<Call["how"]>("mutation", "mutation", "mutation", "query", "staleQuery"),
    );
    const step = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Step> =>
      fc
        .tuple(arbitrary, isCaught)
        .map(([action, caught]) => ({ ...action, isCaught: caught }) as unknown as Step);
    const looks: fc.WeightedArbitrary<Step>[] = [
      {
        weight: 9,
        arbitrary: step(fc.record({ kind: fc.constant("query"), query: querySpec, end })),
      },
      {
        weight: 2,
        arbitrary: step(saying(fc.record({ kind: fc.constant("get"), ref: refTo(table) }))),
      },
      {
        weight: 1,
        arbitrary: step(
          fc.record({
            kind: fc.constant("normalizeId"),
            table: fc.constantFrom(...TABLES.filter((one) => one !== "undeclared")),
            ref: refTo(table),
          }),
        ),
      },
      { weight: 1, arbitrary: step(fc.record({ kind: fc.constant("count"), table })) },
      {
        weight: 1,
        arbitrary: step(
          fc.record({
            kind: fc.constant("page"),
            query: querySpec,
            numItems: fc.integer({ min: 1, max: 4 }),
          }),
        ),
      },
      { weight: 1, arbitrary: step(fc.record({ kind: fc.constant("whoAmI") })) },
      { weight: 1, arbitrary: step(fc.record({ kind: fc.constant("tallied"), key: tallyKey })) },
      {
        weight: 1,
        arbitrary: step(fc.record({ kind: fc.constant("throw"), data: rarely(2, errorData) })),
      },
    ];
    const inTable = <T>(of: (tableName: string) => fc.Arbitrary<T>): fc.Arbitrary<T> =>
      table.chain(of);
    const inserts = step(
      inTable((one) =>
        fc.record({
          kind: fc.constant("insert"),
          table: fc.constant(one),
          fields: documentOf(one),
        }),
      ),
    );
    const changes = (kind: "patch" | "replace"): fc.Arbitrary<Step> =>
      step(
        inTable((one) =>
          saying(
            fc.record({
              kind: fc.constant(kind),
              ref: refTo(fc.constant(one)),
              fields: kind === "patch" ? patchOf(one) : documentOf(one),
            }),
          ),
        ),
      );
    const writes: fc.WeightedArbitrary<Step>[] = [
      { weight: 12, arbitrary: inserts },
      { weight: 6, arbitrary: changes("patch") },
      { weight: 3, arbitrary: changes("replace") },
      {
        weight: 4,
        arbitrary: step(saying(fc.record({ kind: fc.constant("delete"), ref: refTo(table) }))),
      },
      {
        weight: 1,
        arbitrary: step(
          fc.record({
            kind: fc.constant("insertMany"),
            count: fc.constantFrom(5, 20, 70),
            ranks: fc.array(anyValue, { minLength: 1, maxLength: 4 }),
          }),
        ),
      },
      { weight: 1, arbitrary: step(fc.record({ kind: fc.constant("typed"), typed })) },
      {
        weight: 2,
        arbitrary: step(
          fc.record({
            kind: fc.constant("tally"),
            name: fc.constantFrom("add", "addSafely", "addBoth", "later"),
            key: tallyKey,
            by: fc.integer({ min: -2, max: 3 }),
          }),
        ),
      },
      {
        weight: 2,
        arbitrary: step(
          fc.record({
            kind: fc.constant("schedule"),
            afterMs: fc.constantFrom(0, 5, 40, 1000),
            steps: tie("steps"),
          }),
        ),
      },
      {
        weight: 1,
        arbitrary: step(fc.record({ kind: fc.constant("cancel"), at: fc.nat(5) })),
      },
    ];
    const nesting: fc.WeightedArbitrary<Step>[] = [
      { weight: 5, arbitrary: step(fc.record({ kind: fc.constant("call"), call: anyCall })) },
      {
        weight: 3,
        arbitrary: step(
          fc.record({
            kind: fc.constant("together"),
            calls: fc.array(anyCall, { minLength: 1, maxLength: 3 }),
          }),
        ),
      },
      {
        weight: 1,
        arbitrary: step(
          fc.record({ kind: fc.constant("callBack"), steps: tie("steps"), fails: fc.boolean() }),
        ),
      },
    ];
    return {
      read: fc.oneof({ maxDepth: 3 }, ...looks, {
        weight: 1,
        arbitrary: step(fc.record({ kind: fc.constant("call"), call: readOnly })),
      }),
      step: fc.oneof({ maxDepth: 3 }, ...writes, ...looks, ...nesting),
      reads: fc.array(tie("read"), { maxLength: 3 }),
      steps: fc.array(tie("step"), { maxLength: 6 }),
    };
  },
);

const as = rarely(2, fc.constantFrom("ada", "bob"));
const walk: fc.Arbitrary<Walk> = fc.record({
  query: querySpec,
  numItems: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
  maximumRowsRead: rarely(4, fc.integer({ min: 1, max: 6 })),
  between: fc.array(steps, { maxLength: 2 }),
});

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("mutation" as const), steps, as }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("query" as const), steps: reads, as }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("action" as const),
      calls: fc.array(
        fc.record({
          call: fc.oneof(
            fc.record({ how: fc.constant("mutation" as const), steps }),
            fc.record({ how: fc.constant("query" as const), steps: reads }),
          ),
          isCaught,
        }),
        { minLength: 1, maxLength: 3 },
      ),
      together: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("typed" as const), typed }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("walk" as const), walk }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(0, 1, 10, 50, 2000),
    }),
  },
);

export const program: fc.Arbitrary<Program> = fc.array(move, { minLength: 1, maxLength: 10 });
