// The functions of local/convex/testProject that the page and its tests call.
import { makeFunctionReference } from "convex/server";

export interface Row {
  _id: string;
  rank: number;
  text: string;
}

export const inList = makeFunctionReference<"query", { list: string }, Row[]>("rows:inList");
export const count = makeFunctionReference<"query", { name: string }, number>("counters:get");
export const append = makeFunctionReference<
  "mutation",
  { list: string; text: string; isRefused?: boolean },
  number
>("rows:append");
export const add = makeFunctionReference<"mutation", { name: string; by: number }, number>(
  "counters:add",
);
export const addTwice = makeFunctionReference<"action", { name: string }, number>(
  "counters:addTwice",
);
export const addAndFail = makeFunctionReference<"mutation", { name: string }, null>(
  "counters:addAndFail",
);
