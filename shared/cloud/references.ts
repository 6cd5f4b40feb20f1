// What Convex knows of stored objects, as the collector and whoever runs it ask for it.
import { api } from "#convex/_generated/api.js";
import type { Id } from "#convex/_generated/dataModel.js";
import type { Reference, ReferenceBook } from "../assets/ports.ts";
import { MAX_REFERENCES_PER_CALL } from "../contract/assets.ts";
import type { ConvexCalls } from "./convexCalls.ts";

type Row = Omit<Reference, "id"> & { _id: string };

const toReference = ({ _id, key, state, releasedAt, sizeBytes }: Row): Reference => ({
  id: _id,
  key,
  state,
  releasedAt,
  sizeBytes,
});

/**
 * Methods throw {StageError} `ledger_unavailable` where the database is away after a few tries.
 * @param calls  under the pipeline's identity, or an admin's
 */
export const createReferenceBook = ({ query, mutation }: ConvexCalls): ReferenceBook => ({
  page: async (place, cursor) => {
    const paginationOpts = { numItems: MAX_REFERENCES_PER_CALL, cursor };
    const answer = await query(api.assetReferences.list, { ...place, paginationOpts });
    const { page, isDone, continueCursor } = answer;
    return { items: page.map(toReference), next: isDone ? null : continueCursor };
  },
  ofKeys: async (bucket, keys) =>
    (await query(api.assetReferences.lookup, { bucket, keys: [...keys] })).map(toReference),
  jobState: (jobId) => query(api.jobs.stateOf, { jobId }),
  knownSince: () => query(api.assetReferences.knownSince, {}),
  forget: (ids) =>
    mutation(api.assetReferences.forget, { referenceIds: ids as Id<"assetReferences">[] }),
});

/** Why an object is kept, a sentence a line; null for one that nobody knows. */
export const whyKept = async (
  { query }: ConvexCalls,
  object: { bucket: string; key: string },
): Promise<string[] | null> => {
  const found = await query(api.assetReferences.lookup, {
    bucket: object.bucket,
    keys: [object.key],
  });
  return found.length === 0 ? null : (await query(api.assetReferences.whyKept, object)).words;
};
