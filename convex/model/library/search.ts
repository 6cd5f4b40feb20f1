// Finding what was said: pieces of people's own transcripts, and a transcript a page at a time.
import type { PaginationOptions } from "convex/server";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { boundedPage } from "../listing.ts";
import { loadVideo } from "./gate.ts";
import { loadPieces } from "./transcript.ts";

/** Pieces of a page. */
const MAX_PAGE_PIECES = 200;
/** What is found may be of a generation that nobody reads any more: so many times more are asked for. */
const SURPLUS = 2;

export interface Found {
  videoId: Id<"videos">;
  title: string;
  text: string;
  startSec?: number;
  endSec?: number;
}

export interface Search {
  query: string;
  ownerId: string;
  /** In this video alone. */
  videoId: Id<"videos"> | undefined;
  limit: number;
}

/** Where it is said in an owner's videos, best match first. */
export const searchPieces = async (
  ctx: QueryCtx,
  { query, ownerId, videoId, limit }: Search,
): Promise<Found[]> => {
  if (query === "") return [];
  const rows = await ctx.db
    .query("transcriptCues")
    .withSearchIndex("search_text", (q) => {
      const own = q.search("text", query).eq("ownerId", ownerId);
      return videoId === undefined ? own : own.eq("videoId", videoId);
    })
    .take(SURPLUS * limit);
  const videos = new Map<Id<"videos">, Doc<"videos"> | null>();
  const found: Found[] = [];
  for (const { videoId: of, generation, text, startSec, endSec } of rows) {
    const video = videos.get(of) ?? (await loadVideo(ctx, of));
    videos.set(of, video);
    if (video?.transcriptGeneration !== generation) continue;
    found.push({ videoId: of, title: video.title, text, startSec, endSec });
    if (found.length === limit) break;
  }
  return found;
};

/** A page of a video's transcript, in order. */
export const transcriptPage = async (
  ctx: QueryCtx,
  video: Doc<"videos">,
  asked: PaginationOptions,
) => {
  const generation = video.transcriptGeneration;
  if (generation === undefined) {
    const page = asked.cursor === null ? await loadPieces(ctx, video) : [];
    return { page: page.map(({ text }) => ({ text })), isDone: true, continueCursor: "" };
  }
  const { page, isDone, continueCursor } = await ctx.db
    .query("transcriptCues")
    .withIndex("by_video_and_generation_and_index", (q) =>
      q.eq("videoId", video._id).eq("generation", generation),
    )
    .paginate(boundedPage(asked, MAX_PAGE_PIECES));
  return {
    page: page.map(({ text, startSec, endSec }) => ({ text, startSec, endSec })),
    isDone,
    continueCursor,
  };
};
