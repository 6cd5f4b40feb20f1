// How much chat reacts, second by second, counted so that what is no reaction weighs little: one
// person repeating, many pasting the same text, commands for bots, and a raid's newcomers saying hello.
import type { ChatMessage } from "../contract/chat.ts";
import { isForBots, type TextFacts, textReader } from "./messageText.ts";

/** A person's messages within this time count less and less. */
const REPEAT_SEC = 20;
/** Repeats beyond this many are all the same, so that a flood of one person's costs no time. */
const MAX_REPEATS = 12;
/** Half of the window in which copies and greetings are counted around a message. */
const AROUND_SEC = 8;
/** Someone first seen this recently is new. */
const NEW_SEC = 60;
/** Before this many messages nobody can be told to be new. */
const SETTLED_MESSAGES = 40;
/** Texts up to this many letters come from several people by chance. */
const SHORT_TEXT = 14;

export interface ChatActivity {
  /** Messages per second, each by its worth. */
  messages: Float64Array;
  /** People per second who had been quiet for a while, each by the worth of the message. */
  people: Float64Array;
  /** Worth of each message, 0 to 1, in the order of `sorted`. */
  worth: Float64Array;
  /** The messages inside the video, by time. */
  sorted: ChatMessage[];
}

interface Counted {
  sec: number;
  text: TextFacts;
  forBots: boolean;
  isNew: boolean;
  /** Messages of the same person in the last seconds. */
  repeats: number;
  /** Seconds since the person's previous message. */
  quietSec: number;
}

const personOf = (message: ChatMessage): string => message.user?.id ?? `deleted ${message.id}`;

const count = (sorted: readonly ChatMessage[]): Counted[] => {
  const read = textReader();
  const people = new Map<string, { firstSec: number; recent: number[] }>();
  return sorted.map((message, i) => {
    const sec = message.offsetSec;
    const known = people.get(personOf(message));
    const person = known ?? { firstSec: sec, recent: [] };
    if (known === undefined) people.set(personOf(message), person);
    const quietSec = sec - (person.recent.at(-1) ?? Number.NEGATIVE_INFINITY);
    person.recent = person.recent.slice(-MAX_REPEATS).filter((at) => sec - at <= REPEAT_SEC);
    const repeats = person.recent.length;
    person.recent.push(sec);
    return {
      sec,
      text: read(message),
      forBots: isForBots(message),
      isNew: i >= SETTLED_MESSAGES && sec - person.firstSec <= NEW_SEC,
      repeats,
      quietSec,
    };
  });
};

/** What the messages around one have in common. */
interface Around {
  total: number;
  sameText: number;
  greetingShare: number;
  greetings: number;
  newShare: number;
  /** Share of newcomers before this window. */
  usualNewShare: number;
}

/** Calls `see` for each message with what is around it; linear in the number of messages. */
const eachAround = (
  counted: readonly Counted[],
  see: (i: number, around: Around) => void,
): void => {
  const texts = new Map<string, number>();
  let greetings = 0;
  let newcomers = 0;
  let total = 0;
  let from = 0;
  let to = 0;
  let usualNewShare = 0;
  const add = (message: Counted, by: 1 | -1): void => {
    if (message.forBots) return;
    total += by;
    texts.set(message.text.key, (texts.get(message.text.key) ?? 0) + by);
    if (texts.get(message.text.key) === 0) texts.delete(message.text.key);
    if (message.text.greets) greetings += by;
    if (message.isNew) newcomers += by;
  };
  for (const [i, message] of counted.entries()) {
    while (to < counted.length && counted[to]!.sec <= message.sec + AROUND_SEC) {
      add(counted[to]!, 1);
      to += 1;
    }
    while (counted[from]!.sec < message.sec - AROUND_SEC) {
      add(counted[from]!, -1);
      // Follows the last few hundred messages that have left the window.
      usualNewShare += ((counted[from]!.isNew ? 1 : 0) - usualNewShare) / Math.min(from + 1, 200);
      from += 1;
    }
    see(i, {
      total,
      sameText: texts.get(message.text.key) ?? 0,
      greetings,
      greetingShare: total > 0 ? greetings / total : 0,
      newShare: total > 0 ? newcomers / total : 0,
      usualNewShare,
    });
  }
};

const clamp = (x: number): number => Math.min(1, Math.max(0, x));

/**
 * A text that is much of what is written is copied, unless it is what people write on their own: of
 * a burst of laughter two thirds may be the same emote.
 */
const ownWords = (message: Counted, around: Around): number => {
  const share = around.total < 6 ? 0 : around.sameText / around.total;
  if (message.text.isReaction) return Math.max(0.1, 1 - clamp((share - 0.75) / 0.25));
  const copies = message.text.key.length <= SHORT_TEXT ? 0.01 : 0.5;
  return Math.max(0.1, 1 - clamp((share - 0.25) / 0.3)) / (1 + (around.sameText - 1) * copies);
};

/** A raid: newcomers, and people saying hello. Who was here before is still heard. */
const noRaid = (message: Counted, around: Around): number => {
  if (message.text.greets) return 0.15;
  const raid = around.greetings >= 4 ? clamp((around.greetingShare - 0.15) * 4) : 0;
  const crowd =
    around.total >= 8 && around.newShare >= 0.6
      ? clamp((around.newShare - around.usualNewShare - 0.3) * 3)
      : 0;
  return message.isNew ? 1 - Math.max(0.8 * raid, 0.7 * crowd) : 1 - 0.2 * raid;
};

const worthOf = (message: Counted, around: Around): number =>
  message.forBots
    ? 0
    : (ownWords(message, around) * noRaid(message, around)) / (1 + message.repeats);

/** @param lengthSec number of one-second bins; messages outside are left out */
export const chatActivity = (messages: readonly ChatMessage[], lengthSec: number): ChatActivity => {
  const sorted = messages
    .filter((message) => message.offsetSec >= 0 && message.offsetSec < lengthSec)
    .sort((a, b) => a.offsetSec - b.offsetSec);
  const counted = count(sorted);
  const worth = new Float64Array(sorted.length);
  const perSec = new Float64Array(lengthSec);
  const people = new Float64Array(lengthSec);
  eachAround(counted, (i, around) => {
    const message = counted[i]!;
    const sec = Math.floor(message.sec);
    const value = worthOf(message, around);
    worth[i] = value;
    perSec[sec] = perSec[sec]! + value;
    if (message.quietSec > REPEAT_SEC) people[sec] = people[sec]! + value;
  });
  return { messages: perSec, people, worth, sorted };
};
