// `ifGenerationMatch` and its kin: what makes a write safe against another writer.
import { StorageFailure } from "./failure.ts";

export interface Preconditions {
  ifGenerationMatch?: number;
  ifGenerationNotMatch?: number;
  ifMetagenerationMatch?: number;
  ifMetagenerationNotMatch?: number;
}

const NAMES = [
  "ifGenerationMatch",
  "ifGenerationNotMatch",
  "ifMetagenerationMatch",
  "ifMetagenerationNotMatch",
] as const;

const read = (value: (name: (typeof NAMES)[number]) => string | null): Preconditions => {
  const conditions: Preconditions = {};
  for (const name of NAMES) {
    const text = value(name);
    if (text === null) continue;
    if (!/^\d{1,16}$/.test(text)) {
      throw new StorageFailure("badRequest", `Invalid value for ${name}: '${text.slice(0, 50)}'`);
    }
    conditions[name] = Number(text);
  }
  return conditions;
};

/** From the query of a JSON request; `ifSource…` with the prefix. */
export const queryPreconditions = (query: URLSearchParams, source = false): Preconditions =>
  read((name) => query.get(source ? name.replace(/^if/, "ifSource") : name));

/** From the headers of an XML request, `x-goog-if-generation-match` and its kin. */
export const headerPreconditions = (
  headers: Record<string, string | string[] | undefined>,
): Preconditions =>
  read((name) => {
    const header = `x-goog-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const value = headers[header];
    return typeof value === "string" ? value : null;
  });

/**
 * @param current the live object; null where there is none, which counts as generation 0
 * @throws {StorageFailure} 412; for reads 304 where a `NotMatch` fails
 */
export const checkPreconditions = (
  conditions: Preconditions,
  current: { generation: number; metageneration: number } | null,
  access: "read" | "write" = "write",
): void => {
  const generation = current?.generation ?? 0;
  const metageneration = current?.metageneration ?? 0;
  const fail = (kind: "precondition" | "notModified"): never => {
    throw new StorageFailure(
      kind,
      "At least one of the pre-conditions you specified did not hold.",
    );
  };
  const notMatch = access === "read" ? "notModified" : "precondition";
  if ((conditions.ifGenerationMatch ?? generation) !== generation) fail("precondition");
  if ((conditions.ifMetagenerationMatch ?? metageneration) !== metageneration) fail("precondition");
  if (conditions.ifGenerationNotMatch === generation) fail(notMatch);
  if (conditions.ifMetagenerationNotMatch === metageneration) fail(notMatch);
};
