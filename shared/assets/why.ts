// What will become of one object, in sentences: the collector's own verdict on it, for whoever wonders
// why something is still there, or where it went.
import { type Deps, findObject, isWalked } from "./collect.ts";
import { type Found, type Rules, type Verdict, isRemoval, judge } from "./judge.ts";

export interface Why {
  /** Whether there is such an object. */
  exists: boolean;
  /** One each. */
  sentences: string[];
}

const day = (ms: number): string => new Date(ms).toISOString();

const ofVerdict = (verdict: Exclude<Verdict, "young">, { knownSince }: Rules): string[] => {
  switch (verdict) {
    case "kept":
      return [];
    case "released":
      return ["The next run deletes it."];
    case "orphan":
      return ["Nobody knows it: the next run deletes it."];
    case "running":
      return ["Nobody knows it, but its job is at work: it is left until that has ended."];
    case "older":
      return knownSince === null
        ? ["The database knows of no objects at all, so none is deleted."]
        : [
            `Nobody knows it, and it is older than what the database knows of, which begins ${day(knownSince)}: it is left.`,
          ];
    case "missing":
      return ["But it is not in the bucket."];
    case "forgotten":
      return ["It is not in the bucket any more; the next run forgets it."];
  }
};

const ofYoung = (found: Found, writtenAt: number, rules: Rules): string[] => {
  const oldAt = writtenAt + rules.minAgeMs;
  const then = judge(found, { ...rules, now: oldAt });
  // Not because it is young alone.
  if (then !== "young" && !isRemoval(then)) return ofVerdict(then, rules);
  return [`Nothing uses it, but it was written lately: a run after ${day(oldAt)} deletes it.`];
};

/**
 * @param known  what the database says of its uses; null where it has no reference to it
 * @param rules  without `knownSince`, which is asked for
 * @throws {StageError} `storage_unavailable`, `ledger_unavailable`
 */
export const whyThere = async (
  deps: Deps,
  { bucket, key }: { bucket: string; key: string },
  known: readonly string[] | null,
  { now, minAgeMs }: Pick<Rules, "now" | "minAgeMs">,
): Promise<Why> => {
  const uses = known ?? [];
  if (bucket !== deps.bucket.bucket) {
    const place = `It is not in gs://${deps.bucket.bucket}, the one bucket that is looked after here.`;
    return { exists: known !== null, sentences: [...uses, place] };
  }
  const found = await findObject(deps, key);
  const { object, reference } = found;
  if (!object && !reference) return { exists: false, sentences: ["There is no such object."] };
  const exists = object !== null;
  if (!isWalked(key)) {
    const place = "The collector comes by jobs/ and uploads/ alone: the bucket's rules are for it.";
    return { exists, sentences: [...uses, ...(exists ? [] : ["It is not there."]), place] };
  }
  const rules = { now, minAgeMs, knownSince: await deps.references.knownSince() };
  const verdict = judge(found, rules);
  const becomes =
    verdict === "young"
      ? ofYoung(found, object?.writtenAt ?? now, rules)
      : ofVerdict(verdict, rules);
  return { exists, sentences: [...uses, ...becomes] };
};
