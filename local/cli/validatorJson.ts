// Validators as the backend's functions export them: shown as TypeScript would write the type, and
// held against a value, so that what is wrong is said before anything is asked. Whether an id is of its
// table, the backend alone knows.
import type { Value, ValidatorJSON } from "convex/values";

/** As TypeScript would write the type. */
export const shown = (validator: ValidatorJSON): string => {
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

const isObject = (value: Value): value is Record<string, Value> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof ArrayBuffer);

const objectProblem = (
  fields: Extract<ValidatorJSON, { type: "object" }>["value"],
  value: Record<string, Value>,
  at: string,
): string | null => {
  const nameOf = (name: string) => (at === "" ? name : `${at}.${name}`);
  const extra = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
  if (extra !== undefined) return `There is no argument ${nameOf(extra)}.`;
  for (const [name, { fieldType, optional }] of Object.entries(fields)) {
    const one = value[name];
    if (one === undefined && !optional) return `The argument ${nameOf(name)} is missing.`;
    const problem = one === undefined ? null : problemOf(fieldType, one, nameOf(name));
    if (problem !== null) return problem;
  }
  return null;
};

const firstProblem = (values: [string, Value][], validator: ValidatorJSON): string | null => {
  for (const [at, value] of values) {
    const problem = problemOf(validator, value, at);
    if (problem !== null) return problem;
  }
  return null;
};

/** The first thing that is wrong with a value, in a sentence; null where nothing is. */
export const problemOf = (validator: ValidatorJSON, value: Value, at = ""): string | null => {
  const told = (fits: boolean): string | null =>
    fits ? null : `${at === "" ? "What is given" : at} is no ${shown(validator)}.`;
  switch (validator.type) {
    case "any":
      return null;
    case "object":
      return isObject(value) ? objectProblem(validator.value, value, at) : told(false);
    case "record":
      return isObject(value)
        ? firstProblem(
            Object.entries(value).map(([name, one]) => [`${at}.${name}`, one]),
            validator.values.fieldType,
          )
        : told(false);
    case "array":
      return Array.isArray(value)
        ? firstProblem(
            value.map((one, index) => [`${at}[${index}]`, one]),
            validator.value,
          )
        : told(false);
    case "union":
      return told(validator.value.some((one) => problemOf(one, value, at) === null));
    case "literal":
      return told(value === validator.value);
    case "null":
      return told(value === null);
    case "id":
      return told(typeof value === "string");
    case "bytes":
      return told(value instanceof ArrayBuffer);
    default:
      return told(typeof value === validator.type);
  }
};
