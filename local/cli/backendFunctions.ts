// Which functions the backend has that can be called from outside, found in its modules.
import { fileURLToPath } from "node:url";
import { findModules } from "../convex/modules.ts";
import { canonicalPath } from "../convex/runtime.ts";

export type CallableKind = "query" | "mutation" | "action";

interface Registered {
  isQuery?: boolean;
  isMutation?: boolean;
  isAction?: boolean;
  isPublic?: boolean;
}

const FOLDER = fileURLToPath(new URL("../../convex", import.meta.url));

const kindOf = (fn: Registered): CallableKind | undefined => {
  if (!fn.isPublic) return undefined;
  if (fn.isQuery) return "query";
  if (fn.isMutation) return "mutation";
  return fn.isAction ? "action" : undefined;
};

/** Function modules lie at the top; the folders below hold what they are made of. */
const functionModules = async () =>
  Object.entries(await findModules(FOLDER)).filter(([path]) => /^\.\/\w+\.ts$/.test(path));

/** By the name it is called by, `courses:getCourse`. */
const findAll = async (): Promise<Map<string, CallableKind>> => {
  const found = new Map<string, CallableKind>();
  for (const [path, load] of await functionModules()) {
    for (const [name, value] of Object.entries((await load()) as object)) {
      const kind = typeof value === "function" ? kindOf(value as Registered) : undefined;
      if (kind) found.set(canonicalPath(`${path.slice(2)}:${name}`), kind);
    }
  }
  return found;
};

export const findFunction = async (path: string): Promise<CallableKind | undefined> =>
  (await findAll()).get(canonicalPath(path));

/** A line for each: its kind and its name. */
export const listFunctions = async (): Promise<string[]> =>
  [...(await findAll())]
    .map(([path, kind]) => `${kind.padEnd(9)}${path}`)
    .toSorted((a, b) => a.slice(9).localeCompare(b.slice(9)));
