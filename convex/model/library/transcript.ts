// A video's transcript as it is read: the pieces of the generation that the video's row names, or
// the text that came with the video. All of one is at most 4 MiB, so that a transaction reads it.
import { GIVEN_GENERATION, MAX_PIECES } from "#shared/contract/findings.ts";
import type { Doc } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { sha256Hex } from "../secret.ts";

type Video = Pick<Doc<"videos">, "_id" | "transcript" | "transcriptGeneration">;
type Piece = Pick<Doc<"transcriptCues">, "startSec" | "endSec" | "text">;

/** Seconds; without either: from the beginning, to the end. */
interface Span {
  startSec?: number;
  endSec?: number;
}

export const hasTranscript = ({ transcript, transcriptGeneration }: Video): boolean =>
  transcriptGeneration !== undefined || (transcript ?? "").trim() !== "";

/** Whether the pieces come from the text in the video's row, which then is what is read. */
const isGiven = ({ transcriptGeneration }: Video): boolean =>
  transcriptGeneration === undefined || transcriptGeneration.startsWith(GIVEN_GENERATION);

/** All pieces in order; one without times for a transcript that came with the video. */
export const loadPieces = async (ctx: QueryCtx, video: Video): Promise<Piece[]> => {
  const { _id, transcript = "", transcriptGeneration: generation } = video;
  if (isGiven(video) || generation === undefined) {
    return transcript.trim() === "" ? [] : [{ text: transcript }];
  }
  return ctx.db
    .query("transcriptCues")
    .withIndex("by_video_and_generation_and_index", (q) =>
      q.eq("videoId", _id).eq("generation", generation),
    )
    .take(MAX_PIECES);
};

/**
 * Of pieces in order, those that are said, wholly or in part, in a span; a piece without times is in
 * every one. Of pieces that begin before the span only the latest counts.
 */
export const inSpan = (
  pieces: readonly Piece[],
  { startSec = 0, endSec = Number.MAX_VALUE }: Span,
): Piece[] => {
  const before = pieces.findLast((piece) => (piece.startSec ?? 0) <= startSec);
  const fromSec = before?.startSec ?? 0;
  return pieces.filter(
    (piece) =>
      piece.startSec === undefined ||
      piece.endSec === undefined ||
      (piece.startSec >= fromSec && piece.startSec < endSec && piece.endSec >= startSec),
  );
};

/** SHA-256, in hex, of what pieces say, whatever the spaces in it: what a citation keeps. */
export const hashPieces = (pieces: readonly Piece[]): Promise<string> =>
  sha256Hex(pieces.map(({ text }) => text.replaceAll(/\s+/g, "")).join(""));
