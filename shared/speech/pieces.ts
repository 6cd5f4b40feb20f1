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
/** Days of video: further on, only what has too much text is left. */
const MAX_GRID_SEC = 3600;

interface Part extends TranscriptPiece {
  bytes: number;
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** What the segments say, on one line each and cut to size, up to what all pieces together hold. */
const partsOf = (segments: readonly Segment[]): Part[] => {
  const parts: Part[] = [];
  let room = MAX_PIECES * MAX_PIECE_BYTES;
  for (const { text, startSec, endSec } of segments) {
    if (room <= 0) break;
    // A character torn in two would not reach the database.
    const cleaned = text.slice(0, room).replace(/\s+/gu, " ").toWellFormed();
    for (const part of cutText(cleaned, MAX_PIECE_BYTES)) {
      const bytes = bytesOf(part);
      parts.push({ text: part, startSec, endSec: Math.max(startSec, endSec), bytes });
      room -= bytes;
    }
  }
  return parts;
};

/** Joins what begins in the same stretch of the grid, as far as it fits. */
const onGrid = (parts: readonly Part[], gridSec: number): TranscriptPiece[] => {
  const pieces: { texts: string[]; startSec: number; endSec: number; bytes: number }[] = [];
  for (const { text, startSec, endSec, bytes } of parts) {
    const open = pieces.at(-1);
    const together = open && Math.floor(open.startSec / gridSec) === Math.floor(startSec / gridSec);
    if (together && open.bytes + 1 + bytes <= MAX_PIECE_BYTES) {
      open.texts.push(text);
      open.endSec = Math.max(open.endSec, endSec);
      open.bytes += 1 + bytes;
    } else {
      pieces.push({ texts: [text], startSec, endSec, bytes });
    }
  }
  return pieces.map(({ texts, startSec, endSec }) => ({ text: texts.join(" "), startSec, endSec }));
};

/**
 * Pieces in order of time, each with at most 4 KiB of text; of more than a minute where there would
 * be more than 1,024 of them. What even so has no room, at the end of 4 MiB of text, is left out.
 */
export const toPieces = (segments: readonly Segment[]): TranscriptPiece[] => {
  const inOrder = segments
    .filter(({ startSec, endSec }) => startSec >= 0 && Number.isFinite(startSec + endSec))
    .toSorted((a, b) => a.startSec - b.startSec);
  const parts = partsOf(inOrder);
  for (let gridSec = MINUTE_SEC; ; gridSec *= 2) {
    const pieces = onGrid(parts, gridSec);
    if (pieces.length <= MAX_PIECES || gridSec > MAX_GRID_SEC) return pieces.slice(0, MAX_PIECES);
  }
};
