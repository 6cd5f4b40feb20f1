// Notes and quiz of a video, made in the background by two endpoints of the operator's
// (`lms-schema-v2`). Both get the same request, `POST` with JSON:
//
//   { video_id, title, url, language?, duration_sec?, transcript,
//     segments?: [{ start_sec, end_sec, text }] }
//
// and answer with JSON: `NOTES_GENERATION_ENDPOINT` an object, a list or a text, kept as it is in
// `notes`; `QUIZ_GENERATION_ENDPOINT` an object, kept in `quiz`. For instance
//
//   { "sections": [{ "title": "Leases", "start_sec": 12.5, "text": "A lease ends by itself." }] }
//
//   { "title": "Leases", "questions": [{ "question": "Who ends a lease?",
//     "options": ["Whoever holds it", "Nobody: it ends by itself"], "correctAnswer": 1,
//     "explanation": "It has a time." }] }
//
// What else a course can be drafted from: model/learning/draftNotes.ts and normalizeQuiz.ts. With
// `STUDY_API_KEY` set, the request carries it as a bearer token. How long an answer may take and be:
// model/library/studyEndpoint.ts.
import { vOnCompleteArgs } from "@convex-dev/workpool";
import { v } from "convex/values";
import { StageError } from "#shared/contract/errors.ts";
import { internal } from "./_generated/api.js";
import { backendAction, backendMutation, backendQuery, userAction } from "./functions.ts";
import { errorCode, oneOf } from "./model/contract.ts";
import { studyEndpoints } from "./model/env.ts";
import { loadVideo, noVideo } from "./model/library/gate.ts";
import {
  enqueueStudy,
  keepMade,
  refuseManyStudies,
  setStudyState,
  settleRun,
  studyInput as inputOf,
  studyInputAnswer,
} from "./model/library/study.ts";
import { askEndpoint } from "./model/library/studyEndpoint.ts";
import { STUDY_STATES } from "./tables/library.ts";

/** For the pool, which logs what a try throws. */
const triedInVain = (video: string, { message }: StageError): Error =>
  new Error(`Notes and quiz of the video ${video}: ${message}`);

const videoId = v.id("videos");
const ofRun = { videoId, run: v.number() };
const studyState = oneOf(STUDY_STATES);

/**
 * Has the notes and the quiz of one's own video made, in the background; follow `status` of the
 * video. Safe to call again: nothing happens while the work is going on, what is missing is made
 * after a failure, and both anew after a success.
 * @throws {ConvexError} `not_found`, also for somebody else's; `conflict` for a video without a
 *   transcript; `study_not_configured` where the endpoints are not set up; `too_many_jobs` while too
 *   many of one's videos are in the works
 */
export const processVideo = userAction({
  args: { videoId },
  returns: v.null(),
  handler: async (ctx, args): Promise<null> => {
    const ownerId = ctx.person.role === "admin" ? undefined : ctx.ownerId;
    await ctx.runMutation(internal.videoProcessing.start, { ...args, ownerId });
    return null;
  },
});

/** Begins a run, as `processVideo` says. */
export const start = backendMutation({
  /** Without an owner: whoever's it is. */
  args: { videoId, ownerId: v.optional(v.string()) },
  returns: v.null(),
  handler: async (ctx, args) => {
    const video = await loadVideo(ctx, args.videoId);
    const isTheirs = args.ownerId === undefined || video?.ownerId === args.ownerId;
    if (!video || !isTheirs) throw noVideo();
    if (args.ownerId !== undefined) await refuseManyStudies(ctx, video);
    await enqueueStudy(ctx, video, Date.now());
    return null;
  },
});

/**
 * One try of one run, for the pool; called without a run, it has one begun. A failure that may pass
 * is thrown, so that the pool tries again; any other is kept on the video and is the end of it.
 */
export const processVideoInternal = backendAction({
  args: { videoId, run: v.optional(v.number()) },
  returns: v.null(),
  handler: async (ctx, { videoId, run }): Promise<null> => {
    if (run === undefined) {
      await ctx.runMutation(internal.videoProcessing.start, { videoId });
      return null;
    }
    const of = { videoId, run };
    const input = await ctx.runQuery(internal.videoProcessing.studyInput, of);
    if (!input) return null;
    const endpoints = studyEndpoints();
    if (typeof endpoints === "string") {
      const problem = { errorCode: "study_not_configured" as const, errorMessage: endpoints };
      const failed = { ...of, status: "failed" as const, ...problem };
      await ctx.runMutation(internal.videoProcessing.updateVideoStatus, failed);
      return null;
    }
    const { apiKey } = endpoints;
    const tries = await Promise.allSettled(
      input.missing.map(async (kind) => {
        const made = await askEndpoint(kind, { url: endpoints[kind], apiKey }, input.request);
        const kept = { ...of, [kind]: made, status: "processing" as const };
        await ctx.runMutation(internal.videoProcessing.updateVideoContent, kept);
      }),
    );
    const errors = tries.flatMap((tried): unknown[] =>
      tried.status === "rejected" ? [tried.reason] : [],
    );
    if (errors.length === 0) {
      const done = { ...of, status: "completed" as const };
      await ctx.runMutation(internal.videoProcessing.updateVideoContent, done);
      return null;
    }
    const known = errors.filter((error) => error instanceof StageError);
    // What will not pass by itself ends the run, whatever the other endpoint says.
    const worst = known.find(({ retryable }) => !retryable) ?? known[0];
    if (worst) {
      await ctx.runMutation(internal.videoProcessing.updateVideoStatus, {
        ...of,
        status: worst.retryable ? "processing" : "failed",
        errorCode: worst.code,
        errorMessage: worst.message,
      });
      if (!worst.retryable) return null;
    }
    throw worst ? triedInVain(videoId, worst) : errors[0];
  },
});

/** What a run still has to make, and from what; null where there is nothing to do. */
export const studyInput = backendQuery({
  args: ofRun,
  returns: studyInputAnswer,
  handler: (ctx, { videoId, run }) => inputOf(ctx, videoId, run),
});

/** Nothing for a video that is gone, and for a run that another has overtaken. */
export const updateVideoStatus = backendMutation({
  args: {
    ...ofRun,
    status: studyState,
    errorCode: v.optional(errorCode),
    errorMessage: v.optional(v.string()),
  },
  returns: v.null(),
  handler: async (ctx, { videoId, run, status, errorCode, errorMessage = "" }) => {
    const problem = errorCode && { errorCode, errorMessage };
    await setStudyState(ctx, { videoId, run, state: status }, problem);
    return null;
  },
});

/** Keeps what there is of notes and quiz; as `updateVideoStatus` otherwise. */
export const updateVideoContent = backendMutation({
  args: { ...ofRun, notes: v.optional(v.any()), quiz: v.optional(v.any()), status: studyState },
  returns: v.null(),
  handler: async (ctx, { videoId, run, status, ...content }) => {
    await keepMade(ctx, { videoId, run, ...content });
    await setStudyState(ctx, { videoId, run, state: status });
    return null;
  },
});

/** The pool is done with a run. */
export const studyEnded = backendMutation({
  args: vOnCompleteArgs(v.object(ofRun)).fields,
  returns: v.null(),
  handler: async (ctx, { context, result }) => {
    await settleRun(ctx, context, result);
    return null;
  },
});
