// Which functions the backend has that can be called from outside, found in its modules.
import { fileURLToPath } from "node:url";
import type { ValidatorJSON } from "convex/values";
import { findModules } from "../convex/modules.ts";
import { canonicalPath } from "../convex/runtime.ts";

export type CallableKind = "query" | "mutation" | "action";

interface Registered {
  isQuery?: boolean;
  isMutation?: boolean;
  isAction?: boolean;
  isPublic?: boolean;
  exportArgs(): string;
}

interface Callable {
  path: string;
  kind: CallableKind;
  args: string;
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

const findAll = async (): Promise<Callable[]> => {
  const found: Callable[] = [];
  for (const [file, load] of await functionModules()) {
    for (const [name, value] of Object.entries((await load()) as object)) {
      if (typeof value !== "function") continue;
      const fn = value as unknown as Registered;
      const kind = kindOf(fn);
      const path = canonicalPath(`${file.slice(2)}:${name}`);
      if (kind) found.push({ path, kind, args: fn.exportArgs() });
    }
  }
  return found.toSorted((a, b) => a.path.localeCompare(b.path));
};

export const findFunction = async (path: string): Promise<CallableKind | undefined> =>
  (await findAll()).find((one) => one.path === canonicalPath(path))?.kind;

/** A line for each: kind, name and arguments. @param start  of the names; default all */
export const listFunctions = async (start = ""): Promise<string[]> =>
  (await findAll())
    .filter(({ path }) => path.startsWith(start))
    .map(
      ({ path, kind, args }) =>
        `${kind.padEnd(9)}${path} ${shown(JSON.parse(args) as ValidatorJSON)}`,
    );

/** As TypeScript would write the type. */
const shown = (validator: ValidatorJSON): string => {
  switch (validator.type) {
    case "object": {
      const fields = Object.entries(validator.value).map(
        ([name, { fieldType, optional }]) => `${name}${optional ? "?" : ""}: ${shown(fieldType)}`,
      );
      return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
    }
    case "union":
      return validator.value.map(shown).join(" | ");
    case "literal":
      return JSON.stringify(validator.value);
    case "array": {
      const one = shown(validator.value);
      return one.includes(" ") && !one.startsWith("{") ? `(${one})[]` : `${one}[]`;
    }
    case "record":
      return `Record<${shown(validator.keys)}, ${shown(validator.values.fieldType)}>`;
    case "id":
      return `Id<"${validator.tableName}">`;
    default:
      return validator.type;
  }
};
