// Groups words into segments, the lines of a transcript: sentences where there is punctuation,
// else what is said in one breath, and never longer than a person reads at a glance.
import type { Segment, Word } from "../contract/transcript.ts";
import { joinWords } from "./text.ts";

export interface SegmentOptions {
  /** BCP 47 tag for where sentences end; default `und`. */
  language?: string;
  /** A pause of this length ends a segment, default 1 s. */
  pauseSec?: number;
  /** Longest segment, default 15 s. */
  maxSec?: number;
  /** Longest segment in characters, default 240. */
  maxChars?: number;
}

// ICU ends a sentence after these.
const ABBREVIATION =
  /^(?:mr|mrs|ms|dr|prof|st|vs|jr|sr|sra|mme|hr|fr|bzw|z\.b|e\.g|i\.e|\p{L})\.$/iu;

const sentenceSegmenter = (language: string): Intl.Segmenter => {
  try {
    return new Intl.Segmenter(language, { granularity: "sentence" });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a provider may name a language its own way
    return new Intl.Segmenter("und", { granularity: "sentence" });
  }
};

/** For each word, whether a sentence ends with it. */
export const sentenceEnds = (words: readonly Word[], language = "und"): boolean[] => {
  const texts = words.map(({ text }) => text);
  const segmenter = sentenceSegmenter(language);
  const ends = new Set<number>();
  const text = joinWords(texts);
  for (const { index, segment } of segmenter.segment(text))
    ends.add(index + segment.trimEnd().length);
  let at = 0;
  return texts.map((word) => {
    at = text.indexOf(word, at) + word.length;
    return ends.has(at) && !ABBREVIATION.test(word);
  });
};

/** Where a run of words that is too long is best cut: at its longest pause, or after a comma. */
const cutPoint = (words: readonly Word[]): number => {
  let best = { at: Math.floor(words.length / 2), worth: -1 };
  for (let at = 1; at < words.length; at += 1) {
    const before = words[at - 1] as Word;
    const pauseSec = Math.max(0, (words[at] as Word).startSec - before.endSec);
    const comma = /[,;:–—、،]$/.test(before.text) ? 0.5 : 0;
    // Near the middle, so that no scrap is left over.
    const central = 1 - Math.abs(at / words.length - 0.5) * 2;
    const worth = pauseSec + comma + central * 0.5;
    if (worth > best.worth) best = { at, worth };
  }
  return best.at;
};

const split = (words: Word[], fits: (words: Word[]) => boolean): Word[][] => {
  const groups: Word[][] = [];
  const waiting = [words];
  for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
    if (group.length < 2 || fits(group)) groups.push(group);
    else {
      const at = cutPoint(group);
      waiting.push(group.slice(at), group.slice(0, at));
    }
  }
  return groups;
};

/**
 * @param words  in order
 * @returns segments in order that together hold every word once
 */
export const wordsToSegments = (
  words: readonly Word[],
  { language = "und", pauseSec = 1, maxSec = 15, maxChars = 240 }: SegmentOptions = {},
): Segment[] => {
  const ends = sentenceEnds(words, language);
  const groups: Word[][] = [];
  let group: Word[] = [];
  for (const [index, word] of words.entries()) {
    const previous = words[index - 1];
    const paused = previous !== undefined && word.startSec - previous.endSec >= pauseSec;
    if (group.length > 0 && (paused || ends[index - 1])) {
      groups.push(group);
      group = [];
    }
    group.push(word);
  }
  if (group.length > 0) groups.push(group);

  // Not by `Math.max(...)`: hours without a full stop are more words than a call has arguments.
  const endOf = (run: Word[]): number =>
    run.reduce((latest, { endSec }) => Math.max(latest, endSec), -Infinity);
  const fits = (run: Word[]): boolean =>
    endOf(run) - (run[0] as Word).startSec <= maxSec &&
    run.reduce((chars, { text }) => chars + text.length + 1, -1) <= maxChars;
  return groups
    .flatMap((run) => split(run, fits))
    .map((run) => ({
      text: joinWords(run.map(({ text }) => text)),
      startSec: (run[0] as Word).startSec,
      endSec: endOf(run),
    }));
};
