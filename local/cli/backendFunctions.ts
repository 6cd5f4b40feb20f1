// Which functions the backend has that can be called from outside, found in its modules: who may call
// them, and with what.
import { fileURLToPath } from "node:url";
import type { Value, ValidatorJSON } from "convex/values";
import type { Access, accessOf } from "#convex/functions.ts";
import { findModules } from "../convex/modules.ts";
import { type Registered, kindOf } from "../convex/registered.ts";
import { type FunctionKind, canonicalPath } from "../convex/runtime.ts";
import { problemOf, shown } from "./validatorJson.ts";

export interface Callable {
  path: string;
  kind: FunctionKind;
  access: Access;
  args: ValidatorJSON;
}

/** As a person sees it: with which role at least, or as whom else. */
const WHO: Record<Access, string> = {
  public: "everybody",
  known: "learner",
  user: "learner",
  instructor: "instructor",
  admin: "admin",
  operator: "admin",
  service: "pipeline",
  backend: "backend",
};
const isForPeople = ({ access }: Callable): boolean => access !== "service" && access !== "backend";

const FIRST_PAGE = { numItems: 20, cursor: null };

const FOLDER = fileURLToPath(new URL("../../convex", import.meta.url));

const findAll = async (): Promise<Callable[]> => {
  const modules = await findModules(FOLDER);
  // The instance of it that the modules have marked their functions in.
  const wrappers = (await modules["./functions.ts"]?.()) as { accessOf: typeof accessOf };
  const found: Callable[] = [];
  for (const [file, load] of Object.entries(modules)) {
    // Function modules lie at the top; the folders below hold what they are made of.
    if (!/^\.\/\w+\.ts$/.test(file)) continue;
    const module = await load().catch((cause: unknown) => {
      throw new Error(`convex/${file.slice(2)} does not load.`, { cause });
    });
    for (const [name, value] of Object.entries(module as object)) {
      if (typeof value !== "function") continue;
      const fn = value as unknown as Registered;
      const kind = kindOf(fn);
      if (!kind || !fn.isPublic) continue;
      const path = canonicalPath(`${file.slice(2)}:${name}`);
      const access = wrappers.accessOf(value) ?? "service";
      found.push({ path, kind, access, args: JSON.parse(fn.exportArgs()) as ValidatorJSON });
    }
  }
  return found.toSorted((a, b) => a.path.localeCompare(b.path));
};

export const findFunction = async (path: string): Promise<Callable | undefined> =>
  (await findAll()).find((one) => one.path === canonicalPath(path));

const signature = ({ path, args }: Callable): string => `${path} ${shown(args)}`;

/**
 * A line for each function: kind, who may call it, name and arguments.
 * @param start  of the names; default all
 * @param all    also those that only the pipeline may call
 */
export const listFunctions = async (start: string, all: boolean): Promise<string[]> =>
  (await findAll())
    .filter((one) => one.path.startsWith(start) && (all || isForPeople(one)))
    .map((one) => `${one.kind.padEnd(9)}${WHO[one.access].padEnd(11)}${signature(one)}`);

/** What is given, and the first page of what comes in pages, unless another is asked for. */
export const withFirstPage = (
  { args }: Callable,
  given: Record<string, Value>,
): Record<string, Value> => {
  const wanted = args.type === "object" ? args.value["paginationOpts"] : undefined;
  return wanted && !wanted.optional ? { paginationOpts: FIRST_PAGE, ...given } : given;
};

/** A problem with arguments, and what the function takes. */
export const withSignature = (problem: string, fn: Callable): string =>
  `${problem}\n  ${signature(fn)}`;

/** What is wrong with arguments, with what the function takes; null where nothing is. */
export const wrongArguments = (fn: Callable, given: Record<string, Value>): string | null => {
  const problem = problemOf(fn.args, given);
  return problem === null ? null : withSignature(problem, fn);
};
