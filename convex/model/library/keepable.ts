// Whether Convex can keep a value that somebody made up, so that it is refused where it comes in, with
// a reason, and not by the database later on.

/** A document may nest 16 levels, and is one of them itself. */
const MAX_DEPTH = 15;
const MAX_ARRAY = 8192;
const MAX_FIELDS = 1024;

/**
 * Why Convex could not keep a value in a field of a document; null where it can.
 * @returns what is wrong with it, to go on with after its name: "has text that is no Unicode"
 */
export const unkeepable = (value: unknown, depth = 1): string | null => {
  if (typeof value === "string") {
    return value.isWellFormed() ? null : "has text that is no Unicode";
  }
  if (value === null || typeof value !== "object" || value instanceof ArrayBuffer) return null;
  if (depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH}`;
  if (Array.isArray(value) && value.length > MAX_ARRAY) {
    return `has a list of more than ${MAX_ARRAY}`;
  }
  const names = Array.isArray(value) ? [] : Object.keys(value);
  if (names.length > MAX_FIELDS) return `has an object of more than ${MAX_FIELDS} fields`;
  // A field's name: ASCII that can be printed, and not one of Convex's own.
  if (!names.every((name) => /^[\x20-\x7E]{1,1024}$/.test(name) && !/^[$_]/.test(name))) {
    return "has a field whose name cannot be kept";
  }
  for (const part of Object.values(value)) {
    const problem = unkeepable(part, depth + 1);
    if (problem) return problem;
  }
  return null;
};
