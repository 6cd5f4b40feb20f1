// Finds the project's Convex functions in a folder, for a runtime that takes them as a map.
import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { GenericSchema, SchemaDefinition } from "convex/server";

/** From `./dir/file.ts` to its import. */
export type ModuleMap = Record<string, () => Promise<unknown>>;

const NOT_FUNCTIONS = /\.d\.ts$|\.test\.ts$|(^|\/)_generated\/|^convex\.config\.ts$/;

/** Every module of a `convex/` folder but tests, declarations and generated files. */
export const findModules = async (folder: string): Promise<ModuleMap> => {
  const modules: ModuleMap = {};
  for (const entry of await readdir(folder, { recursive: true })) {
    const path = entry.split(sep).join("/");
    if (!/\.[jt]s$/.test(path) || NOT_FUNCTIONS.test(path)) continue;
    const url = pathToFileURL(join(folder, entry)).href;
    modules[`./${path}`] = () => import(/* @vite-ignore */ url);
  }
  return modules;
};

/** @throws {Error} where `schema.ts` has no schema */
export const loadSchema = async (
  modules: ModuleMap,
): Promise<SchemaDefinition<GenericSchema, boolean> | undefined> => {
  const load = modules["./schema.ts"];
  if (!load) return undefined;
  const { default: schema } = (await load()) as { default?: unknown };
  if (!isSchema(schema)) throw new Error("convex/schema.ts has no schema as its default export.");
  return schema;
};

const isSchema = (value: unknown): value is SchemaDefinition<GenericSchema, boolean> =>
  typeof value === "object" && value !== null && "tables" in value;
