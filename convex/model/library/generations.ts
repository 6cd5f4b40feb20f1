// A transcript's generations. A new one is written in batches under a name of its own, any number of
// times over and from where it stopped; then the video's row names it, and whatever else is there
// goes, a batch at a time. Readers see one whole transcript at every moment.
import {
  GIVEN_GENERATION,
  MAX_PIECES,
  MAX_PIECES_PER_CALL,
  MAX_PIECE_BYTES,
  cutText,
} from "#shared/contract/findings.ts";
import { internal } from "../../_generated/api.js";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { refuse } from "../access.ts";
import { sha256Hex } from "../secret.ts";
import { onTranscriptChanged } from "../learning/stale.ts";
import { patchVideo } from "./status.ts";

type Video = Doc<"videos">;
/** All of a generation have times, or none has. */
type Piece = Pick<Doc<"transcriptCues">, "startSec" | "endSec" | "text">;

/** Rows that one step of tidying up deletes. */
const TIDY_ROWS = 128;
/** A piece of a text without times: about a minute of speech. */
const GIVEN_PIECE_BYTES = 1024;

const generationRows = (ctx: QueryCtx, videoId: Id<"videos">, generation: string) =>
  ctx.db
    .query("transcriptCues")
    .withIndex("by_video_and_generation_and_index", (q) =>
      q.eq("videoId", videoId).eq("generation", generation),
    );

const lastPiece = (ctx: QueryCtx, videoId: Id<"videos">, generation: string) =>
  generationRows(ctx, videoId, generation).order("desc").first();

/** How many pieces there are up to this one; they are numbered from 0. */
const countTo = (last: Doc<"transcriptCues"> | null): number => (last ? last.index + 1 : 0);

/**
 * Begins a generation, or goes on with one; one that somebody else was writing is given up.
 * @returns how many pieces are there
 */
export const beginGeneration = async (
  ctx: MutationCtx,
  video: Video,
  generation: string,
): Promise<number> => {
  if (video.transcriptPending !== generation) {
    await patchVideo(ctx, video, { transcriptPending: generation });
    if (video.transcriptPending !== undefined) await tidyLater(ctx, video._id);
  }
  return countTo(await lastPiece(ctx, video._id, generation));
};

const isTime = (sec: number | undefined): boolean =>
  sec === undefined || (Number.isFinite(sec) && sec >= 0);

/** What is wrong with a batch, after the piece before it. */
const problemOf = (
  first: number,
  pieces: readonly Piece[],
  before: Piece | null,
): string | null => {
  if (pieces.length > MAX_PIECES_PER_CALL) return `at most ${MAX_PIECES_PER_CALL} in a call`;
  if (first + pieces.length > MAX_PIECES) return `at most ${MAX_PIECES} in a transcript`;
  let earlier = before?.startSec;
  for (const { startSec, endSec, text } of pieces) {
    const bytes = new TextEncoder().encode(text).length;
    if (text.trim() === "" || bytes > MAX_PIECE_BYTES) {
      return `a text must have from 1 to ${MAX_PIECE_BYTES} bytes`;
    }
    if (!isTime(startSec) || !isTime(endSec)) return "times must be 0 or more seconds";
    if (startSec !== undefined && endSec !== undefined && endSec < startSec) {
      return "a piece must not end before it begins";
    }
    if ((startSec ?? 0) < (earlier ?? 0)) return "pieces must be in order of time";
    earlier = startSec;
  }
  return null;
};

/**
 * Writes a batch of the pending generation; pieces that are there already stay.
 * @returns how many pieces are there, or null where another generation has taken this one's place
 * @throws {ConvexError} `invalid_request`
 */
export const appendPieces = async (
  ctx: MutationCtx,
  video: Video,
  generation: string,
  first: number,
  pieces: readonly Piece[],
): Promise<number | null> => {
  if (video.transcriptPending !== generation) return null;
  const last = await lastPiece(ctx, video._id, generation);
  const next = countTo(last);
  if (!Number.isInteger(first) || first < 0 || first > next) {
    throw refuse("invalid_request", `The next piece is number ${next}.`);
  }
  const fresh = pieces.slice(next - first);
  const problem = problemOf(first, pieces, first === next ? last : null);
  if (problem) throw refuse("invalid_request", `Pieces: ${problem}.`);
  const { _id: videoId, ownerId } = video;
  for (const [i, piece] of fresh.entries()) {
    await ctx.db.insert("transcriptCues", {
      videoId,
      ownerId,
      generation,
      index: next + i,
      ...piece,
    });
  }
  return next + fresh.length;
};

/**
 * Makes the pending generation the video's transcript.
 * @param count  how many pieces it has
 * @returns      false where another generation has taken this one's place
 * @throws {ConvexError} `conflict` while pieces are missing
 */
export const activateGeneration = async (
  ctx: MutationCtx,
  video: Video,
  generation: string,
  count: number,
  language?: string,
): Promise<boolean> => {
  if (video.transcriptPending !== generation) return false;
  const there = countTo(await lastPiece(ctx, video._id, generation));
  if (there === 0 || there !== count) {
    throw refuse("conflict", `${there} of ${count} pieces are there.`);
  }
  await patchVideo(ctx, video, {
    transcriptGeneration: generation,
    transcriptPending: undefined,
    transcriptLanguage: language,
    updatedAt: Date.now(),
  });
  await tidyLater(ctx, video._id);
  if (video.transcriptGeneration !== generation) await onTranscriptChanged(ctx, video._id);
  return true;
};

const tidyLater = async (ctx: MutationCtx, videoId: Id<"videos">): Promise<void> => {
  await ctx.scheduler.runAfter(0, internal.transcripts.tidy, { videoId });
};

/** Deletes a batch of what is neither the video's transcript nor being written, and goes on later. */
export const tidy = async (ctx: MutationCtx, videoId: Id<"videos">): Promise<void> => {
  const video = await ctx.db.get("videos", videoId);
  // A video's deletion takes its pieces along.
  if (!video) return;
  const kept = [video.transcriptGeneration, video.transcriptPending];
  let after = "";
  for (;;) {
    const row = await ctx.db
      .query("transcriptCues")
      .withIndex("by_video_and_generation_and_index", (q) =>
        q.eq("videoId", videoId).gt("generation", after),
      )
      .first();
    if (!row) return;
    after = row.generation;
    if (kept.includes(after)) continue;
    // From the end, so that what is left, when it is written once more, has no gaps.
    const rows = await generationRows(ctx, videoId, after).order("desc").take(TIDY_ROWS);
    for (const { _id } of rows) await ctx.db.delete("transcriptCues", _id);
    await tidyLater(ctx, videoId);
    return;
  }
};

/**
 * To be called after `videos.transcript` was set, edited or taken away: the text counts at once, in
 * place of any earlier transcript, and becomes searchable a little later.
 */
export const onTranscriptGiven = async (ctx: MutationCtx, videoId: Id<"videos">): Promise<void> => {
  const video = await ctx.db.get("videos", videoId);
  if (!video) return;
  const text = (video.transcript ?? "").trim();
  const generation = GIVEN_GENERATION + (await sha256Hex(text));
  const wasGiven = video.transcriptGeneration?.startsWith(GIVEN_GENERATION) ?? false;
  if (text === "") {
    if (wasGiven || video.transcriptPending?.startsWith(GIVEN_GENERATION)) {
      await patchVideo(ctx, video, {
        transcriptGeneration: wasGiven ? undefined : video.transcriptGeneration,
        transcriptPending: undefined,
      });
      await tidyLater(ctx, videoId);
    }
  } else if (video.transcriptGeneration !== generation) {
    await patchVideo(ctx, video, {
      transcriptGeneration: undefined,
      transcriptPending: generation,
      transcriptLanguage: undefined,
    });
    await tidyLater(ctx, videoId);
    await ctx.scheduler.runAfter(0, internal.transcripts.indexGiven, { videoId, generation });
  }
  await onTranscriptChanged(ctx, videoId);
};

/** Writes the next batch of a given transcript's pieces, and in the end makes them count. */
export const indexGiven = async (
  ctx: MutationCtx,
  videoId: Id<"videos">,
  generation: string,
): Promise<void> => {
  const video = await ctx.db.get("videos", videoId);
  if (!video || video.transcriptPending !== generation) return;
  const pieces = cutText(video.transcript ?? "", GIVEN_PIECE_BYTES)
    .slice(0, MAX_PIECES)
    .map((text) => ({ text }));
  const next = await beginGeneration(ctx, video, generation);
  const batch = pieces.slice(next, next + MAX_PIECES_PER_CALL);
  await appendPieces(ctx, video, generation, next, batch);
  if (next + batch.length < pieces.length) {
    await ctx.scheduler.runAfter(0, internal.transcripts.indexGiven, { videoId, generation });
  } else {
    await activateGeneration(ctx, video, generation, pieces.length);
  }
};
