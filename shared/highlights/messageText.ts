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

const RAID = /raid/iu;
const GREETING =
  /^(?:hi+|hello+|he+y+a*|hiya|yo+|sup|henlo|hai|hallo|hola|bonjour|salut|ciao|ol[áa]|oi|moin|servus|priv[ei]t|welcome|greetings|howdy|good (?:morning|evening|afternoon)|o7|heyguys|vohiyo|koncha|peepoarrive|peepohey|catarrive)\b/iu;
const GREETING_EMOTE = /\p{L}(?:Hi|Hey|Hello|Wave|Arrive|Welcome)\b/u;

/** Says hello or names a raid, by word or by emote. */
export const isGreeting = (message: ChatMessage): boolean => {
  const body = message.body.trimStart();
  return RAID.test(body) || GREETING.test(body) || GREETING_EMOTE.test(body);
};

const KEY_WORDS = 4;
/** Texts up to this many letters are reactions that many people have on their own. */
export const SHORT_TEXT = 14;

/**
 * The same for messages that say the same: case, digits, signs, stretched letters and repetition are
 * left out, and of a longer text only its longest words count, so that a changed word or an added
 * emote does not make a copy a new text.
 */
export const textKey = (body: string): string => {
  const plain = body
    .slice(0, 500)
    .toLowerCase()
    .replace(/[^\p{L}\p{Extended_Pictographic}\s]+/gu, "")
    .replace(/(.)\1+/gu, "$1");
  const words = [...new Set(plain.split(/\s+/u))].filter((word) => word !== "");
  // Signs and digits alone ("?", "1", "+2") are a text of their own.
  if (words.length === 0) return body.trim().slice(0, 8);
  if (words.length <= KEY_WORDS) return words.sort().join(" ");
  return words
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .slice(0, KEY_WORDS)
    .join(" ");
};
