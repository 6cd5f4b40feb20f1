// What the analysis found in a video, topics and highlights, in one row: bounded, so that whoever
// drafts a course from it reads it at once.
import {
  MAX_OUTLINE_CHAPTERS,
  MAX_OUTLINE_HIGHLIGHTS,
  MAX_OUTLINE_TITLE_CHARS,
  type Outline,
} from "#shared/contract/findings.ts";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../../_generated/server.js";
import { refuse } from "../access.ts";

export const loadOutline = (
  ctx: QueryCtx,
  videoId: Id<"videos">,
): Promise<Doc<"videoOutlines"> | null> =>
  ctx.db
    .query("videoOutlines")
    .withIndex("by_video", (q) => q.eq("videoId", videoId))
    .unique();

const problemOf = ({ chapters, highlights }: Outline): string | null => {
  if (chapters.length > MAX_OUTLINE_CHAPTERS) return `at most ${MAX_OUTLINE_CHAPTERS} chapters`;
  if (highlights.length > MAX_OUTLINE_HIGHLIGHTS) {
    return `at most ${MAX_OUTLINE_HIGHLIGHTS} highlights`;
  }
  for (const { startSec, endSec, title } of [...chapters, ...highlights]) {
    if (!(startSec >= 0 && endSec >= startSec && Number.isFinite(endSec))) {
      return "times must be seconds in their order";
    }
    if ((title ?? "").length > MAX_OUTLINE_TITLE_CHARS) {
      return `a title has at most ${MAX_OUTLINE_TITLE_CHARS} characters`;
    }
  }
  const numbers = highlights.flatMap(({ rank, score }) => [rank, score]);
  return numbers.every(Number.isFinite) ? null : "ranks and scores must be finite";
};

/** Takes the place of the video's outline. @throws {ConvexError} `invalid_request` */
export const writeOutline = async (
  ctx: MutationCtx,
  videoId: Id<"videos">,
  jobId: string,
  outline: Outline,
): Promise<void> => {
  const problem = problemOf(outline);
  if (problem) throw refuse("invalid_request", `Outline: ${problem}.`);
  const { chapters, highlights } = outline;
  const row = { videoId, jobId, chapters, highlights, createdAt: Date.now() };
  const earlier = await loadOutline(ctx, videoId);
  if (earlier) await ctx.db.replace("videoOutlines", earlier._id, row);
  else await ctx.db.insert("videoOutlines", row);
};
