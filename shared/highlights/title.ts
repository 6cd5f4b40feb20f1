// A few words for a moment: of what was said, else of what chat wrote, else its time.
import type { ChatMessage } from "../contract/chat.ts";
import type { Segment, Word } from "../contract/transcript.ts";
import { excitementOf } from "./excitement.ts";
import { formatTime } from "./formatTime.ts";

const MAX_WORDS = 8;
const MAX_LETTERS = 60;
/** A sentence ends where this long nothing is said, if no sign says so. */
const SENTENCE_PAUSE_SEC = 0.7;

interface Sentence {
  text: string;
  startSec: number;
  endSec: number;
}

const sentencesOf = (words: readonly Word[]): Sentence[] => {
  const sentences: Sentence[] = [];
  let open: Sentence | undefined;
  for (const word of words) {
    if (open !== undefined && word.startSec - open.endSec > SENTENCE_PAUSE_SEC) open = undefined;
    if (open === undefined) {
      open = { text: word.text, startSec: word.startSec, endSec: word.endSec };
      sentences.push(open);
    } else {
      open.text += ` ${word.text}`;
      open.endSec = word.endSec;
    }
    if (/[.!?…]["”’)]?$/u.test(word.text)) open = undefined;
  }
  return sentences;
};

/**
 * At most eight words and sixty letters, on one line, without the full stop. Whoever wrote the text
 * may have put control characters in it, which would move a terminal's cursor.
 */
export const shorten = (text: string): string => {
  const words = text
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .split(" ");
  let short = "";
  for (const word of words.slice(0, MAX_WORDS)) {
    if (short !== "" && short.length + 1 + word.length > MAX_LETTERS) break;
    short =
      short === ""
        ? word.slice(0, MAX_LETTERS).replace(/[\uD800-\uDBFF]$/u, "")
        : `${short} ${word}`;
  }
  const cut = short.length < words.join(" ").length;
  return cut ? `${short.replace(/[,.;:!?…-]+$/u, "")}…` : short.replace(/[.,;:]+$/u, "");
};

const capitalised = (text: string): string =>
  text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());

const fromSpeech = (sentences: readonly Sentence[], peakSec: number): string | undefined => {
  let best: string | undefined;
  let bestWorth = Number.NEGATIVE_INFINITY;
  for (const { text, startSec, endSec } of sentences) {
    const count = text.split(/\s+/u).length;
    const away = Math.max(0, startSec - peakSec, peakSec - endSec);
    // Excited, near the peak, and long enough to say something.
    const worth = excitementOf(text) / Math.sqrt(count) + Math.min(count, 4) / 4 - away / 10;
    if (/\p{L}/u.test(text) && worth > bestWorth) [best, bestWorth] = [text, worth];
  }
  return best;
};

const MAX_CHAT_WORDS = 3;

/** Words that say nothing of a moment; what is left in other languages is weighed by how usual it is. */
const EMPTY_WORDS = new Set(
  (
    "the and for are was were that this with you your they them their she her his him its what when " +
    "who how why not but have has had does did can could will would should just like there here from " +
    "about get got out all any some one too very than then now been being ever ive dont thats cant into"
  ).split(" "),
);

const isTelling = (word: string): boolean => {
  const letters = word.replace(/[^\p{L}]+/gu, "").toLowerCase();
  return (
    letters.length >= 3 &&
    word.length <= 25 &&
    !EMPTY_WORDS.has(letters) &&
    !/^(?:@|!|https?:|cheer\d)/iu.test(word)
  );
};

const chatWords = (body: string): Set<string> => new Set(body.split(/\s+/u).filter(isTelling));

/** The words that more people write in the moment than elsewhere. */
const fromChat = (
  inMoment: readonly ChatMessage[],
  usualWords: () => ReadonlyMap<string, number>,
): string | undefined => {
  const counts = new Map<string, { shown: string; count: number }>();
  for (const message of inMoment) {
    for (const word of chatWords(message.body)) {
      const known = counts.get(word.toLowerCase());
      if (known === undefined) counts.set(word.toLowerCase(), { shown: word, count: 1 });
      else known.count += 1;
    }
  }
  const usual = usualWords();
  const telling = [...counts]
    .filter(([, { count }]) => count >= 2)
    .map(([word, { shown, count }]) => ({
      shown,
      worth: count / Math.sqrt(1 + (usual.get(word) ?? count)),
    }))
    .sort((a, b) => b.worth - a.worth || (a.shown < b.shown ? -1 : 1))
    .slice(0, MAX_CHAT_WORDS);
  return telling.length === 0 ? undefined : telling.map(({ shown }) => shown).join(", ");
};

/** In how many messages each word stands, for telling which words are special to a moment. */
export const wordCounts = (messages: readonly ChatMessage[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const message of messages) {
    for (const word of chatWords(message.body)) {
      counts.set(word.toLowerCase(), (counts.get(word.toLowerCase()) ?? 0) + 1);
    }
  }
  return counts;
};

export interface TitleSources {
  peakSec: number;
  words: readonly Word[];
  segments: readonly Segment[];
  messages: readonly ChatMessage[];
  /** In how many messages of the whole chat each word stands; only asked for where nothing was said. */
  usualWords: () => ReadonlyMap<string, number>;
}

/** @returns never empty, one line */
export const titleOf = ({
  peakSec,
  words,
  segments,
  messages,
  usualWords,
}: TitleSources): string => {
  const said = fromSpeech(words.length > 0 ? sentencesOf(words) : segments, peakSec);
  const title = said ?? fromChat(messages, usualWords);
  return title === undefined ? `Moment at ${formatTime(peakSec)}` : capitalised(shorten(title));
};
