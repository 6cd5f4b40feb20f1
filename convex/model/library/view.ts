// A video as the library shows it: `status` is the library's. A list has it without the texts, which
// may be large; signed addresses of outputs are for whose video it is alone.
import { type Infer, v } from "convex/values";
import type { Doc } from "../../_generated/dataModel.js";
import { LIBRARY_STATUSES, STUDY_STATES } from "../../tables/library.ts";
import { oneOf, provider, status, urlFields } from "../contract.ts";
import { isBlank } from "../plainValue.ts";
import { libraryStatusOf } from "./status.ts";
import { hasTranscript } from "./transcript.ts";

export const libraryStatus = oneOf(LIBRARY_STATUSES);

const entry = {
  _id: v.id("videos"),
  _creationTime: v.number(),
  ownerId: v.optional(v.string()),
  status: libraryStatus,
  title: v.string(),
  provider: v.optional(provider),
  url: v.optional(v.string()),
  twitchId: v.optional(v.string()),
  youtubeVideoId: v.optional(v.string()),
  channelTitle: v.optional(v.string()),
  thumbnailUrl: v.optional(v.string()),
  durationInSeconds: v.optional(v.number()),
  publishedAt: v.optional(v.number()),
  createdAt: v.optional(v.number()),
  updatedAt: v.optional(v.number()),
  /** Of what failed, where the status is `failed`. */
  errorMessage: v.optional(v.string()),
  isRetryable: v.optional(v.boolean()),
  /** The video's latest job. */
  analysis: v.optional(
    v.object({
      jobId: v.optional(v.string()),
      status,
      progressPercentage: v.optional(v.number()),
      currentStage: v.optional(v.string()),
      estimatedCompletionSeconds: v.optional(v.number()),
      errorType: v.optional(v.string()),
      errorMessage: v.optional(v.string()),
      isRetryable: v.optional(v.boolean()),
    }),
  ),
  /** The making of notes and quiz. */
  study: v.optional(
    v.object({
      state: oneOf(STUDY_STATES),
      errorCode: v.optional(v.string()),
      errorMessage: v.optional(v.string()),
      isRetryable: v.optional(v.boolean()),
      startedAt: v.number(),
      finishedAt: v.optional(v.number()),
    }),
  ),
  hasTranscript: v.boolean(),
  hasNotes: v.boolean(),
  hasQuiz: v.boolean(),
};
export const videoEntry = v.object(entry);
export type VideoEntry = Infer<typeof videoEntry>;

export const videoView = v.object({
  ...entry,
  transcript: v.optional(v.string()),
  notes: v.optional(v.any()),
  quiz: v.optional(v.any()),
  ...urlFields,
  urlsExpireAt: v.optional(v.number()),
});
export type VideoView = Infer<typeof videoView>;

const failureOf = ({ status, study, errorMessage, isRetryable }: Doc<"videos">) =>
  study?.state === "failed" && status !== "Failed" && status !== "Canceled"
    ? { errorMessage: study.errorMessage, isRetryable: study.isRetryable }
    : { errorMessage, isRetryable };

const analysisOf = (video: Doc<"videos">): VideoEntry["analysis"] =>
  video.status && {
    jobId: video.jobId,
    status: video.status,
    progressPercentage: video.progressPercentage,
    currentStage: video.currentStage,
    estimatedCompletionSeconds: video.estimatedCompletionSeconds,
    errorType: video.errorType,
    errorMessage: video.errorMessage,
    isRetryable: video.isRetryable,
  };

const studyOf = ({ study }: Doc<"videos">): VideoEntry["study"] =>
  study && {
    state: study.state,
    errorCode: study.errorCode,
    errorMessage: study.errorMessage,
    isRetryable: study.isRetryable,
    startedAt: study.startedAt,
    finishedAt: study.finishedAt,
  };

export const entryOf = (video: Doc<"videos">): VideoEntry => {
  const libraryStatus = libraryStatusOf(video);
  return {
    _id: video._id,
    _creationTime: video._creationTime,
    ownerId: video.ownerId,
    status: libraryStatus,
    title: video.title,
    provider: video.provider,
    url: video.url,
    twitchId: video.twitchId,
    youtubeVideoId: video.youtubeVideoId,
    channelTitle: video.channelTitle,
    thumbnailUrl: video.thumbnailUrl,
    durationInSeconds: video.durationInSeconds,
    publishedAt: video.publishedAt,
    createdAt: video.createdAt,
    updatedAt: video.updatedAt,
    ...(libraryStatus === "failed" ? failureOf(video) : {}),
    analysis: analysisOf(video),
    study: studyOf(video),
    hasTranscript: hasTranscript(video),
    hasNotes: !isBlank(video.notes),
    hasQuiz: !isBlank(video.quiz),
  };
};

/** @param viewerId  who looks at it */
export const fullView = (video: Doc<"videos">, viewerId: string): VideoView => ({
  ...entryOf(video),
  transcript: video.transcript,
  notes: video.notes as unknown,
  quiz: video.quiz as unknown,
  ...(video.ownerId === viewerId
    ? {
        transcriptUrl: video.transcriptUrl,
        chatUrl: video.chatUrl,
        audiowaveUrl: video.audiowaveUrl,
        transcriptAnalysisUrl: video.transcriptAnalysisUrl,
        transcriptWordUrl: video.transcriptWordUrl,
        urlsExpireAt: video.urlsExpireAt,
      }
    : {}),
});
