// The video library: videos of every origin, their transcripts, and what was found in them.
import { vWorkId } from "@convex-dev/workpool";
import { defineTable } from "convex/server";
import { v } from "convex/values";
import { errorCode, oneOf, provider, status, urlFields } from "../model/contract.ts";

export const LIBRARY_STATUSES = ["pending", "processing", "completed", "failed"] as const;
export type LibraryStatus = (typeof LIBRARY_STATUSES)[number];

export const STUDY_KINDS = ["notes", "quiz"] as const;
export type StudyKind = (typeof STUDY_KINDS)[number];

export const STUDY_STATES = ["processing", "completed", "failed"] as const;

/** What a page says of its video, and a person may say otherwise. */
export const PAGE_FIELDS = ["title", "channelTitle", "thumbnailUrl", "publishedAt"] as const;
export type PageField = (typeof PAGE_FIELDS)[number];

/** The making of notes and quiz. */
const study = v.object({
  state: oneOf(STUDY_STATES),
  /** Counts the calls of the endpoints' work; what an earlier one still says is dropped. */
  run: v.number(),
  workId: v.optional(vWorkId),
  /** What has been made so far: another try makes only the rest. */
  made: v.optional(v.array(oneOf(STUDY_KINDS))),
  /** The transcript's generation that it is made from. */
  generation: v.optional(v.string()),
  errorCode: v.optional(errorCode),
  errorMessage: v.optional(v.string()),
  isRetryable: v.optional(v.boolean()),
  startedAt: v.number(),
  finishedAt: v.optional(v.number()),
});

export const videoFields = {
  ownerId: v.optional(v.string()),
  provider: v.optional(provider),
  twitchId: v.optional(v.string()),
  youtubeVideoId: v.optional(v.string()),
  /** Canonical address. */
  url: v.optional(v.string()),
  title: v.string(),
  channelTitle: v.optional(v.string()),
  thumbnailUrl: v.optional(v.string()),
  durationInSeconds: v.optional(v.number()),
  publishedAt: v.optional(v.number()),
  status: v.optional(status),
  ...urlFields,
  /** `gs://` references of the same outputs, which do not expire. */
  references: v.optional(v.object(urlFields)),
  urlsExpireAt: v.optional(v.number()),
  jobId: v.optional(v.string()),
  progressPercentage: v.optional(v.number()),
  currentStage: v.optional(v.string()),
  estimatedCompletionSeconds: v.optional(v.number()),
  stageProgress: v.optional(v.record(v.string(), v.any())),
  errorType: v.optional(v.string()),
  errorMessage: v.optional(v.string()),
  errorDetails: v.optional(v.string()),
  isRetryable: v.optional(v.boolean()),
  retryCount: v.optional(v.number()),
  createdAt: v.optional(v.number()),
  updatedAt: v.optional(v.number()),
  processingStartedAt: v.optional(v.number()),
  processingCompletedAt: v.optional(v.number()),
  callbackUrl: v.optional(v.string()),
  /** The library's own; `notes` and `quiz` are what the endpoints answered. */
  libraryStatus: v.optional(oneOf(LIBRARY_STATUSES)),
  /** What a person wrote; the analysis leaves it as it is. */
  edited: v.optional(v.array(oneOf(PAGE_FIELDS))),
  transcript: v.optional(v.string()),
  notes: v.optional(v.any()),
  quiz: v.optional(v.any()),
  study: v.optional(study),
  /** Which of the transcript's generations in `transcriptCues` counts. */
  transcriptGeneration: v.optional(v.string()),
  /** The generation that is being written. */
  transcriptPending: v.optional(v.string()),
  /** BCP 47. */
  transcriptLanguage: v.optional(v.string()),
  /** Since when it is being deleted, a step at a time; it is shown to nobody any more. */
  deletingAt: v.optional(v.number()),
};

/**
 * One video of one owner. The analysis fields are a projection of its latest job, the library's
 * status follows from both (model/library/status.ts).
 * Written by the ledger (and, for jobs the ledger does not run, by the documents' mutations in
 * video.ts and videos.ts) and by the library's functions; read by pages and the API; deleted by
 * model/library/deletion.ts.
 */
export const videos = defineTable(videoFields)
  .index("by_twitch_id", ["twitchId"])
  .index("by_job_id", ["jobId"])
  .index("by_status", ["status"])
  .index("by_created_at", ["createdAt"])
  .index("by_youtubeVideoId", ["youtubeVideoId"])
  // Newest first; the others have another order within an owner.
  // eslint-disable-next-line @convex-dev/no-duplicate-indexes -- another order within an owner
  .index("by_owner", ["ownerId"])
  .index("by_owner_and_twitch_id", ["ownerId", "twitchId"])
  .index("by_owner_and_youtube_video_id", ["ownerId", "youtubeVideoId"])
  .index("by_owner_and_url", ["ownerId", "url"])
  .index("by_owner_and_library_status", ["ownerId", "libraryStatus"])
  .index("by_library_status", ["libraryStatus"])
  .searchIndex("search_title", {
    searchField: "title",
    filterFields: ["ownerId", "libraryStatus"],
  });

/**
 * A video's transcript in searchable pieces of about a minute, in generations: a new one is written
 * whole before the video's row names it, then the old one goes.
 * Written by transcripts.ts; read by search, drafts and the study work; deleted by a newer
 * generation and with the video.
 */
export const transcriptCues = defineTable({
  videoId: v.id("videos"),
  ownerId: v.optional(v.string()),
  generation: v.string(),
  index: v.number(),
  /** Missing where the transcript came without times. */
  startSec: v.optional(v.number()),
  endSec: v.optional(v.number()),
  text: v.string(),
})
  .index("by_video_and_generation_and_index", ["videoId", "generation", "index"])
  .searchIndex("search_text", {
    searchField: "text",
    filterFields: ["ownerId", "videoId"],
  });

export const outlineChapter = v.object({
  title: v.string(),
  startSec: v.number(),
  endSec: v.number(),
});
export const outlineHighlight = v.object({
  rank: v.number(),
  title: v.optional(v.string()),
  startSec: v.number(),
  endSec: v.number(),
  score: v.number(),
});

/**
 * What a video's analysis found in it: its topics and its highlights. One row a video.
 * Written by transcripts.ts when a job finishes; read by drafts; deleted with the video.
 */
export const videoOutlines = defineTable({
  videoId: v.id("videos"),
  jobId: v.string(),
  chapters: v.array(outlineChapter),
  highlights: v.array(outlineHighlight),
  createdAt: v.number(),
}).index("by_video", ["videoId"]);
