// Functions that a test writes in its own place, run by the engine as if they were the app's.
import {
  type UserIdentity,
  type actionGeneric,
  type mutationGeneric,
  type queryGeneric,
} from "convex/server";
import { type JSONValue, type Value, jsonToConvex } from "convex/values";
import type { Registered } from "../../registered.ts";
import type { Engine } from "../engine.ts";
import { registered } from "../functions.ts";

export type Builder = typeof queryGeneric | typeof mutationGeneric | typeof actionGeneric;

// oxlint-disable-next-line no-explicit-any -- what a function's context is, its builder says
type Handler = (ctx: any, args: any) => unknown;

/** The value that the engine answered, of its JSON. */
export const valueOf = (json: string): Value => jsonToConvex(JSON.parse(json) as JSONValue);

/**
 * @param builder  decides whether it is a query, a mutation or an action
 * @param as  who calls it, and in which component; default nobody, in the app
 */
export const runInline = async (
  engine: Engine,
  builder: Builder,
  handler: Handler,
  as: { identity?: UserIdentity | null; component?: string } = {},
): Promise<Value> => {
  const one = registered(builder(handler) as unknown as Registered)!;
  const { identity = null, component } = as;
  return valueOf(await engine.run(one, { args: {}, identity, component }));
};
