// The functions of the app and of its components: what there is under a path, and how one names another.
import { AsyncLocalStorage } from "node:async_hooks";
import type { JSONValue } from "convex/values";
import type { ModuleMap } from "../modules.ts";
import { type Registered, kindOf } from "../registered.ts";
import { type FunctionKind, canonicalPath } from "../runtime.ts";
import { type DeclaredCron, declaredCrons } from "./crons.ts";
import type { ValidatorJson } from "./validate.ts";

/** Where a function is: the component's path (empty for the app) and `dir/file:name`. */
export interface FunctionPath {
  component: string;
  path: string;
}

/** How the `run…` and `schedule` calls name a function: one of the three. */
export interface FunctionAddress {
  name?: string | undefined;
  reference?: string | undefined;
  functionHandle?: string | undefined;
}

export interface RegisteredFunction {
  kind: FunctionKind;
  isPublic: boolean;
  args: ValidatorJson;
  /** Null where the function does not say. */
  returns: ValidatorJson | null;
  /** @param args JSON of a list with the one argument @returns JSON of what it returned */
  invoke(args: string): Promise<string>;
}

const HANDLE = "function://";

export const handleOf = ({ component, path }: FunctionPath): string =>
  `${HANDLE}${component};${path}`;

/**
 * @param from the component whose function names the other
 * @throws {Error} for an address of no kind that there is
 */
export const resolveAddress = (address: FunctionAddress, from: string): FunctionPath => {
  if (address.functionHandle !== undefined) {
    const [component = "", path = ""] = address.functionHandle.slice(HANDLE.length).split(";");
    return { component, path: canonicalPath(path) };
  }
  if (address.name !== undefined) return { component: from, path: canonicalPath(address.name) };
  // `_reference/childComponent/studyPool/lib/enqueue` is `lib:enqueue` of the child `studyPool`.
  const [, kind, child, ...names] = address.reference?.split("/") ?? [];
  const name = names.pop();
  if (kind !== "childComponent" || child === undefined || name === undefined)
    throw new Error(`The local Convex does not know the reference "${address.reference}".`);
  const component = from === "" ? child : `${from}/${child}`;
  return { component, path: `${names.join("/")}:${name}` };
};

export const registered = (found: Registered): RegisteredFunction | undefined => {
  const invoke =
    found.invokeQuery ??
    found.invokeMutation ??
    (found.invokeAction && ((args: string) => found.invokeAction!("", args)));
  const kind = kindOf(found);
  if (!invoke || !kind) return undefined;
  return {
    kind,
    isPublic: found.isPublic === true,
    // Written out once; they are always the same.
    args: JSON.parse(found.exportArgs()) as ValidatorJson,
    returns: JSON.parse(found.exportReturns()) as ValidatorJson | null,
    invoke,
  };
};

export interface FunctionFinder {
  /** @returns undefined where there is none */
  find(path: FunctionPath): Promise<RegisteredFunction | undefined>;
  /** What `crons.ts` of the app, and of each component that has one, declares. */
  crons(): Promise<DeclaredCron[]>;
}

/** `./dir/file.ts`, and `/convex/dir/file.ts` as test frameworks have it, as `dir/file`. */
const moduleName = (path: string): string =>
  path.replace(/^\.?\/(?:convex\/)?/, "").replace(/\.[jt]s$/, "");

/** @param modules  by the path of the component, empty for the app */
export const createFinder = (modules: ReadonlyMap<string, ModuleMap>): FunctionFinder => {
  const loaders = new Map(
    [...modules].map(([component, map]) => [
      component,
      new Map(Object.entries(map).map(([path, load]) => [moduleName(path), load])),
    ]),
  );
  const known = new Map<string, RegisteredFunction | undefined>();
  /** A module is loaded once for all: not as part of the function that happened to need it first. */
  const outside = AsyncLocalStorage.snapshot();
  return {
    async find({ component, path }) {
      const id = `${component};${path}`;
      if (known.has(id)) return known.get(id);
      const [file = "", name = ""] = path.split(":");
      const load = loaders.get(component)?.get(file);
      if (!load || file.startsWith("_generated/")) return undefined;
      const exports = (await outside(load)) as Record<string, Registered | undefined>;
      const found = Object.hasOwn(exports, name) ? exports[name] : undefined;
      const function_ = typeof found === "function" ? registered(found) : undefined;
      known.set(id, function_);
      return function_;
    },
    async crons() {
      const declared: DeclaredCron[] = [];
      for (const [component, map] of loaders) {
        const load = map.get("crons");
        if (load) declared.push(...declaredCrons(await outside(load), component));
      }
      return declared;
    },
  };
};

export const argumentsJson = (args: JSONValue): string => JSON.stringify([args]);
