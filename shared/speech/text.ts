// Words as text: how a text falls into words, how words join to a text, and when two words are the
// same. Languages written without spaces are the reason this is not `split(" ")`.

const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
/** Signs that end a clause in those, and have their room in themselves. */
const CLOSING = /[。、！？]/;
const segmenter = new Intl.Segmenter("und", { granularity: "word" });

/** Words with the punctuation that touches them. */
export const splitWords = (text: string): string[] => {
  const words: string[] = [];
  for (const token of text.split(/\s+/)) {
    if (token === "") continue;
    if (!UNSPACED.test(token)) {
      words.push(token);
      continue;
    }
    for (const { segment, isWordLike } of segmenter.segment(token)) {
      const last = words.length - 1;
      if (isWordLike || last < 0 || !UNSPACED.test(words[last] as string)) words.push(segment);
      else words[last] += segment;
    }
  }
  return words;
};

const PUNCTUATION = /[\p{P}\p{S}]/gu;

/** What comparing two words goes by: no case, no punctuation, no accents. */
export const normalizeWord = (text: string): string =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").replace(PUNCTUATION, "").toLowerCase().trim();

/** The words as one text, with spaces where the script has them. */
export const joinWords = (words: readonly string[]): string => {
  const parts: string[] = [];
  // Kept apart: a growing string that is asked for its end is copied each time.
  let last = "";
  for (const word of words) {
    const unspaced = UNSPACED.test(word[0] ?? "") && (UNSPACED.test(last) || CLOSING.test(last));
    const part = last === "" || unspaced ? word : ` ${word}`;
    parts.push(part);
    last = part.at(-1) ?? last;
  }
  return parts.join("");
};

/**
 * Gives each word its share of a stretch of time, by its length in characters.
 * @returns words in order, without gaps, the last ending at `endSec`
 */
export const spreadWords = (
  texts: readonly string[],
  startSec: number,
  endSec: number,
): { text: string; startSec: number; endSec: number }[] => {
  const total = texts.reduce((sum, text) => sum + text.length + 1, 0);
  let at = 0;
  return texts.map((text) => {
    const from = startSec + ((endSec - startSec) * at) / total;
    at += text.length + 1;
    return { text, startSec: from, endSec: startSec + ((endSec - startSec) * at) / total };
  });
};
