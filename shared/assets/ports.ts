// What the collector asks of the bucket and of the references. `shared/cloud/` answers from Cloud
// Storage and Convex; tests answer from memory.

/** One generation of a stored object. */
export interface ObjectGeneration {
  key: string;
  sizeBytes: number;
  /** Changes each time the object is written; a decimal number too long for a double. */
  generation: string;
  /** When this generation was written, milliseconds since 1970. */
  writtenAt: number;
}

export interface Page<T> {
  items: T[];
  /** Give it back for the next page; null at the end. */
  next: string | null;
}

export interface CollectedBucket {
  readonly bucket: string;
  /**
   * Objects by the order of their keys' bytes.
   * @param from  no key before this one; the same for every page of a listing
   */
  page(prefix: string, from: string, cursor: string | null): Promise<Page<ObjectGeneration>>;
  /** Null where there is no such object. */
  stat(key: string): Promise<ObjectGeneration | null>;
  /**
   * Deletes this generation alone.
   * @returns false where the object is another one by now; true also where it was gone
   */
  deleteGeneration(key: string, generation: string): Promise<boolean>;
}

/** What the database has of an object. */
export interface Reference {
  id: string;
  key: string;
  /** `released`: used by nothing any more. */
  state: "active" | "released";
  releasedAt?: number | undefined;
  sizeBytes?: number | undefined;
}

/** A job that the database knows: whether it may still write into its folder. */
export type JobState = "running" | "ended" | "unknown";

export interface ReferenceBook {
  /** References to objects of `bucket` whose keys begin with `prefix`, by key; none before `from`. */
  page(
    place: { bucket: string; prefix: string; from: string },
    cursor: string | null,
  ): Promise<Page<Reference>>;
  /** As they are now; of at most `MAX_REFERENCES_PER_CALL` keys. */
  ofKeys(bucket: string, keys: readonly string[]): Promise<Reference[]>;
  jobState(jobId: string): Promise<JobState>;
  /**
   * Since when the database keeps references, milliseconds since 1970; null where it has none at
   * all. What was stored before, it cannot judge.
   */
  knownSince(): Promise<number | null>;
  /** Forgets those that are still released. @returns the ids that are gone */
  forget(ids: readonly string[]): Promise<string[]>;
}
