// Sentiment of what was said and of what chat wrote.
import type { ChatMessage } from "../contract/chat.ts";
import { buildChatLexicon, buildLexicon } from "./lexicon.ts";
import { FITTED } from "./rules.ts";
import { Scorer } from "./scorer.ts";

// Built on first use: a function that scores nothing does not pay for the tables.
let plain: Scorer | undefined;
let chat: Scorer | undefined;

const chatScorer = (): Scorer => (chat ??= new Scorer(buildChatLexicon(FITTED), FITTED.rules));

/**
 * Sentiment of plain text, such as a transcript's segment.
 * @returns  -1 (negative) to 1; 0 where nothing in it is known. Within ±0.05 counts as neutral.
 */
export const scoreText = (text: string): number => {
  plain ??= new Scorer(buildLexicon(FITTED), FITTED.rules);
  return plain.score(text);
};

/** The same for text from a chat of which no more is known: emotes by name, and slang. */
export const scoreChatText = (text: string): number => chatScorer().score(text);

/** Sentiment of a chat message; its fragments say which words are emotes. */
export const scoreMessage = (message: Pick<ChatMessage, "body" | "fragments">): number =>
  message.fragments.length > 0
    ? chatScorer().scoreParts(message.fragments)
    : chatScorer().score(message.body);
