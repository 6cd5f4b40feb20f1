// Chapters in the form that YouTube reads from a description: the first at 0:00, each at least ten
// seconds long, three at least. Highlights begin chapters, and so do pauses of the speech after which
// other words are used.
import type { Highlight } from "../contract/analysis.ts";
import type { Segment } from "../contract/transcript.ts";
import { formatTime } from "./formatTime.ts";
import { shorten } from "./title.ts";

/** YouTube ignores a list with a shorter chapter, or with fewer than three. */
const MIN_CHAPTER_SEC = 10;
const MIN_CHAPTERS = 3;
const MAX_CHAPTERS = 100;
/** Longer stretches are divided where the talk changes. */
const LONG_CHAPTER_SEC = 600;

export interface ChapterInput {
  highlights: readonly Highlight[];
  segments: readonly Segment[];
  durationSec: number;
}

interface Chapter {
  startSec: number;
  title?: string;
}

/** The words of what is said between two times, each once; short ones say nothing of the topic. */
const topicWords = (segments: readonly Segment[], fromSec: number, toSec: number): Set<string> =>
  new Set(
    segments
      .filter((segment) => segment.startSec >= fromSec && segment.startSec < toSec)
      .flatMap((segment) => segment.text.toLowerCase().match(/\p{L}{4,}/gu) ?? []),
  );

const TOPIC_SEC = 45;

/** How much the topic changes at a time, 0 to 1: the share of words that only one side has. */
const topicShift = (segments: readonly Segment[], sec: number): number => {
  const before = topicWords(segments, sec - TOPIC_SEC, sec);
  const after = topicWords(segments, sec, sec + TOPIC_SEC);
  const shared = [...before].filter((word) => after.has(word)).length;
  return 1 - shared / Math.max(1, Math.min(before.size, after.size));
};

/** How many pauses of a stretch are looked at closely. */
const CANDIDATES = 12;

/** The best second between two chapters to begin a new one, with room for `more` after it. */
const splitAt = (
  segments: readonly Segment[],
  fromSec: number,
  toSec: number,
  more: number,
): number => {
  const middle = fromSec + (toSec - fromSec) / (more + 1);
  const lastSec = toSec - more * MIN_CHAPTER_SEC;
  const room = (toSec - fromSec) / 2;
  const pauses = segments
    .map(({ startSec }, i) => ({
      startSec: Math.floor(startSec),
      pauseSec: Math.min(10, startSec - (segments[i - 1]?.endSec ?? 0)),
    }))
    .filter(({ startSec }) => startSec >= fromSec + MIN_CHAPTER_SEC && startSec <= lastSec)
    .sort((a, b) => b.pauseSec - a.pauseSec || a.startSec - b.startSec)
    .slice(0, CANDIDATES);
  let best = Math.max(fromSec + MIN_CHAPTER_SEC, Math.floor(middle));
  let bestWorth = Number.NEGATIVE_INFINITY;
  for (const { startSec, pauseSec } of pauses) {
    const worth =
      pauseSec / 2 + topicShift(segments, startSec) - (2 * Math.abs(startSec - middle)) / room;
    if (worth > bestWorth) [best, bestWorth] = [startSec, worth];
  }
  return best;
};

const ends = (chapters: readonly Chapter[], durationSec: number): number[] =>
  chapters.map((_, i) => chapters[i + 1]?.startSec ?? durationSec);

const chaptersOf = ({ highlights, segments, durationSec }: ChapterInput): Chapter[] => {
  const chapters: Chapter[] = [{ startSec: 0 }];
  for (const { startSec, title } of highlights) {
    const at = Math.floor(startSec);
    const clear = chapters.every((chapter) => Math.abs(chapter.startSec - at) >= MIN_CHAPTER_SEC);
    if (clear && durationSec - at >= MIN_CHAPTER_SEC) chapters.push({ startSec: at, title });
    // A highlight at the very beginning gives the first chapter its name.
    else if (at < MIN_CHAPTER_SEC) chapters[0] = { title, ...chapters[0]! };
  }
  chapters.sort((a, b) => a.startSec - b.startSec);
  while (chapters.length < MAX_CHAPTERS) {
    const lengths = ends(chapters, durationSec).map((end, i) => end - chapters[i]!.startSec);
    const longest = Math.max(...lengths);
    const enough = chapters.length >= MIN_CHAPTERS && longest <= LONG_CHAPTER_SEC;
    if (enough || longest < 2 * MIN_CHAPTER_SEC) break;
    const at = lengths.indexOf(longest);
    const from = chapters[at]!.startSec;
    const missing = Math.max(1, MIN_CHAPTERS - chapters.length);
    const more = Math.min(missing, Math.floor(longest / MIN_CHAPTER_SEC) - 1);
    chapters.splice(at + 1, 0, { startSec: splitAt(segments, from, from + longest, more) });
  }
  return chapters;
};

/** A stretch of the video with a name, in seconds. */
export interface NamedChapter {
  title: string;
  startSec: number;
  endSec: number;
}

/**
 * The chapters in order, from 0 to the end. A video below 30 s has too little room for three chapters
 * and gets fewer.
 */
export const findChapters = (input: ChapterInput): NamedChapter[] => {
  const chapters = chaptersOf(input);
  const until = ends(chapters, input.durationSec);
  return chapters.map(({ startSec, title }, i) => {
    const endSec = until[i]!;
    const said = input.segments.find(
      (segment) => segment.startSec >= startSec - 1 && segment.startSec < endSec,
    );
    const named = shorten(title ?? said?.text ?? "");
    return {
      title: named !== "" ? named : i === 0 ? "Start" : `Part ${i + 1}`,
      startSec,
      endSec: Math.max(startSec, endSec),
    };
  });
};

/** The text of `chapters.txt`, one `m:ss Title` a line. */
export const toChapters = (input: ChapterInput): string =>
  findChapters(input)
    .map(({ startSec, title }) => `${formatTime(startSec)} ${title}\n`)
    .join("");
