// The marks that Convex's builders (`query`, `internalMutation`, …) leave on an exported function: how whoever
// loads a module knows what it may call.
import type { FunctionKind } from "./runtime.ts";

export interface Registered {
  isQuery?: boolean;
  isMutation?: boolean;
  isAction?: boolean;
  isPublic?: boolean;
  /** JSON of the validator; that of what it returns is null where the function does not say. */
  exportArgs(): string;
  exportReturns(): string;
  invokeQuery?(args: string): Promise<string>;
  invokeMutation?(args: string): Promise<string>;
  invokeAction?(requestId: string, args: string): Promise<string>;
}

/** @returns undefined for what no builder has made */
export const kindOf = ({ isQuery, isMutation, isAction }: Registered): FunctionKind | undefined => {
  if (isQuery) return "query";
  if (isMutation) return "mutation";
  return isAction ? "action" : undefined;
};
