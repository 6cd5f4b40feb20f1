// What a message's text says about how much it is worth as a reaction: whether it is meant for a
// bot, whether it greets, and which other messages say the same.
import type { ChatMessage } from "../contract/chat.ts";

const BOTS = new Set([
  "nightbot",
  "streamelements",
  "streamlabs",
  "moobot",
  "fossabot",
  "wizebot",
  "botisimo",
  "sery_bot",
  "soundalerts",
  "pokemoncommunitygame",
  "kofistreambot",
  "tangiabot",
  "commanderroot",
]);

/** Sent by a bot, or a command for one. */
export const isForBots = (message: ChatMessage): boolean =>
  /^\s*[!/]\p{L}/u.test(message.body) || BOTS.has(message.user?.login.toLowerCase() ?? "");

const RAID = /\braid/iu;
const RAID_EMOTE = /[a-z]Raid\b/u;
/** A longer text that names a raid talks about something in the game. */
const MAX_RAID_LETTERS = 50;
const GREETING =
  /^(?:hi+|hello+|he+y+a*|hiya|yo+|sup|henlo|hai|hallo|hola|bonjour|salut|ciao|ol[áa]|oi|moin|servus|priv[ei]t|welcome|greetings|howdy|good (?:morning|evening|afternoon)|o7|heyguys|vohiyo|koncha|peepoarrive|peepohey|catarrive)\b/iu;
const GREETING_EMOTE = /\p{L}(?:Hi|Hey|Hello|Wave|Arrive|Welcome)\b/u;

/** Says hello or names a raid, by word or by emote. */
const isGreeting = (message: ChatMessage): boolean => {
  const body = message.body.trimStart();
  if (GREETING.test(body) || GREETING_EMOTE.test(body) || RAID_EMOTE.test(body)) return true;
  return body.length <= MAX_RAID_LETTERS && RAID.test(body);
};

const REACTION =
  /^(?:l+[ou]+l+s*|lulw?|kek[a-z]*|omega?lul|lma+o+|rofl|x+d+|(?:ha|he|hi|ja|je|ah)+h*|w+|l+|f+|gg+|e+z+|po+g[a-z]*|o+m+g+|wtf|wo+w+|no+|ye+s+|nice|hype|rip|oof|bruh|what|clip|it|let'?s|go+|holy|insane|\W+)$/iu;

/**
 * Something that people write without having seen that others do: emotes and nothing else, laughter,
 * a cheer. Hundreds of the same are hundreds of people reacting.
 */
const isReaction = (message: ChatMessage): boolean => {
  const rest = message.fragments
    .filter((fragment) => fragment.emote === undefined)
    .map((fragment) => fragment.text)
    .join("")
    .trim();
  if (rest === "") return true;
  return rest.length <= 60 && rest.split(/\s+/u).every((word) => REACTION.test(word));
};

const KEY_WORDS = 4;

/**
 * The same for messages that say the same: case, digits, signs, stretched letters and repetition are
 * left out, and of a longer text only its longest words count, so that a changed word or an added
 * emote does not make a copy a new text.
 */
const textKey = (body: string): string => {
  const plain = body
    .slice(0, 500)
    .toLowerCase()
    .replace(/[^\p{L}\p{Extended_Pictographic}\s]+/gu, "")
    .replace(/(.)\1+/gu, "$1");
  const words = [...new Set(plain.split(/\s+/u))].filter((word) => word !== "");
  // Numbers alone are votes, whatever each is for; signs ("?", "+2") are a text of their own.
  if (/^\s*\d+\s*$/u.test(body)) return "0";
  if (words.length === 0) return body.trim().slice(0, 8);
  if (words.length <= KEY_WORDS) return words.sort().join(" ");
  return words
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .slice(0, KEY_WORDS)
    .join(" ");
};

export interface TextFacts {
  key: string;
  isReaction: boolean;
  greets: boolean;
}

/** Chats say the same over and over; this many different texts are remembered. */
const MAX_REMEMBERED = 50_000;

/** Reads texts, each different one once. */
export const textReader = (): ((message: ChatMessage) => TextFacts) => {
  const known = new Map<string, TextFacts>();
  return (message) => {
    const found = known.get(message.body);
    if (found !== undefined) return found;
    const facts = {
      key: textKey(message.body),
      isReaction: isReaction(message),
      greets: isGreeting(message),
    };
    if (known.size < MAX_REMEMBERED) known.set(message.body, facts);
    return facts;
  };
};
