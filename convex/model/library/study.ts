// The making of a video's notes and quiz, from its transcript. The work runs in a pool, which bounds
// how much of it there is at once, tries again, and says in the end what became of it. Each start of
// it is a run; whatever an overtaken run still says is dropped.
import { type RunResult, Workpool } from "@convex-dev/workpool";
import { type Infer, v } from "convex/values";
import { ERRORS, type ErrorCode } from "#shared/contract/errors.ts";
import { GIVEN_GENERATION } from "#shared/contract/findings.ts";
import { components, internal } from "../../_generated/api.js";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { STUDY_KINDS } from "../../tables/library.ts";
import { refuse } from "../access.ts";
import { oneOf } from "../contract.ts";
import { libraryVideos } from "./counts.ts";
import { limits, studyEndpoints, studyParallelism } from "../env.ts";
import { sha256Hex } from "../secret.ts";
import { loadVideo } from "./gate.ts";
import { patchVideo } from "./status.ts";
import { hasTranscript, loadPieces } from "./transcript.ts";

type Video = Doc<"videos">;
type Study = NonNullable<Video["study"]>;

/** After 2, 6, 18 and 54 seconds, more or less. Only what may pass by itself gets so far. */
const RETRY = { maxAttempts: 5, initialBackoffMs: 2000, base: 3 };

const pool = (): Workpool =>
  new Workpool(components.studyPool, { maxParallelism: studyParallelism(), logLevel: "WARN" });

/** Names the text that counts now, whether or not it has been cut into pieces yet. */
const textName = async ({ transcriptGeneration, transcript = "" }: Video): Promise<string> =>
  transcriptGeneration ?? GIVEN_GENERATION + (await sha256Hex(transcript.trim()));

/** Whether a run is under way; one that the pool has no more is not. */
const isWorking = async (ctx: MutationCtx, { state, workId }: Study): Promise<boolean> =>
  state === "processing" &&
  workId !== undefined &&
  (await pool().status(ctx, workId)).state !== "finished";

/**
 * Holds whoever asks for notes and quiz to as many videos in the works as jobs may wait
 * (`MAX_WAITING_JOBS_PER_OWNER`), so that nobody fills the pool for all others.
 * @throws {ConvexError} `too_many_jobs`
 */
export const refuseManyStudies = async (
  ctx: QueryCtx,
  { libraryStatus, ownerId = "" }: Video,
): Promise<void> => {
  if (libraryStatus === "processing") return;
  const processing = { key: "processing" as const, inclusive: true };
  const bounds = { lower: processing, upper: processing };
  const count = await libraryVideos.count(ctx, { namespace: ownerId, bounds });
  if (count >= limits().waitingPerOwner) {
    throw refuse("too_many_jobs", "Too many of your videos are in the works; try again later.");
  }
};

/** Why nobody can make notes and quizzes here; null where somebody can. */
export const missingSetup = (): string | null => {
  const endpoints = studyEndpoints();
  if (typeof endpoints !== "string") return null;
  return `${ERRORS.study_not_configured.message} ${endpoints}`;
};

/**
 * Has the notes and the quiz made. Does nothing while that is going on, unless from a transcript that
 * is not the video's any more. After a failure only what is missing is made, else both anew.
 * @throws {ConvexError} `conflict` for a video without a transcript, `study_not_configured`
 */
export const enqueueStudy = async (ctx: MutationCtx, video: Video, now: number): Promise<void> => {
  if (!hasTranscript(video)) {
    throw refuse(
      "conflict",
      "The video has no transcript yet: have it analysed first, or give it one.",
    );
  }
  const missing = missingSetup();
  if (missing !== null) throw refuse("study_not_configured", missing);
  const { _id: videoId, study: before } = video;
  const generation = await textName(video);
  if (before && (await isWorking(ctx, before))) {
    if (before.generation === generation) return;
    if (before.workId !== undefined) await pool().cancel(ctx, before.workId);
  }
  const run = (before?.run ?? 0) + 1;
  const goesOn = before?.state !== "completed" && before?.generation === generation;
  const made = goesOn ? (before.made ?? []) : [];
  const workId = await pool().enqueueAction(
    ctx,
    internal.videoProcessing.processVideoInternal,
    { videoId, run },
    { onComplete: internal.videoProcessing.studyEnded, context: { videoId, run }, retry: RETRY },
  );
  await patchVideo(ctx, video, {
    study: { run, made, generation, startedAt: now, state: "processing", workId },
    updatedAt: now,
  });
};

const failure = (errorCode: ErrorCode, errorMessage: string) => ({
  errorCode,
  errorMessage,
  isRetryable: ERRORS[errorCode].retryable,
});

/**
 * After a job that was to come with notes and a quiz; nothing where nobody makes them here, or they
 * are there already for this very transcript.
 */
export const studyAfterJob = async (
  ctx: MutationCtx,
  job: Doc<"jobs">,
  now: number,
): Promise<void> => {
  if (!job.options.study || missingSetup() !== null) return;
  const video = await loadVideo(ctx, job.videoId);
  if (video?.jobId !== job.jobId) return;
  if (!hasTranscript(video)) return;
  const { study } = video;
  if (study?.state === "completed" && study.generation === (await textName(video))) return;
  await enqueueStudy(ctx, video, now);
};

/** The video with a study that is still this run's; null where there is nothing to do for it. */
const loadRun = async (
  ctx: QueryCtx,
  videoId: Id<"videos">,
  run: number,
): Promise<(Video & { study: Study }) | null> => {
  const video = await loadVideo(ctx, videoId);
  if (!video?.study) return null;
  const { study } = video;
  return study.run === run && study.state === "processing" ? { ...video, study } : null;
};

/** What an endpoint is asked, as JSON. */
const studyRequest = v.object({
  video_id: v.string(),
  title: v.string(),
  url: v.nullable(v.string()),
  /** BCP 47. */
  language: v.optional(v.string()),
  duration_sec: v.optional(v.number()),
  transcript: v.string(),
  /** Pieces of about a minute; missing where the transcript came without times. */
  segments: v.optional(
    v.array(v.object({ start_sec: v.number(), end_sec: v.number(), text: v.string() })),
  ),
});
export type StudyRequest = Infer<typeof studyRequest>;

/** What a run still has to make, and from what; null where there is nothing to do. */
export const studyInputAnswer = v.union(
  v.null(),
  v.object({ missing: v.array(oneOf(STUDY_KINDS)), request: studyRequest }),
);

export const studyInput = async (
  ctx: QueryCtx,
  videoId: Id<"videos">,
  run: number,
): Promise<Infer<typeof studyInputAnswer>> => {
  const video = await loadRun(ctx, videoId, run);
  if (!video) return null;
  const pieces = await loadPieces(ctx, video);
  const segments = pieces.flatMap(({ startSec, endSec, text }) =>
    startSec === undefined || endSec === undefined
      ? []
      : [{ start_sec: startSec, end_sec: endSec, text }],
  );
  return {
    missing: STUDY_KINDS.filter((kind) => !video.study.made?.includes(kind)),
    request: {
      video_id: videoId,
      title: video.title,
      url: video.url ?? null,
      language: video.transcriptLanguage,
      duration_sec: video.durationInSeconds,
      transcript: pieces.map(({ text }) => text).join("\n"),
      segments: segments.length > 0 ? segments : undefined,
    },
  };
};

/** Keeps what a run has made. */
export const keepMade = async (
  ctx: MutationCtx,
  {
    videoId,
    run,
    ...content
  }: { videoId: Id<"videos">; run: number; notes?: unknown; quiz?: unknown },
): Promise<void> => {
  const video = await loadRun(ctx, videoId, run);
  if (!video) return;
  const made = STUDY_KINDS.filter(
    (kind) => content[kind] !== undefined || video.study.made?.includes(kind),
  );
  const { notes = video.notes, quiz = video.quiz } = content;
  await patchVideo(ctx, video, {
    notes,
    quiz,
    study: { ...video.study, made },
    updatedAt: Date.now(),
  });
};

/** Why a run failed, or what the pool is trying again for. */
export interface StudyProblem {
  errorCode: ErrorCode;
  errorMessage: string;
}

/** Says how a run stands; a problem while it is processing is kept for when the last try fails. */
export const setStudyState = async (
  ctx: MutationCtx,
  { videoId, run, state }: { videoId: Id<"videos">; run: number; state: Study["state"] },
  problem?: StudyProblem,
): Promise<void> => {
  const video = await loadRun(ctx, videoId, run);
  if (!video) return;
  const { errorCode: _, errorMessage: __, isRetryable: ___, ...rest } = video.study;
  const now = Date.now();
  await patchVideo(ctx, video, {
    study: {
      ...rest,
      state,
      ...(problem ? failure(problem.errorCode, problem.errorMessage) : {}),
      ...(state === "processing" ? {} : { finishedAt: now }),
    },
    updatedAt: now,
  });
};

/** The pool's last word on a run: one that has not settled itself by now has failed. */
export const settleRun = async (
  ctx: MutationCtx,
  { videoId, run }: { videoId: Id<"videos">; run: number },
  result: RunResult,
): Promise<void> => {
  const video = await loadRun(ctx, videoId, run);
  if (!video) return;
  const { errorCode, errorMessage } = video.study;
  const known =
    result.kind === "failed" && errorCode !== undefined && errorMessage !== undefined
      ? { errorCode, errorMessage }
      : { errorCode: "internal" as const, errorMessage: ERRORS.internal.message };
  await setStudyState(ctx, { videoId, run, state: "failed" }, known);
};
