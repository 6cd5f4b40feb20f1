// The collector: walks the bucket beside the references, and removes what nothing uses. Every step
// may be repeated, and be done by two at once: an object is deleted only in the generation that was
// judged, a row forgotten only while nothing uses it, and both are looked at again just before.
import { MAX_REFERENCES_PER_CALL } from "../contract/assets.ts";
import { besideEachOther, pagesOf } from "./beside.ts";
import { type Found, type Rules, VERDICTS, type Verdict, isRemoval, judge } from "./judge.ts";
import { type CollectedBucket, type JobState, type ReferenceBook } from "./ports.ts";

/** Where things are that people own. The rest of the bucket expires by its lifecycle rule. */
const PREFIXES = ["jobs/", "uploads/"] as const;

/** How long an object that nothing uses stays, unless told otherwise: longer than any job's last step. */
export const MIN_AGE_MS = 24 * 3_600_000;

export interface CollectOptions {
  /** Changes nothing, and says what a run would do. */
  dryRun: boolean;
  minAgeMs: number;
  now: number;
  /** Where an earlier run was cut off: the last key it was done with. */
  after?: string | undefined;
  /** Stops at the next object; the report says where. */
  signal?: AbortSignal;
  /** Hears of every object but those that are kept. */
  onItem?: (item: CollectedItem) => void;
}

export interface CollectedItem {
  verdict: Verdict;
  key: string;
  sizeBytes: number;
}

export interface CollectReport {
  bucket: string;
  dryRun: boolean;
  minAgeHours: number;
  /** How many of each kind, and their bytes. */
  found: Record<Verdict, { count: number; bytes: number }>;
  /** Null where all was walked; else the last key that was, for `after`. */
  stoppedAt: string | null;
}

export interface Deps {
  bucket: CollectedBucket;
  references: ReferenceBook;
}

type Pair = Found & { key: string };

const jobOf = (key: string): string | undefined => /^jobs\/([^/]+)\//.exec(key)?.[1];

const emptyCounts = (): CollectReport["found"] => {
  const counts = {} as CollectReport["found"];
  for (const verdict of Object.keys(VERDICTS) as Verdict[])
    counts[verdict] = { count: 0, bytes: 0 };
  return counts;
};

/** Every key of both sides that comes after `after`. */
async function* walk({ bucket, references }: Deps, after: string): AsyncGenerator<Pair, void> {
  for (const prefix of PREFIXES) {
    const isDone = after >= prefix && !after.startsWith(prefix);
    if (isDone) continue;
    const from = after.startsWith(prefix) ? after : prefix;
    const place = { bucket: bucket.bucket, prefix, from };
    const pairs = besideEachOther(
      pagesOf((cursor) => bucket.page(prefix, from, cursor)),
      pagesOf((cursor) => references.page(place, cursor)),
    );
    for await (const { key, left, right } of pairs)
      if (key !== after) yield { key, object: left, reference: right };
  }
}

/** What was to be removed or reported, looked at again: the walk's pages are some seconds old. */
const lookAgain = async ({ bucket, references }: Deps, batch: readonly Pair[]): Promise<Pair[]> => {
  // Jobs first: one that ends in between has said by then what it made.
  const unknown = batch.filter(({ reference }) => !reference).map(({ key }) => jobOf(key));
  const jobIds = [...new Set(unknown)].filter((jobId) => jobId !== undefined);
  const states = new Map<string | undefined, JobState>(
    await Promise.all(
      jobIds.map(async (jobId) => [jobId, await references.jobState(jobId)] as const),
    ),
  );
  const now = await references.ofKeys(
    bucket.bucket,
    batch.map(({ key }) => key),
  );
  const byKey = new Map(now.map((reference) => [reference.key, reference]));
  return Promise.all(
    batch.map(async ({ key, object }) => {
      const job = states.get(jobOf(key));
      return {
        key,
        // One that is there is deleted in the generation that was listed, or not at all.
        object: object ?? (await bucket.stat(key)),
        reference: byKey.get(key) ?? null,
        ...(job === undefined ? {} : { job }),
      };
    }),
  );
};

/** Whether the collector comes by objects of this key. */
export const isWalked = (key: string): boolean => PREFIXES.some((prefix) => key.startsWith(prefix));

/** What there is of one object, for `judge`, as it is now. */
export const findObject = async (deps: Deps, key: string): Promise<Found> => {
  const [found] = await lookAgain(deps, [{ key, object: null, reference: null }]);
  return found ?? { object: null, reference: null };
};

/**
 * Collects once over the bucket.
 * @throws {StageError} `storage_unavailable`, `ledger_unavailable`: what was done stays done, and
 * another run goes on
 */
export const collect = async (deps: Deps, options: CollectOptions): Promise<CollectReport> => {
  const { dryRun, minAgeMs, now, signal } = options;
  const { bucket, references } = deps;
  const rules: Rules = { now, minAgeMs, knownSince: await references.knownSince() };
  const found = emptyCounts();

  const report = (verdict: Verdict, { key, object, reference }: Pair) => {
    const sizeBytes = object?.sizeBytes ?? reference?.sizeBytes ?? 0;
    found[verdict].count += 1;
    found[verdict].bytes += sizeBytes;
    if (verdict !== "kept") options.onItem?.({ verdict, key, sizeBytes });
  };

  /** @returns what it came to */
  const remove = async (verdict: Verdict, { key, object }: Pair): Promise<Verdict> => {
    if (dryRun || !object) return verdict;
    return (await bucket.deleteGeneration(key, object.generation)) ? verdict : "young";
  };

  const settle = async (batch: readonly Pair[]): Promise<void> => {
    if (batch.length === 0) return;
    const pairs = await lookAgain(deps, batch);
    const settled = await Promise.all(
      pairs.map(async (pair) => {
        // Came and went since it was listed.
        if (!pair.object && !pair.reference) return null;
        const verdict = judge(pair, rules);
        return { pair, verdict: isRemoval(verdict) ? await remove(verdict, pair) : verdict };
      }),
    );
    const forgettable = settled.flatMap((one) =>
      one && isRemoval(one.verdict) && one.pair.reference ? [one.pair.reference.id] : [],
    );
    if (!dryRun && forgettable.length > 0) await references.forget(forgettable);
    for (const one of settled) if (one) report(one.verdict, one.pair);
  };

  let batch: Pair[] = [];
  let last = options.after ?? "";
  let stopped = false;
  for await (const pair of walk(deps, last)) {
    stopped = signal?.aborted ?? false;
    if (stopped) break;
    const verdict = judge(pair, rules);
    if (isRemoval(verdict) || verdict === "missing") batch.push(pair);
    else report(verdict, pair);
    last = pair.key;
    if (batch.length === MAX_REFERENCES_PER_CALL) await settle(batch.splice(0));
  }
  await settle(batch);
  return {
    bucket: bucket.bucket,
    dryRun,
    minAgeHours: minAgeMs / 3_600_000,
    found,
    stoppedAt: stopped ? last : null,
  };
};
