// Content items that cite a transcript are stale while the cited span says something else than when
// they were made. Looked at anew, a page at a time, whenever a video's transcript changes.
import { internal } from "../../_generated/api.js";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx } from "../../_generated/server.js";
import { hashPieces, inSpan, loadPieces } from "../library/transcript.ts";

/** Items of a step: with 256 KiB of content each, and a transcript of 4 MiB, what one may read. */
const STEP_ITEMS = 16;

/** To be called whenever another text is a video's transcript. */
export const onTranscriptChanged = async (
  ctx: MutationCtx,
  videoId: Id<"videos">,
): Promise<void> => {
  await ctx.scheduler.runAfter(0, internal.transcripts.markStale, { videoId, cursor: null });
};

/** Compares a page of what cites the video, and goes on later. */
export const markStale = async (
  ctx: MutationCtx,
  videoId: Id<"videos">,
  cursor: string | null,
  now: number,
): Promise<void> => {
  const { page, isDone, continueCursor } = await ctx.db
    .query("contentItems")
    .withIndex("by_cited_video", (q) => q.eq("citation.videoId", videoId))
    .paginate({ cursor, numItems: STEP_ITEMS });
  if (page.length === 0) return;
  const video = await ctx.db.get("videos", videoId);
  const pieces = video ? await loadPieces(ctx, video) : [];
  const hashes = new Map<string, Promise<string>>();
  const hashOf = ({ startSec, endSec }: NonNullable<Doc<"contentItems">["citation"]>) => {
    const key = `${startSec} ${endSec}`;
    const hash = hashes.get(key) ?? hashPieces(inSpan(pieces, { startSec, endSec }));
    hashes.set(key, hash);
    return hash;
  };
  for (const { _id, citation, staleAt } of page) {
    const stale = citation !== undefined && (await hashOf(citation)) !== citation.textHash;
    if (stale !== (staleAt !== undefined)) {
      await ctx.db.patch("contentItems", _id, { staleAt: stale ? now : undefined });
    }
  }
  if (!isDone) {
    await ctx.scheduler.runAfter(0, internal.transcripts.markStale, {
      videoId,
      cursor: continueCursor,
    });
  }
};
