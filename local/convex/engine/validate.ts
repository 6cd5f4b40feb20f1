// Checks values against validators as the builders of `v` write them down. Says where in the value it
// goes wrong.
import { type Value, convexToJson } from "convex/values";
import { isObject } from "./document.ts";

/** A validator, as `exportArgs` and `defineTable` write it. */
export type ValidatorJson =
  | { type: "any" | "null" | "number" | "bigint" | "boolean" | "string" | "bytes" | "commitTs" }
  | { type: "literal"; value: unknown }
  | { type: "id"; tableName: string }
  | { type: "array"; value: ValidatorJson }
  | { type: "union"; value: readonly ValidatorJson[] }
  | {
      type: "record";
      keys: ValidatorJson;
      values: { fieldType: ValidatorJson; optional: boolean };
    }
  | {
      type: "object";
      value: Readonly<Record<string, { fieldType: ValidatorJson; optional: boolean }>>;
    };

/** Whether this is an id of a table of this name, where the value is to be used. */
export type IsIdOf = (tableName: string, id: string) => boolean;

const MAX_SHOWN = 200;

const shown = (value: Value | undefined): string => {
  const text = value === undefined ? "undefined" : JSON.stringify(convexToJson(value));
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
};

const describe = (validator: ValidatorJson): string => {
  switch (validator.type) {
    case "literal":
      return `literal ${JSON.stringify(validator.value)}`;
    case "id":
      return `ID of table "${validator.tableName}"`;
    case "union":
      return validator.value.map(describe).join(" or ");
    default:
      return validator.type;
  }
};

const PLAIN: Record<string, (value: Value) => boolean> = {
  any: () => true,
  null: (value) => value === null,
  number: (value) => typeof value === "number",
  bigint: (value) => typeof value === "bigint",
  commitTs: (value) => typeof value === "bigint",
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  bytes: (value) => value instanceof ArrayBuffer,
};

/** @returns what is wrong, or undefined where nothing is; `path` begins with a dot or a bracket */
const problem = (
  validator: ValidatorJson,
  value: Value,
  path: string,
  isIdOf: IsIdOf,
): string | undefined => {
  const wrong = () => `Expected ${describe(validator)}${at(path)}, got ${shown(value)}`;
  switch (validator.type) {
    case "literal":
      // A literal of 64 bits is written down in Convex's JSON.
      return value === validator.value ||
        (typeof value === "bigint" &&
          JSON.stringify(convexToJson(value)) === JSON.stringify(validator.value))
        ? undefined
        : wrong();
    case "id":
      return typeof value === "string" && isIdOf(validator.tableName, value) ? undefined : wrong();
    case "array": {
      if (!Array.isArray(value)) return wrong();
      for (const [i, item] of value.entries()) {
        const found = problem(validator.value, item, `${path}[${i}]`, isIdOf);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    case "union": {
      let first: string | undefined;
      for (const member of validator.value) {
        const found = problem(member, value, path, isIdOf);
        if (found === undefined) return undefined;
        first ??= found;
      }
      return validator.value.length === 1 ? first : wrong();
    }
    case "record": {
      if (!isObject(value)) return wrong();
      for (const [key, item] of Object.entries(value)) {
        const found =
          problem(validator.keys, key, `${path}.${key} (its name)`, isIdOf) ??
          problem(validator.values.fieldType, item, `${path}.${key}`, isIdOf);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    case "object":
      return isObject(value) ? objectProblem(validator.value, value, path, isIdOf) : wrong();
    default:
      return PLAIN[validator.type]?.(value) === true ? undefined : wrong();
  }
};

const objectProblem = (
  fields: Extract<ValidatorJson, { type: "object" }>["value"],
  value: Record<string, Value>,
  path: string,
  isIdOf: IsIdOf,
): string | undefined => {
  for (const [name, { fieldType, optional }] of Object.entries(fields)) {
    const item = Object.hasOwn(value, name) ? value[name] : undefined;
    if (item === undefined) {
      if (!optional) return `Missing required field \`${name}\`${at(path)}`;
      continue;
    }
    const found = problem(fieldType, item, `${path}.${name}`, isIdOf);
    if (found !== undefined) return found;
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(fields, name)) return `Unexpected field \`${name}\`${at(path)}`;
  }
  return undefined;
};

const at = (path: string): string => (path === "" ? "" : ` at ${path}`);

/** @throws {Error} that says what is wrong and where */
export const validate = (validator: ValidatorJson, value: Value, isIdOf: IsIdOf): void => {
  const found = problem(validator, value, "", isIdOf);
  if (found !== undefined) throw new Error(`Validator error: ${found}.`);
};
