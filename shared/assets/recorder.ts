// What the pipeline says of the objects it stores. `shared/cloud/assets.ts` sends it to Convex.
import type { SceneFacts } from "../contract/assets.ts";
import type { JobObjects } from "./jobObjects.ts";

/**
 * Every call may come twice. Each throws {StageError} `ledger_unavailable` where the database is
 * away after a few tries, or with the code of what is refused.
 */
export interface AssetRecorder {
  /** All clips of a job, before they are rendered. */
  openScenes(jobId: string, scenes: readonly SceneFacts[]): Promise<void>;
  /** A clip is being rendered and stored. */
  beginUpload(jobId: string, index: number): Promise<void>;
  /**
   * Everything in the job's folder, once all of it is there.
   * @param scenes  all clips of the job, also those that could not be rendered
   */
  jobReady(jobId: string, scenes: readonly SceneFacts[], objects: JobObjects): Promise<void>;
}
