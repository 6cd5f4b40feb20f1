// How excited speech is, from its words alone: interjections, shouting in capitals, stretched and
// repeated words, exclamation marks, and strong sentiment. Calm talk of whatever length counts zero.
import type { Segment, Word } from "../contract/transcript.ts";

const INTERJECTIONS = new Set(
  (
    "wow whoa woah omg oh ooh oooh ah aah ahh yes yeah yay no nope hey holy damn dang god gosh jesus " +
    "insane crazy unbelievable incredible amazing awesome epic clutch huge massive legendary sick " +
    "unreal ridiculous impossible wild lets go run quick look watch what how never ever finally " +
    "actually literally scream screaming goal victory win won yikes oof ouch hell shit fuck fucking " +
    "bro dude guys insanity perfect destroyed nuts"
  ).split(" "),
);
/** Words that only say something where they stand close together, at half the worth. */
const COMMON = new Set(
  "oh no yes yeah go hey what how look watch run never ever actually literally guys bro dude win won finally quick god ah".split(
    " ",
  ),
);

const wordWorth = (raw: string, previous: string): number => {
  const letters = raw.replace(/[^\p{L}]+/gu, "");
  if (letters === "") return 0;
  const lower = letters.toLowerCase();
  let worth = 0;
  if (INTERJECTIONS.has(lower)) worth += COMMON.has(lower) ? 0.25 : 0.6;
  if (letters.length >= 4 && letters === letters.toUpperCase() && lower !== letters) worth += 0.5;
  if (/(\p{L})\1{2}/iu.test(letters)) worth += 0.5;
  if (lower === previous) worth += 0.5;
  if (raw.includes("!")) worth += 0.6;
  return worth;
};

const plain = (raw: string): string => raw.replace(/[^\p{L}]+/gu, "").toLowerCase();

/** Words of the segments, spread evenly over each, where the words' own times are not known. */
const wordsOf = (segments: readonly Segment[]): Word[] =>
  segments.flatMap((segment) => {
    const texts = segment.text.split(/\s+/u).filter((text) => text !== "");
    const step = (segment.endSec - segment.startSec) / Math.max(1, texts.length);
    return texts.map((text, i) => ({
      text,
      startSec: segment.startSec + i * step,
      endSec: segment.startSec + (i + 1) * step,
    }));
  });

/** A sentiment up to this strong is ordinary talk. */
const ORDINARY_SENTIMENT = 0.5;

/**
 * Marks of excitement per second.
 *
 * @param sentiment the analysis' `speechSentiment`, NaN where nobody speaks
 */
export const excitementPerSec = (
  words: readonly Word[],
  segments: readonly Segment[],
  sentiment: Float64Array,
): Float64Array => {
  const perSec = sentiment.map((s) =>
    Number.isNaN(s) ? 0 : 0.3 * Math.max(0, Math.abs(s) - ORDINARY_SENTIMENT),
  );
  // Captions' sentences carry the signs that some engines' words lack; the richer text counts.
  const timed = words.length > 0 ? words : wordsOf(segments);
  let previous = "";
  for (const word of timed) {
    const sec = Math.floor(word.startSec);
    const worth = wordWorth(word.text, previous);
    if (sec >= 0 && sec < perSec.length) perSec[sec] = perSec[sec]! + worth;
    previous = plain(word.text);
  }
  return perSec;
};

/** Marks of excitement in a text, by the same measure. */
export const excitementOf = (text: string): number => {
  let previous = "";
  let sum = 0;
  for (const raw of text.split(/\s+/u)) {
    sum += wordWorth(raw, previous);
    previous = plain(raw);
  }
  return sum;
};
