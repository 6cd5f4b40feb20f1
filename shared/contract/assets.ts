// What the pipeline tells the database of the objects that it stores. Both sides agree on the words
// and on the limits here.

/** A stored object, as whoever stored it describes it. */
export interface StoredObject {
  bucket: string;
  key: string;
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
  contentType?: string;
}

/** What is known of a clip before it is rendered; times in seconds of the video. */
export interface SceneFacts {
  startSec: number;
  endSec: number;
  title?: string;
  /** Of its highlight: 1 is the best. */
  rank?: number;
  score?: number;
}

/** What a rendered clip consists of; its source code is the recipe it was rendered from. */
export interface SceneObjects {
  videoAsset: StoredObject;
  sourceCodeAsset: StoredObject;
  thumbnailAsset: StoredObject;
  subtitleAsset?: StoredObject;
}

/** A job's reel, where it has one, and its manifest. */
export interface SessionObjects {
  combinedVideoAsset?: StoredObject;
  combinedSubtitleAsset?: StoredObject;
  manifestAsset: StoredObject;
}

/** Clips of a job: more than its options can ask for. */
export const MAX_SCENES = 100;
/** Other objects of a job. */
export const MAX_OUTPUTS = 1000;
/** Of them, those that one call tells. */
export const MAX_OUTPUTS_PER_CALL = 100;
/** References that the collector looks up, or has forgotten, in one call. */
export const MAX_REFERENCES_PER_CALL = 100;
