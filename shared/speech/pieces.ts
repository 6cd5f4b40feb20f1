// Cuts a transcript into the pieces that the database keeps and searches: a minute each, on a fixed
// grid, so that words which come or go somewhere leave every other minute's piece as it is.
import {
  MAX_PIECES,
  MAX_PIECE_BYTES,
  type TranscriptPiece,
  cutText,
} from "../contract/findings.ts";
import type { Segment } from "../contract/transcript.ts";

const MINUTE_SEC = 60;

/** A segment's text on one line; a character torn in two would not reach the database. */
const cleaned = (text: string): string => text.replace(/\s+/gu, " ").trim().toWellFormed();

const onGrid = (segments: readonly Segment[], gridSec: number): TranscriptPiece[] => {
  const pieces: TranscriptPiece[] = [];
  let openSlot: number | undefined;
  for (const { text, startSec, endSec } of segments) {
    const slot = Math.floor(startSec / gridSec);
    for (const part of cutText(cleaned(text), MAX_PIECE_BYTES)) {
      const open = slot === openSlot ? pieces.at(-1) : undefined;
      const joined = open && `${open.text} ${part}`;
      if (open && joined && new TextEncoder().encode(joined).length <= MAX_PIECE_BYTES) {
        open.text = joined;
        open.endSec = Math.max(open.endSec, endSec);
      } else {
        pieces.push({ startSec, endSec: Math.max(startSec, endSec), text: part });
      }
      openSlot = slot;
    }
  }
  return pieces;
};

/**
 * Pieces in order of time, each with at most 4 KiB of text; of more than a minute where there would
 * be more than 1,024 of them. What even so has no room, at the end of 4 MiB of text, is left out.
 */
export const toPieces = (segments: readonly Segment[]): TranscriptPiece[] => {
  const inOrder = segments
    .filter(({ startSec, endSec }) => startSec >= 0 && Number.isFinite(startSec + endSec))
    .toSorted((a, b) => a.startSec - b.startSec);
  for (let gridSec = MINUTE_SEC; ; gridSec *= 2) {
    const pieces = onGrid(inOrder, gridSec);
    if (pieces.length <= MAX_PIECES || gridSec > 60 * MINUTE_SEC)
      return pieces.slice(0, MAX_PIECES);
  }
};
