// Transcripts and outlines: the pipeline publishes them when it has finished a video, people search
// and read their own. A transcript comes in batches: begin, append until all is there, activate; each
// call may be sent any number of times.
import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import type {
  OutlinePublished,
  TranscriptActivated,
  TranscriptAppended,
  TranscriptBegun,
} from "#shared/contract/findings.ts";
import { backendMutation, serviceMutation, userQuery } from "./functions.ts";
import { refuse } from "./model/access.ts";
import { attemptKey } from "./model/contract.ts";
import * as stale from "./model/learning/stale.ts";
import * as generations from "./model/library/generations.ts";
import { loadOutline, writeOutline } from "./model/library/outline.ts";
import { ownVideo } from "./model/library/gate.ts";
import { publishedVideo } from "./model/library/publishing.ts";
import { searchPieces, transcriptPage } from "./model/library/search.ts";
import { checkLimit, checkQuery } from "./model/listing.ts";
import { outlineChapter, outlineHighlight } from "./tables/library.ts";

const times = { startSec: v.optional(v.number()), endSec: v.optional(v.number()) };
const piece = v.object({ ...times, text: v.string() });
const timedPiece = v.object({ startSec: v.number(), endSec: v.number(), text: v.string() });
const over = v.object({ kind: v.literal("over") });
const active = v.object({ kind: v.literal("active") });
const MAX_FOUND = 50;

/** SHA-256 of the pieces: the same ones are the same generation, whichever job has made them. */
const refuseOddName = (generation: string): void => {
  if (!/^[0-9a-f]{64}$/.test(generation)) {
    throw refuse("invalid_request", "generation must be a SHA-256 in hex.");
  }
};

/** Says from which piece on to send; the attempt must hold its task's lease. */
export const beginTranscript = serviceMutation({
  args: { ...attemptKey, generation: v.string() },
  returns: v.union(v.object({ kind: v.literal("append"), next: v.number() }), active, over),
  handler: async (ctx, { generation, ...task }): Promise<TranscriptBegun> => {
    refuseOddName(generation);
    const video = await publishedVideo(ctx, task);
    if (!video) return { kind: "over" };
    if (video.transcriptGeneration === generation) return { kind: "active" };
    return { kind: "append", next: await generations.beginGeneration(ctx, video, generation) };
  },
});

/** At most 64 pieces of at most 4 KiB, the first of them number `first`; at most 1,024 in all. */
export const appendTranscript = serviceMutation({
  args: { ...attemptKey, generation: v.string(), first: v.number(), pieces: v.array(timedPiece) },
  returns: v.union(v.object({ kind: v.literal("appended"), next: v.number() }), over),
  handler: async (ctx, { generation, first, pieces, ...task }): Promise<TranscriptAppended> => {
    const video = await publishedVideo(ctx, task);
    const next = video
      ? await generations.appendPieces(ctx, video, generation, first, pieces)
      : null;
    return next === null ? { kind: "over" } : { kind: "appended", next };
  },
});

/** Makes the pieces the video's transcript; what was it before goes, a batch at a time. */
export const activateTranscript = serviceMutation({
  args: {
    ...attemptKey,
    generation: v.string(),
    count: v.number(),
    language: v.optional(v.string()),
  },
  returns: v.union(active, over),
  handler: async (ctx, { generation, count, language, ...task }): Promise<TranscriptActivated> => {
    if (language !== undefined && !/^[A-Za-z0-9-]{2,35}$/.test(language)) {
      throw refuse("invalid_request", "language must be a language tag such as `en`.");
    }
    const video = await publishedVideo(ctx, task);
    if (!video) return { kind: "over" };
    if (video.transcriptGeneration === generation) return { kind: "active" };
    const done = await generations.activateGeneration(ctx, video, generation, count, language);
    return { kind: done ? "active" : "over" };
  },
});

/** At most 200 chapters and 100 highlights; takes the place of the video's outline. */
export const publishOutline = serviceMutation({
  args: {
    ...attemptKey,
    chapters: v.array(outlineChapter),
    highlights: v.array(outlineHighlight),
  },
  returns: v.union(v.object({ kind: v.literal("published") }), over),
  handler: async (ctx, { chapters, highlights, ...task }): Promise<OutlinePublished> => {
    const video = await publishedVideo(ctx, task);
    if (!video) return { kind: "over" };
    await writeOutline(ctx, video._id, task.jobId, { chapters, highlights });
    return { kind: "published" };
  },
});

/**
 * Where it is said in one's own videos, best match first; times in seconds, missing where the
 * transcript has none.
 * @param limit  1 to 50, default 20
 */
export const searchTranscripts = userQuery({
  args: { query: v.string(), videoId: v.optional(v.id("videos")), limit: v.optional(v.number()) },
  returns: v.array(
    v.object({ videoId: v.id("videos"), title: v.string(), text: v.string(), ...times }),
  ),
  handler: async (ctx, { query, videoId, limit = 20 }) => {
    const asked = { query: checkQuery(query), limit: checkLimit(limit, MAX_FOUND) };
    const video = videoId && (await ownVideo(ctx, ctx.person, videoId));
    const ownerId = video?.ownerId ?? ctx.ownerId;
    return searchPieces(ctx, { ...asked, ownerId, videoId });
  },
});

/** The transcript of one's own video, a page of at most 200 pieces at a time. */
export const getTranscript = userQuery({
  args: { videoId: v.id("videos"), paginationOpts: paginationOptsValidator },
  returns: paginationResultValidator(piece),
  handler: async (ctx, { videoId, paginationOpts }) =>
    transcriptPage(ctx, await ownVideo(ctx, ctx.person, videoId), paginationOpts),
});

/** Topics and highlights of one's own video, or null before an analysis has found them. */
export const getOutline = userQuery({
  args: { videoId: v.id("videos") },
  returns: v.nullable(
    v.object({ chapters: v.array(outlineChapter), highlights: v.array(outlineHighlight) }),
  ),
  handler: async (ctx, { videoId }) => {
    const outline = await loadOutline(ctx, (await ownVideo(ctx, ctx.person, videoId))._id);
    return outline && { chapters: outline.chapters, highlights: outline.highlights };
  },
});

const step = { videoId: v.id("videos") };

/** Deletes a batch of what is neither the video's transcript nor being written. */
export const tidy = backendMutation({
  args: step,
  returns: v.null(),
  handler: async (ctx, { videoId }) => {
    await generations.tidy(ctx, videoId);
    return null;
  },
});

/** Makes the next batch of a text that came with the video searchable. */
export const indexGiven = backendMutation({
  args: { ...step, generation: v.string() },
  returns: v.null(),
  handler: async (ctx, { videoId, generation }) => {
    await generations.indexGiven(ctx, videoId, generation);
    return null;
  },
});

/** Looks again at a batch of the items that cite the video. */
export const markStale = backendMutation({
  args: { ...step, cursor: v.nullable(v.string()) },
  returns: v.null(),
  handler: async (ctx, { videoId, cursor }) => {
    await stale.markStale(ctx, videoId, cursor, Date.now());
    return null;
  },
});
