// What gcloud answers, read carefully: it is Google's to extend, so only what is named here counts.

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value under a path of names; undefined where there is none. */
export const at = (value: Json | undefined, ...path: readonly string[]): Json | undefined =>
  path.reduce<Json | undefined>((here, name) => (isObject(here) ? here[name] : undefined), value);

/** Text under a path; `""` where there is none. */
export const textAt = (value: Json | undefined, ...path: readonly string[]): string => {
  const found = at(value, ...path);
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
};

/** A list under a path; empty where there is none. */
export const listAt = (value: Json | undefined, ...path: readonly string[]): readonly Json[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as readonly Json[]) : [];
};

/** The last part of a resource's full name: `media` of `projects/p/topics/media`. */
export const shortName = (value: Json | undefined): string =>
  textAt(value, "name").split("/").at(-1) ?? "";

const show = (value: Json | undefined): string =>
  value === undefined ? "nothing" : JSON.stringify(value);

/** Google writes whole numbers of 64 bits as text, and leaves out what is nothing. */
const asWord = (value: Json | undefined): string => {
  if (value === 0 || value === false || value === "") return show(undefined);
  return typeof value === "string" ? value : show(value);
};

/**
 * Where `current` says something else than `wanted`. What `wanted` does not name may be anything, as
 * Google fills in defaults; a list must have as many items, in the same order.
 * @returns a line for each difference, such as `ackDeadlineSeconds: 10, not 600`
 */
export const differences = (
  wanted: Json | undefined,
  current: Json | undefined,
  path = "",
): string[] => {
  const here = (name: string): string => (path === "" ? name : `${path}.${name}`);
  if (isObject(wanted)) {
    return Object.entries(wanted).flatMap(([name, value]) =>
      value === undefined ? [] : differences(value, at(current, name), here(name)),
    );
  }
  if (Array.isArray(wanted)) {
    const items = wanted as readonly Json[];
    const others = Array.isArray(current) ? (current as readonly Json[]) : [];
    if (items.length !== others.length) {
      return [`${path}: ${others.length} items, not ${items.length}`];
    }
    return items.flatMap((item, index) => differences(item, others[index], here(String(index))));
  }
  return asWord(wanted) === asWord(current)
    ? []
    : [`${path}: ${show(current)}, not ${show(wanted)}`];
};
