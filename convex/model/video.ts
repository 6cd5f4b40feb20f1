// The row of a video: what ingest finds out, and the documented writes of whoever runs a video
// without the ledger.
import type { VideoFacts, VideoUrls } from "#shared/contract/ledger.ts";
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { refuse } from "./access.ts";
import { patchVideo } from "./library/status.ts";
import { hasEnded } from "./machine/plan.ts";
import { loadJob } from "./store.ts";

export type DocumentedUrls = Omit<VideoUrls, "references" | "expiresAt">;

/** Keeps what ingest found out about the video, but for what a person says of it. */
export const recordFacts = async (
  ctx: MutationCtx,
  job: Doc<"jobs">,
  facts: VideoFacts,
  now: number,
): Promise<void> => {
  const { durationSec, ...found } = facts;
  const video = await ctx.db.get("videos", job.videoId);
  if (!video) throw new Error(`The job ${job.jobId} has no video.`);
  const edited: readonly string[] = video.edited ?? [];
  const known = Object.fromEntries(
    Object.entries(found).filter(([name, value]) => value !== undefined && !edited.includes(name)),
  );
  await patchVideo(ctx, video, {
    ...known,
    durationInSeconds: durationSec,
    updatedAt: now,
  });
};

/** Addresses that something else than the ledger gives a row; `gs://` ones are references as well. */
export const addressFields = (video: Doc<"videos">, urls: DocumentedUrls) => ({
  ...urls,
  references: {
    ...video.references,
    ...Object.fromEntries(Object.entries(urls).filter(([, url]) => url?.startsWith("gs://"))),
  },
});

/** The newest row of a Twitch video, whoever's it is. */
export const newestByTwitchId = (ctx: QueryCtx, twitchId: string): Promise<Doc<"videos"> | null> =>
  ctx.db
    .query("videos")
    .withIndex("by_twitch_id", (q) => q.eq("twitchId", twitchId))
    .order("desc")
    .first();

const notFound = (what: string) => refuse("not_found", `There is no video ${what}.`);

/**
 * The one row of a Twitch video.
 * @throws {ConvexError} `not_found`; `conflict` where several owners have the video
 */
export const onlyByTwitchId = async (ctx: QueryCtx, twitchId: string): Promise<Doc<"videos">> => {
  const rows = await ctx.db
    .query("videos")
    .withIndex("by_twitch_id", (q) => q.eq("twitchId", twitchId))
    .take(2);
  const [video, another] = rows;
  if (!video) throw notFound(twitchId);
  if (another) {
    throw refuse("conflict", `Several owners have the video ${twitchId}: name the row or the job.`);
  }
  return video;
};

/** The row a job shows itself in, else the one of the Twitch video. @throws as `onlyByTwitchId` */
export const byJobOrTwitchId = async (
  ctx: QueryCtx,
  jobId: string,
  twitchId: string,
): Promise<Doc<"videos">> => {
  const video = await ctx.db
    .query("videos")
    .withIndex("by_job_id", (q) => q.eq("jobId", jobId))
    .first();
  return video ?? onlyByTwitchId(ctx, twitchId);
};

/** @throws {ConvexError} `conflict` while the pipeline runs a job of the row, or the job named */
export const refuseWhileRunning = async (
  ctx: QueryCtx,
  video: Doc<"videos">,
  jobId?: string,
): Promise<void> => {
  for (const id of new Set([video.jobId, jobId])) {
    const job = id === undefined ? null : await loadJob(ctx, id);
    if (job && !hasEnded(job)) {
      throw refuse("conflict", "The pipeline is running this job and writes its row itself.");
    }
  }
};
