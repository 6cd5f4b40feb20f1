// What is to become of an object, from what the bucket and the database have of it. No input or
// output here: the collector asks twice, and the second time of what it is about to delete.
import type { JobState, Reference, ObjectGeneration } from "./ports.ts";

/** What the collector finds; of each, what it does about it. */
export const VERDICTS = {
  kept: "used: kept",
  released: "used by nothing any more: deleted",
  forgotten: "used by nothing any more and gone already: forgotten",
  orphan: "known to nobody: deleted",
  young: "used by nothing, but written lately: left for now",
  running: "known to nobody, but its job is at work: left for now",
  older: "older than what the database knows of: left",
  missing: "used, but not in the bucket: reported",
} as const;
export type Verdict = keyof typeof VERDICTS;

/** Verdicts upon which something is deleted. */
export const isRemoval = (verdict: Verdict): boolean =>
  verdict === "released" || verdict === "forgotten" || verdict === "orphan";

export interface Found {
  object: ObjectGeneration | null;
  reference: Reference | null;
  /** Of the job in whose folder the object is; absent where there is none, or it was not asked. */
  job?: JobState;
}

export interface Rules {
  now: number;
  /** How long an object that nothing uses stays: whoever wrote it may be about to say so. */
  minAgeMs: number;
  /** See `ReferenceBook.knownSince`. */
  knownSince: number | null;
}

export const judge = ({ object, reference, job }: Found, rules: Rules): Verdict => {
  if (reference?.state === "active") return object ? "kept" : "missing";
  if (!object) return "forgotten";
  const young = rules.now - object.writtenAt < rules.minAgeMs;
  if (reference) {
    // Written after it was released: it may be used again, which comes to be known after the write.
    return young && object.writtenAt >= (reference.releasedAt ?? 0) ? "young" : "released";
  }
  if (young) return "young";
  if (rules.knownSince === null || object.writtenAt < rules.knownSince) return "older";
  return job === "running" ? "running" : "orphan";
};
