// What a finished job tells the library: the transcript and the outline of its video.
// `shared/cloud/library.ts` sends it to Convex.
import type {
  Outline,
  OutlinePublished,
  TranscriptActivated,
  TranscriptAppended,
  TranscriptBegun,
  TranscriptPiece,
} from "../contract/findings.ts";
import type { Claimed } from "./ledger.ts";

/**
 * Every call may come twice. Each throws {StageError} `ledger_unavailable` where the database is
 * away after a few tries, or with the code of what is refused.
 */
export interface Library {
  /** @param generation SHA-256 of the pieces, in hex */
  beginTranscript(task: Claimed, generation: string): Promise<TranscriptBegun>;
  /** @param first number of the first of these pieces; at most 64 of them */
  appendTranscript(
    task: Claimed,
    generation: string,
    first: number,
    pieces: TranscriptPiece[],
  ): Promise<TranscriptAppended>;
  /** @param language BCP 47 */
  activateTranscript(
    task: Claimed,
    generation: string,
    count: number,
    language: string | undefined,
  ): Promise<TranscriptActivated>;
  publishOutline(task: Claimed, outline: Outline): Promise<OutlinePublished>;
}
