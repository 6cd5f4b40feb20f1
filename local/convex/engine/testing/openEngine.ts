// An engine in a test's hands, over a file or in memory, whose functions are given in place.
import type { DatabaseSync } from "node:sqlite";
import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";
import { type Value, convexToJson } from "convex/values";
import { type EngineOptions, type QueryAnswer, createEngine } from "../engine.ts";
import { openDatabase } from "../format.ts";
import { type Builder, runInline, valueOf } from "./inline.ts";

// oxlint-disable-next-line no-explicit-any -- what a function's context is, its builder says
type Handler = (ctx: any) => unknown;

export interface OpenOptions extends Omit<EngineOptions, "db" | "modules"> {
  db?: DatabaseSync | undefined;
  /** Of the module `m`. */
  functions?: Record<string, unknown>;
  /** Of `crons.ts`. */
  crons?: unknown;
}

export const openEngine = ({
  db = openDatabase(),
  functions = {},
  crons,
  ...rest
}: OpenOptions) => {
  const engine = createEngine({
    db,
    modules: {
      "./m.ts": () => Promise.resolve(functions),
      ...(crons === undefined ? {} : { "./crons.ts": () => Promise.resolve({ default: crons }) }),
    },
    ...rest,
  });
  const callOf = (name: string, args: Record<string, Value>) => ({
    target: { component: "", path: `m:${name}` },
    args: convexToJson(args),
    identity: null,
  });
  const inPlace =
    (builder: Builder) =>
    async <T = Value>(handler: Handler): Promise<T> =>
      (await runInline(engine, builder, handler)) as T;
  return {
    db,
    engine,
    query: inPlace(queryGeneric),
    mutation: inPlace(mutationGeneric),
    action: inPlace(actionGeneric),
    /** Calls a function of `functions`. */
    call: async (name: string, args: Record<string, Value> = {}): Promise<Value> =>
      valueOf((await engine.mutate(callOf(name, args))).value),
    /** A query of `functions`, as a live query is run. */
    watch: (
      name: string,
      args: Record<string, Value> = {},
      journal: string | null = null,
    ): Promise<QueryAnswer> => engine.atSnapshot((read) => read(callOf(name, args), journal)),
    close(): void {
      engine.close();
      db.close();
    },
  };
};
export type OpenEngine = ReturnType<typeof openEngine>;
