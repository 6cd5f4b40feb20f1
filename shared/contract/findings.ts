// What the pipeline tells the library of a finished analysis: the transcript in pieces, the topics
// and the highlights. Both sides agree on the limits here.

/** A piece of a transcript: about a minute of it, in one row. */
export interface TranscriptPiece {
  /** Seconds after time zero. */
  startSec: number;
  endSec: number;
  text: string;
}

/** UTF-8 bytes of a piece's text; four times what the fastest speech has in a minute. */
export const MAX_PIECE_BYTES = 4 * 1024;
/** Pieces of a transcript: all of one, 4 MiB, is read in one transaction. */
export const MAX_PIECES = 1024;
/** Pieces in one call: 256 KiB at most. */
export const MAX_PIECES_PER_CALL = 64;

export interface OutlineChapter {
  title: string;
  startSec: number;
  endSec: number;
}
export interface OutlineHighlight extends Omit<OutlineChapter, "title"> {
  title?: string;
  /** 1 is the best. */
  rank: number;
  score: number;
}
export interface Outline {
  chapters: OutlineChapter[];
  highlights: OutlineHighlight[];
}

export const MAX_OUTLINE_CHAPTERS = 200;
export const MAX_OUTLINE_HIGHLIGHTS = 100;
export const MAX_OUTLINE_TITLE_CHARS = 300;

/** Begins the generation of a transcript that came with the video instead of from the pipeline. */
export const GIVEN_GENERATION = "given-";

/** The pipeline's task asking, as in the ledger: an attempt that has lost it writes nothing. */
export type TranscriptBegun =
  /** Send the pieces from this number on. */
  | { kind: "append"; next: number }
  /** This transcript is the video's already. */
  | { kind: "active" }
  /** The video is gone, or has a newer job, or the task is another attempt's: nothing to do. */
  | { kind: "over" };
export type TranscriptAppended = { kind: "appended"; next: number } | { kind: "over" };
export type TranscriptActivated = { kind: "active" } | { kind: "over" };
export type OutlinePublished = { kind: "published" } | { kind: "over" };

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/**
 * Cuts a text so that no part has more than `maxBytes` of UTF-8, at spaces where there are any. The
 * parts together have every character but the spaces between them.
 */
export const cutText = (text: string, maxBytes: number): string[] => {
  const parts: string[] = [];
  // A character has at least one byte, so that this many never fit twice.
  for (let rest = text.trim(); rest !== "";) {
    let part = rest.slice(0, maxBytes);
    while (bytesOf(part) > maxBytes) part = part.slice(0, Math.floor(part.length * 0.8));
    if (part.length < rest.length && !/\s/.test(rest[part.length] ?? "")) {
      const space = part.search(/\s\S*$/);
      if (space > 0) part = part.slice(0, space);
      // Never between the two halves of one character.
      else if (/[\uD800-\uDBFF]$/.test(part)) part = part.slice(0, -1);
    }
    parts.push(part.trim());
    rest = rest.slice(part.length).trim();
  }
  return parts;
};
