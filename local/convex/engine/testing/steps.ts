// Functions that do what a program says, on whatever runtime they are called.
import {
  actionGeneric,
  componentsGeneric,
  createFunctionHandle,
  makeFunctionReference,
  mutationGeneric,
  paginationOptsValidator,
  queryGeneric,
} from "convex/server";
import type { AnyDataModel, GenericMutationCtx, GenericQueryCtx } from "convex/server";
import { ConvexError, type Value, v } from "convex/values";
import type { Call, Fields, Filter, Ids, Operand, QuerySpec, Ref, Step } from "./program.ts";

type MutationCtx = GenericMutationCtx<AnyDataModel>;
type Ctx = GenericQueryCtx<AnyDataModel> & Partial<MutationCtx>;
// oxlint-disable-next-line no-explicit-any -- fields and indexes come from the program
type Loose = any;

interface Answer {
  /** Ids of the documents it made. */
  made: Ids;
  results: Value[];
}

const { tally } = componentsGeneric() as Loose;
export const change = makeFunctionReference<"mutation", Record<string, Value>, Answer>("steps:run");
export const look = makeFunctionReference<"query", Record<string, Value>, Answer>("steps:read");
const typedReference = makeFunctionReference<"mutation", Record<string, Value>>("steps:typed");

const NO_ID = "nothing";
const idOf = (ids: Ids, { table, at }: Ref): string => {
  const known = ids[table] ?? [];
  return known[at % known.length] ?? NO_ID;
};

const together = (...all: Ids[]): Ids => {
  const joined: Ids = {};
  for (const ids of all)
    for (const [table, list] of Object.entries(ids))
      joined[table] = [...(joined[table] ?? []), ...list];
  return joined;
};

const operandOf = async (ctx: Ctx, ids: Ids, operand: Operand): Promise<Value | undefined> => {
  switch (operand.kind) {
    case "value":
      return operand.value;
    case "id":
      return idOf(ids, operand.ref);
    case "createdAt": {
      const id = idOf(ids, operand.ref);
      if (id === NO_ID) return 0;
      return ((await ctx.db.get(id as Loose))?.["_creationTime"] as number | undefined) ?? 0;
    }
    case "missing":
      return undefined;
  }
};

const fieldsOf = async (ctx: Ctx, ids: Ids, fields: Fields): Promise<Loose> => {
  const values: Record<string, Value | undefined> = {};
  for (const [name, operand] of Object.entries(fields))
    values[name] = await operandOf(ctx, ids, operand);
  return values;
};

const filterOf = async (ctx: Ctx, ids: Ids, filter: Filter): Promise<(q: Loose) => Loose> => {
  switch (filter.kind) {
    case "eq":
    case "neq": {
      const value = await operandOf(ctx, ids, filter.operand);
      return (q) => q[filter.kind](q.field(filter.field), value);
    }
    case "order":
      return (q) => q[filter.op](q.field(filter.field), filter.value);
    case "remainder":
      return (q) => q.eq(q.mod(q.field("size"), filter.divisor), filter.of);
    case "and":
    case "or": {
      const parts: ((q: Loose) => Loose)[] = [];
      for (const one of filter.filters) parts.push(await filterOf(ctx, ids, one));
      return (q) => q[filter.kind](...parts.map((part) => part(q)));
    }
    case "not": {
      const part = await filterOf(ctx, ids, filter.filter);
      return (q) => q.not(part(q));
    }
  }
};

const queryOf = async (ctx: Ctx, ids: Ids, spec: QuerySpec): Promise<Loose> => {
  const { table, index, range, order, filter } = spec;
  const bounds: { op: string; field: string; value: Value | undefined }[] = [];
  for (const { op, field, operand } of range)
    bounds.push({ op, field, value: await operandOf(ctx, ids, operand) });
  const passes = filter && (await filterOf(ctx, ids, filter));
  let query = ctx.db.query(table) as Loose;
  if (index !== null)
    query = query.withIndex(index, (q: Loose) =>
      bounds.reduce((built, { op, field, value }) => built[op](field, value), q),
    );
  if (order !== null) query = query.order(order);
  if (passes) query = query.filter(passes);
  return query;
};

/** A call with the table's name where `says` has one. */
const named = (says: string | null, ...args: unknown[]): [Loose, Loose, Loose] =>
  (says === null ? args : [says, ...args]) as [Loose, Loose, Loose];

const callOf = async (ctx: Ctx, ids: Ids, { how, steps }: Call): Promise<Answer> => {
  const args = { ids, steps } as unknown as Record<string, Value>;
  if (how === "mutation") return await ctx.runMutation!(change, args);
  const options = how === "staleQuery" ? { useStaleSnapshot: true } : {};
  return await (ctx.runQuery as Loose)(look, args, options);
};

/** An error as it is compared: that there is one, and the data of a `ConvexError`. */
export const failureOf = (error: unknown): Value => ({
  failed: error instanceof ConvexError ? { data: error.data as Value } : true,
});

const act = async (ctx: Ctx, ids: Ids, step: Step): Promise<Answer> => {
  const done = (result: Value | undefined, made: Ids = {}): Answer => ({
    made,
    results: [result ?? null],
  });
  const writer = ctx.db as MutationCtx["db"];
  switch (step.kind) {
    case "insert": {
      const id = await writer.insert(step.table, await fieldsOf(ctx, ids, step.fields));
      return done(null, { [step.table]: [id] });
    }
    case "insertMany": {
      const made: string[] = [];
      for (let i = 0; i < step.count; i++) {
        const name = `many ${i % 3}`;
        const rank = step.ranks[i % step.ranks.length];
        made.push(await writer.insert("items", { name, size: i % 5, rank }));
      }
      return done(null, { items: made });
    }
    case "patch":
    case "replace":
      await (writer[step.kind] as Loose)(
        ...named(step.says, idOf(ids, step.ref), await fieldsOf(ctx, ids, step.fields)),
      );
      return done(null);
    case "delete":
      await (writer.delete as Loose)(...named(step.says, idOf(ids, step.ref)));
      return done(null);
    case "get":
      return done(await (ctx.db.get as Loose)(...named(step.says, idOf(ids, step.ref))));
    case "normalizeId":
      return done(ctx.db.normalizeId(step.table, idOf(ids, step.ref)));
    case "query": {
      const query = await queryOf(ctx, ids, step.query);
      return done(await (typeof step.end === "number" ? query.take(step.end) : query[step.end]()));
    }
    case "count":
      return done(await (ctx.db.query(step.table) as Loose).count());
    case "page": {
      const query = await queryOf(ctx, ids, step.query);
      const { page, isDone } = await query.paginate({ cursor: null, numItems: step.numItems });
      return done({ page, isDone });
    }
    case "call": {
      const { made, results } = await callOf(ctx, ids, step.call);
      return done(results, made);
    }
    case "together": {
      // All are waited for also where one fails: what goes on after its caller is over is lost.
      const settled = await Promise.allSettled(step.calls.map((call) => callOf(ctx, ids, call)));
      const failed = settled.find((one) => one.status === "rejected");
      if (failed && !step.isCaught) throw failed.reason;
      const made = settled.map((one) => (one.status === "fulfilled" ? one.value.made : {}));
      return done(
        settled.map((one) =>
          one.status === "fulfilled" ? one.value.results : failureOf(one.reason),
        ),
        together(...made),
      );
    }
    case "typed":
      return done(await ctx.runMutation!(typedReference, step.typed as Loose));
    case "tally":
      return done(await ctx.runMutation!(tally.tally[step.name], { key: step.key, by: step.by }));
    case "tallied":
      return done(await ctx.runQuery(tally.tally.get, { key: step.key }));
    case "callBack": {
      const handle = await createFunctionHandle(change);
      const args = { handle, args: { ids, steps: step.steps }, fails: step.fails };
      const { made, results } = await ctx.runMutation!(tally.tally.callBack, args);
      return done(results, made);
    }
    case "schedule": {
      // It cancels none of those that may be due at the same time: which comes first is open.
      const args = { ids: { ...ids, [JOBS]: [] }, steps: step.steps };
      const id = await ctx.scheduler!.runAfter(step.afterMs, change, args as Loose);
      return done(null, { [JOBS]: [id] });
    }
    case "cancel": {
      const id = idOf(ids, { table: JOBS, at: step.at });
      const job = id === NO_ID ? null : await (ctx.db.system.get as Loose)(id);
      if (job?.state.kind !== "pending") return done(false);
      await ctx.scheduler!.cancel(id as Loose);
      return done(true);
    }
    case "whoAmI":
      return done(await ctx.auth.getUserIdentity());
    case "throw":
      throw step.data === null ? new Error("as it was told") : new ConvexError(step.data);
  }
};

/** Under which scheduled functions are known among the ids. */
export const JOBS = "_scheduled_functions";

const take = async (ctx: Ctx, ids: Ids, steps: Step[]): Promise<Answer> => {
  let known = ids;
  let made: Ids = {};
  const results: Value[] = [];
  for (const step of steps) {
    try {
      const answer = await act(ctx, known, step);
      made = together(made, answer.made);
      known = together(known, answer.made);
      results.push(...answer.results);
    } catch (error) {
      if (!step.isCaught) throw error;
      results.push(failureOf(error));
    }
  }
  return { made, results };
};

const program = { ids: v.record(v.string(), v.array(v.string())), steps: v.any() };

export const run = mutationGeneric({
  args: program,
  handler: (ctx, { ids, steps }) => take(ctx as Ctx, ids, steps as Step[]),
});

export const read = queryGeneric({
  args: program,
  handler: (ctx, { ids, steps }) => take(ctx as Ctx, ids, steps as Step[]),
});

/** Calls one after another or at once, each a transaction of its own. */
export const runAction = actionGeneric({
  args: { ids: program.ids, calls: v.any(), together: v.boolean() },
  handler: async (ctx, { ids, calls, together: atOnce }): Promise<Answer> => {
    const all = calls as { call: Call; isCaught: boolean }[];
    const settle = async (
      { call, isCaught }: (typeof all)[number],
      known: Ids,
    ): Promise<Answer> => {
      try {
        return await callOf(ctx as unknown as Ctx, known, call);
      } catch (error) {
        if (!isCaught) throw error;
        return { made: {}, results: [failureOf(error)] };
      }
    };
    const answers: Answer[] = [];
    if (atOnce) {
      const settled = await Promise.allSettled(all.map((one) => settle(one, ids)));
      for (const one of settled) {
        if (one.status === "rejected") throw one.reason;
        answers.push(one.value);
      }
    } else {
      for (const one of all)
        answers.push(await settle(one, together(ids, ...answers.map(({ made }) => made))));
    }
    return {
      made: together(...answers.map(({ made }) => made)),
      results: answers.map(({ results }) => results),
    };
  },
});

/** A query in which documents' creation times are numbers: one whose cursors stay good, whatever is deleted. */
export const settled = queryGeneric({
  args: { ids: program.ids, query: v.any() },
  handler: async (ctx, { ids, query }) => {
    const settle = async (part: Value): Promise<Value> => {
      if (Array.isArray(part)) return await Promise.all(part.map(settle));
      if (typeof part !== "object" || part === null || part instanceof ArrayBuffer) return part;
      if ((part as Loose).kind === "createdAt")
        return { kind: "value", value: await operandOf(ctx as Ctx, ids, part as Loose) };
      const entries = Object.entries(part).map(async ([name, one]) => [name, await settle(one)]);
      return Object.fromEntries(await Promise.all(entries)) as Value;
    };
    return await settle(query as Value);
  },
});

export const page = queryGeneric({
  args: { ids: program.ids, query: v.any(), paginationOpts: paginationOptsValidator },
  handler: async (ctx, { ids, query, paginationOpts }) =>
    await (await queryOf(ctx as Ctx, ids, query as QuerySpec)).paginate(paginationOpts),
});

/** Checks what goes in and what comes out. */
export const typed = mutationGeneric({
  args: {
    args: v.object({
      name: v.string(),
      count: v.int64(),
      tags: v.array(v.union(v.string(), v.null())),
      extra: v.optional(v.object({ flag: v.boolean(), data: v.optional(v.bytes()) })),
      mode: v.union(v.literal("fast"), v.literal(7), v.literal(true)),
    }),
    give: v.any(),
    writes: v.boolean(),
  },
  returns: v.object({ text: v.string(), at: v.optional(v.union(v.int64(), v.null())) }),
  handler: async (ctx, { args, give, writes }) => {
    if (writes) await ctx.db.insert("people", { name: args.name });
    return give;
  },
});
