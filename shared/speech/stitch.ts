// Joins what was heard in neighbouring ranges. Each range was transcribed with some seconds beyond
// both ends, so around a seam everything was heard twice, not quite the same: the seam is cut at a
// word that both heard, and each side's words are taken on its own side of it.
import type { Word } from "../contract/transcript.ts";
import { normalizeWord } from "./text.ts";

export interface HeardRange {
  /** The range itself, seconds after time zero; the next one begins where it ends. */
  startSec: number;
  endSec: number;
  /** Words in the video's time, also those heard beyond both ends; null where it was not heard. */
  words: Word[] | null;
}

/** How far apart two ranges may hear the same word. */
const SAME_WORD_SEC = 1.5;
/** Words this near the end of the sound may be cut off. */
const EDGE_SEC = 0.75;
/** Above this many comparisons (a hostile number of words) the seam is cut by time. */
const MAX_COMPARISONS = 4_000_000;

interface Match {
  left: number;
  right: number;
}

const middleSec = (word: Word): number => (word.startSec + word.endSec) / 2;

/**
 * The words that both sides heard, in order: the alignment with the most equal words, and of
 * those the one whose times agree best. Indexes into `left` and `right`.
 */
const align = (left: Word[], right: Word[]): Match[] => {
  const columns = right.length + 1;
  const score = new Float64Array((left.length + 1) * columns);
  const leftKeys = left.map(({ text }) => normalizeWord(text));
  const rightKeys = right.map(({ text }) => normalizeWord(text));
  const worth = (i: number, j: number): number => {
    if (leftKeys[i] !== rightKeys[j] || leftKeys[i] === "") return 0;
    const apartSec = Math.abs(middleSec(left[i] as Word) - middleSec(right[j] as Word));
    return apartSec > SAME_WORD_SEC ? 0 : 1 - (0.5 * apartSec) / SAME_WORD_SEC;
  };
  const at = (i: number, j: number): number => score[i * columns + j] as number;
  for (let i = left.length - 1; i >= 0; i -= 1)
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const here = worth(i, j);
      const taken = here > 0 ? here + at(i + 1, j + 1) : 0;
      score[i * columns + j] = Math.max(taken, at(i + 1, j), at(i, j + 1));
    }
  const matches: Match[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const here = worth(i, j);
    if (here > 0 && at(i, j) === here + at(i + 1, j + 1)) {
      matches.push({ left: i, right: j });
      i += 1;
      j += 1;
    } else if (at(i, j) === at(i + 1, j)) i += 1;
    else j += 1;
  }
  return matches;
};

/**
 * The match to cut at: the one that loses the fewest words which only one side heard, and of
 * those the one nearest the seam. A word at the edge of its side's sound does not count.
 */
const bestCut = (
  left: Word[],
  right: Word[],
  matches: Match[],
  seam: { atSec: number; fromSec: number; toSec: number },
): Match | undefined => {
  const inLeft = new Set(matches.map((match) => match.left));
  const inRight = new Set(matches.map((match) => match.right));
  const onlyLeft = left.map((word, i) => !inLeft.has(i) && middleSec(word) < seam.toSec - EDGE_SEC);
  const onlyRight = right.map(
    (word, j) => !inRight.has(j) && middleSec(word) > seam.fromSec + EDGE_SEC,
  );
  const count = (flags: boolean[]): number => flags.filter(Boolean).length;
  let best: { match: Match; lost: number; apartSec: number } | undefined;
  for (const match of matches) {
    const lost = count(onlyLeft.slice(match.left + 1)) + count(onlyRight.slice(0, match.right));
    const apartSec = Math.abs(middleSec(left[match.left] as Word) - seam.atSec);
    if (!best || lost < best.lost || (lost === best.lost && apartSec < best.apartSec))
      best = { match, lost, apartSec };
  }
  return best?.match;
};

/** @returns how many of `left` to keep, and how many of `right` to leave out */
const cutSeam = (
  left: Word[],
  right: Word[],
  atSec: number,
  overlapSec: number,
): { keepLeft: number; skipRight: number } => {
  const fromSec = atSec - overlapSec;
  const toSec = atSec + overlapSec;
  const leftFrom = left.findIndex((word) => word.endSec >= fromSec);
  const rightAfter = right.findLastIndex((word) => word.startSec <= toSec) + 1;
  const nearLeft = leftFrom === -1 ? [] : left.slice(leftFrom);
  const nearRight = right.slice(0, rightAfter);
  if (nearLeft.length * nearRight.length <= MAX_COMPARISONS) {
    const matches = align(nearLeft, nearRight);
    const cut = bestCut(nearLeft, nearRight, matches, { atSec, fromSec, toSec });
    if (cut) return { keepLeft: leftFrom + cut.left + 1, skipRight: cut.right + 1 };
  }
  const keepLeft = left.findIndex((word) => middleSec(word) >= atSec);
  const skipRight = right.findIndex((word) => middleSec(word) >= atSec);
  return {
    keepLeft: keepLeft === -1 ? left.length : keepLeft,
    skipRight: skipRight === -1 ? right.length : skipRight,
  };
};

const byTime = (words: Word[]): Word[] =>
  words.toSorted((a, b) => a.startSec - b.startSec || a.endSec - b.endSec);

/**
 * Every word once, in order, with rising start times. A word that both sides of a seam heard is
 * there once; one that a single side heard is kept unless it lies beyond the cut.
 * @param ranges  in order; a range that was not heard leaves its neighbours' words as they are
 * @param overlapSec  how far beyond both ends of a range it was heard, default 5
 */
export const stitchWords = (ranges: readonly HeardRange[], overlapSec = 5): Word[] => {
  const kept: Word[][] = [];
  let pending: Word[] | undefined;
  for (const { startSec, words } of ranges) {
    let ordered = words === null ? undefined : byTime(words);
    if (pending !== undefined && ordered !== undefined) {
      const { keepLeft, skipRight } = cutSeam(pending, ordered, startSec, overlapSec);
      pending = pending.slice(0, keepLeft);
      ordered = ordered.slice(skipRight);
    }
    if (pending !== undefined) kept.push(pending);
    pending = ordered;
  }
  if (pending !== undefined) kept.push(pending);
  let lastSec = -Infinity;
  return kept.flat().map((word) => {
    lastSec = Math.max(lastSec, word.startSec);
    if (word.startSec === lastSec && word.endSec >= lastSec) return word;
    return { ...word, startSec: lastSec, endSec: Math.max(lastSec, word.endSec) };
  });
};
