// Every function that Convex would register, and how a test calls one it knows only by name.
import { type FunctionReference, makeFunctionReference } from "convex/server";
import type { ValidatorJSON } from "convex/values";
import { type Backend, modules } from "./testing.setup.ts";

export interface RegisteredFunction {
  isQuery?: true;
  isMutation?: true;
  isAction?: true;
  isHttp?: true;
  isInternal?: true;
  exportArgs(): string;
}

/** By the name a function is called by, `courses:getCourse`. */
export const allFunctions = async (): Promise<Map<string, RegisteredFunction>> => {
  const found = new Map<string, RegisteredFunction>();
  for (const [path, load] of Object.entries(modules)) {
    if (path.includes("_generated")) continue;
    for (const [name, value] of Object.entries(await load())) {
      if (typeof value !== "function") continue;
      const fn = value as unknown as RegisteredFunction;
      if (!fn.isQuery && !fn.isMutation && !fn.isAction && !fn.isHttp) continue;
      found.set(`${path.replace("/convex/", "").replace(".ts", "")}:${name}`, fn);
    }
  }
  return found;
};

type Caller = Backend["nobody" | "service"];

export const callFunction = (
  who: Caller,
  name: string,
  fn: RegisteredFunction,
  args: Record<string, unknown>,
): Promise<unknown> => {
  type Ref<T extends "query" | "mutation" | "action"> = FunctionReference<T>;
  if (fn.isQuery) return who.query(makeFunctionReference<"query">(name) as Ref<"query">, args);
  if (fn.isMutation) {
    return who.mutation(makeFunctionReference<"mutation">(name) as Ref<"mutation">, args);
  }
  return who.action(makeFunctionReference<"action">(name) as Ref<"action">, args);
};

/** `ok`; `nothing` where a query answers null; the code of the refusal, or what else went wrong. */
export const outcomeOf = async (
  promise: Promise<unknown>,
  fn?: RegisteredFunction,
): Promise<string> => {
  try {
    return (await promise) === null && fn?.isQuery ? "nothing" : "ok";
  } catch (error) {
    return (error as { data?: { code?: string } }).data?.code ?? String(error);
  }
};

/** Some value that the validator takes, so that a call comes as far as the handler. */
const sample = (validator: ValidatorJSON, ids: Record<string, string>): unknown => {
  switch (validator.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(validator.value)
          .filter(([, field]) => !field.optional)
          .map(([name, field]) => [name, sample(field.fieldType, ids)]),
      );
    case "union":
      return sample(validator.value[0]!, ids);
    case "literal":
      return validator.value;
    case "array":
      return [];
    case "record":
      return {};
    case "number":
      return 1;
    case "boolean":
      return true;
    case "id":
      return ids[validator.tableName];
    default:
      return "x";
  }
};

/** @param ids  one for each table that the arguments name */
export const sampleArgs = (
  fn: RegisteredFunction,
  ids: Record<string, string>,
): Record<string, unknown> =>
  sample(JSON.parse(fn.exportArgs()) as ValidatorJSON, ids) as Record<string, unknown>;
