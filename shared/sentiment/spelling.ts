// Finds the word that was meant where the lexicon does not have it as it is written: drawn out,
// shortened, run together behind a hash.
import type { Entry } from "./lexicon.ts";

type Words = ReadonlyMap<string, Entry>;

const MIN_TAG_ENDING = 4;
/** A word inside a longer one lends its meaning only when it is at least this strong. */
export const MIN_ENDING_VALENCE = 1.5;

/** "soooo" with its runs of three and more cut to `keep` letters; a run of two is spelling. */
const shortenRuns = (word: string, keep: number): string => {
  let out = "";
  for (let at = 0; at < word.length;) {
    let end = at + 1;
    while (end < word.length && word[end] === word[at]) end += 1;
    out += word[at]!.repeat(end - at > 2 ? keep : end - at);
    at = end;
  }
  return out;
};

const drawnOut = (words: Words, word: string): Entry | undefined =>
  words.get(shortenRuns(word, 2)) ?? words.get(shortenRuns(word, 1));

const variant = (words: Words, word: string): Entry | undefined => {
  if (word.length < 3) return undefined;
  if (word.endsWith("n't")) return words.get("not");
  if (word.endsWith("'s")) return words.get(word.slice(0, -2));
  if (word.endsWith("in")) return words.get(`${word}g`);
  if (word.at(-1) === word.at(-2)) return words.get(word.slice(0, -1));
  const hyphen = word.indexOf("-");
  return hyphen > 0 ? words.get(word.slice(0, hyphen) + word.slice(hyphen + 1)) : undefined;
};

/** A tag is a phrase without its spaces and ends in what matters: "#careerfail". */
const lastWordOfTag = (words: Words, tag: string): Entry | undefined => {
  for (let from = 1; from <= tag.length - MIN_TAG_ENDING; from += 1) {
    const entry = words.get(tag.slice(from));
    if (entry !== undefined && Math.abs(entry.valence) >= MIN_ENDING_VALENCE) return entry;
  }
  return undefined;
};

/**
 * What an unknown word stands for.
 * @param word  in lower case, at most a few dozen letters
 * @param longestRepeat  the same letter this often in a row
 * @param tagged  whether a hash stands before it
 */
export const respell = (
  words: Words,
  word: string,
  longestRepeat: number,
  tagged: boolean,
): Entry | undefined =>
  (longestRepeat >= 3 ? drawnOut(words, word) : undefined) ??
  variant(words, word) ??
  (tagged ? lastWordOfTag(words, word) : undefined);

/** "hahaha", "jajaja", "ahahah" in any length. */
export const isLaughter = (word: string): boolean => {
  let consonants = 0;
  for (let at = 0; at < word.length; at += 1) {
    const letter = word[at]!;
    if (letter === "h" || letter === "j") consonants += 1;
    else if (!"aeio".includes(letter)) return false;
  }
  return word.length >= 4 && consonants >= 2 && consonants * 3 >= word.length;
};
