// Names a stage's result by what it depends on, so that equal work is found instead of done again.
import { createHash } from "node:crypto";

/** JSON with sorted keys, so that equal values give equal text. `undefined` counts as absent. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, at: unknown) =>
    at !== null && typeof at === "object" && !Array.isArray(at)
      ? Object.fromEntries(Object.entries(at).sort(([a], [b]) => (a < b ? -1 : 1)))
      : at,
  );

/** Lower-case hex SHA-256 over stage, version of its code, and inputs. */
export const stageKey = (stage: string, version: number, inputs: unknown): string =>
  createHash("sha256")
    .update(canonicalJson([stage, version, inputs]))
    .digest("hex");

/** Folder of a stage's result in the bucket, with a closing slash. */
export const stagePrefix = (stage: string, key: string): string => `stages/${stage}/${key}/`;
