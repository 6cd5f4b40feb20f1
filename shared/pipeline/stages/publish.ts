// Tells the library what a job found: topics, highlights, and the transcript in batches. Safe at every
// repetition: a transcript that is there is not sent again, one that is there in part goes on.
import { createHash } from "node:crypto";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import {
  MAX_OUTLINE_TITLE_CHARS,
  MAX_PIECES_PER_CALL,
  type Outline,
  type TranscriptPiece,
} from "../../contract/findings.ts";
import type { TaskInput } from "../../contract/ledger.ts";
import { findChapters } from "../../highlights/chapters.ts";
import { toPieces } from "../../speech/pieces.ts";
import { stagePrefix } from "../key.ts";
import type { Claimed } from "../ledger.ts";
import type { Library } from "../library.ts";
import { readHighlights, readTranscript } from "./documents.ts";
import { readPlan, upstreamKey } from "./plan.ts";

/** A language that nobody knows is `und`, or not told at all. */
const knownLanguage = (language: string): string | undefined =>
  /^(?!und$)[A-Za-z0-9-]{2,35}$/.test(language) ? language : undefined;

const sendTranscript = async (
  library: Library,
  task: Claimed,
  pieces: TranscriptPiece[],
  language: string | undefined,
): Promise<void> => {
  const generation = createHash("sha256").update(JSON.stringify(pieces)).digest("hex");
  const begun = await library.beginTranscript(task, generation);
  if (begun.kind !== "append") return;
  for (let next = begun.next; next < pieces.length;) {
    const batch = pieces.slice(next, next + MAX_PIECES_PER_CALL);
    const answer = await library.appendTranscript(task, generation, next, batch);
    if (answer.kind === "over") return;
    next = answer.next;
  }
  await library.activateTranscript(task, generation, pieces.length, language);
};

const shortTitle = (title: string): string =>
  title.slice(0, MAX_OUTLINE_TITLE_CHARS).toWellFormed();

/**
 * Publishes the outline, and where something was said the transcript.
 * @param task  the attempt, which must hold its lease; without, or for a video that is gone or has a
 *   newer job, nothing is published
 * @throws {StageError} `ledger_unavailable`
 */
export const publishFindings = async (
  { store, library }: { store: ObjectStore; library: Library },
  input: TaskInput,
  attempt: number,
): Promise<void> => {
  const { jobId, stage, index } = input;
  const task = { jobId, stage, index, attempt };
  const [plan, { highlights }, transcript] = await Promise.all([
    readPlan(store, input),
    readHighlights(store, stagePrefix("highlights", upstreamKey(input, "highlights"))),
    readTranscript(store, stagePrefix("analyze", upstreamKey(input, "analyze"))),
  ]);
  const segments = transcript?.segments ?? [];
  const { durationSec } = plan.source;
  const outline: Outline = {
    chapters: findChapters({ highlights, segments, durationSec }).map((chapter) => ({
      ...chapter,
      title: shortTitle(chapter.title),
    })),
    highlights: highlights.map(({ rank, title, startSec, endSec, score }) => ({
      rank,
      title: shortTitle(title),
      startSec,
      endSec,
      score,
    })),
  };
  if ((await library.publishOutline(task, outline)).kind === "over") return;
  const pieces = toPieces(segments);
  if (!transcript || pieces.length === 0) return;
  await sendTranscript(library, task, pieces, knownLanguage(transcript.language));
};
