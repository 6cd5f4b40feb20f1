// A turn of the collector that has only so much time: it goes on where the one before was cut off.
import { z } from "zod";
import type { ObjectStore } from "../cloud/objectStore.ts";
import { StageError } from "../contract/errors.ts";
import { type CollectOptions, type CollectReport, collect } from "./collect.ts";
import type { CollectedBucket, ReferenceBook } from "./ports.ts";

/** Under `tmp/`, so that a place that is forgotten expires, and the next turn begins anew. */
const PLACE = "tmp/collector.json";
const Place = z.object({ after: z.string() });

interface Deps {
  bucket: CollectedBucket;
  references: ReferenceBook;
  store: Pick<ObjectStore, "read" | "put" | "delete">;
}

const readPlace = async (store: Deps["store"]): Promise<string | undefined> => {
  try {
    return Place.parse(JSON.parse(Buffer.from(await store.read(PLACE)).toString("utf8"))).after;
  } catch (error) {
    if (error instanceof StageError && error.code === "not_found") return undefined;
    throw error;
  }
};

/** @throws as `collect`; the place is then that of the turn before */
export const takeTurn = async (
  { store, ...deps }: Deps,
  options: Omit<CollectOptions, "after">,
): Promise<CollectReport> => {
  const after = await readPlace(store);
  const report = await collect(deps, { ...options, after });
  if (report.stoppedAt !== null) {
    await store.put(PLACE, JSON.stringify({ after: report.stoppedAt }), {
      contentType: "application/json",
      onlyIfAbsent: false,
    });
  } else if (after !== undefined) {
    await store.delete(PLACE);
  }
  return report;
};
