// Joins the time windows of a chat into one sequence: every message once, in order, with those
// that fall outside the video counted.
import type { ChatMessage } from "../contract/chat.ts";

interface Keyed {
  message: ChatMessage;
  /** Milliseconds of `createdAt`, or -1 without one. */
  createdMs: number;
  /** The time's digits, which tell apart what milliseconds do not. */
  digits: string;
}

const keyed = (message: ChatMessage): Keyed => {
  const createdMs = message.createdAt === undefined ? Number.NaN : Date.parse(message.createdAt);
  return {
    message,
    createdMs: Number.isNaN(createdMs) ? -1 : createdMs,
    digits: message.createdAt?.replace(/Z$/, "") ?? "",
  };
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Messages in the order they were written: by offset, then by time of writing. Those of one offset
 * and time, of which Twitch has many, keep the order they came in: it is the site's own.
 */
export const inOrder = (messages: Iterable<ChatMessage>): ChatMessage[] =>
  Array.from(messages, keyed)
    .sort(
      (a, b) =>
        a.message.offsetSec - b.message.offsetSec ||
        a.createdMs - b.createdMs ||
        compareText(a.digits, b.digits),
    )
    .map(({ message }) => message);

export interface MergedChat {
  /** All of them, in order, `chatOffsetSec` added; for `chat.json`. */
  messages: ChatMessage[];
  /** Those inside the video, which the series are made of. */
  inside: ChatMessage[];
  /** How many lie before time zero, or after the end (warning `chat_after_end`). */
  beforeStart: number;
  afterEnd: number;
}

/**
 * @param windows  messages of each window, in any order; a message id that comes twice counts once
 * @param durationSec  length of the video; a message exactly at the end is inside
 * @param chatOffsetSec  added to every time (`chat_offset_sec`), default 0
 */
export const mergeChat = (
  windows: Iterable<Iterable<ChatMessage>>,
  { durationSec, chatOffsetSec = 0 }: { durationSec: number; chatOffsetSec?: number },
): MergedChat => {
  const byId = new Map<string, ChatMessage>();
  for (const window of windows)
    for (const message of window)
      if (!byId.has(message.id))
        byId.set(
          message.id,
          chatOffsetSec === 0
            ? message
            : { ...message, offsetSec: message.offsetSec + chatOffsetSec },
        );
  const messages = inOrder(byId.values());
  const inside = messages.filter(({ offsetSec }) => offsetSec >= 0 && offsetSec <= durationSec);
  let beforeStart = 0;
  for (const { offsetSec } of messages) if (offsetSec < 0) beforeStart += 1;
  return {
    messages,
    inside,
    beforeStart,
    afterEnd: messages.length - inside.length - beforeStart,
  };
};
