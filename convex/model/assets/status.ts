// How far a scene's or session's objects are: pending, uploading, then ready or failed. Within one
// run of the job it only moves on; a later run (an explicit retry) may begin again.
import type { ASSETS_STATUSES } from "../../tables/assets.ts";

export type AssetsStatus = (typeof ASSETS_STATUSES)[number];

interface Progress {
  assetsStatus?: AssetsStatus | undefined;
  /** The run of the job in which the status last changed. */
  run?: number | undefined;
}

/**
 * The status after something happened in a run of the job, or null where nothing changes: a late or
 * repeated message takes nothing back.
 * @param next  `failed` is taken back by another try within the run; `ready` is not
 */
export const advance = (
  { assetsStatus, run = 0 }: Progress,
  next: AssetsStatus,
  jobRun: number,
): AssetsStatus | null => {
  const isNewRun = assetsStatus === undefined || jobRun > run;
  switch (next) {
    case "pending":
      return isNewRun ? next : null;
    case "uploading":
    case "failed":
      return isNewRun || assetsStatus !== "ready" ? next : null;
    case "ready":
      return next;
  }
};
