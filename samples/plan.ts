// The plan of a sample stream, from a seed: what is said and when, what happens, what chat writes,
// and which moments a good analysis finds. Pure, so that hundreds of streams can be judged without
// rendering one.
import type { ChatMessage } from "#shared/contract/chat.ts";
import { chatOf } from "./planChat.ts";
import { type Random, randomFrom } from "./random.ts";
import type { Decoy, Moment } from "./scene.ts";
import { calmTalk, leadInto, MOMENT_KINDS, shoutsOf } from "./talk.ts";

export interface Utterance {
  text: string;
  startSec: number;
  /** Planned; the voice is never slower. */
  endSec: number;
  excited: boolean;
}

export const SAMPLE_KINDS = ["stream", "noise"] as const;
/** `noise`: calm talk, hum, and a chat that writes at a constant rate; nothing happens. */
export type SampleKind = (typeof SAMPLE_KINDS)[number];

export interface StreamPlan {
  seed: number;
  kind: SampleKind;
  durationSec: number;
  utterances: Utterance[];
  moments: Moment[];
  decoys: Decoy[];
  /** How far chat runs behind the picture, before people have typed. */
  chatDelaySec: number;
  messages: ChatMessage[];
}

/** Room for one thing that happens, in seconds. */
const SLOT_SEC = 21;
const OPENING_SEC = 9;
/** Nothing begins later than this before the end, so that chat can still react. */
const CLOSING_SEC = 6;

/** An upper bound of how long the voice takes, fitted to it: letters, and rests at signs. */
const spokenSec = (text: string): number =>
  0.3 + text.length * 0.048 + (text.match(/[.,!?]/gu)?.length ?? 0) * 0.28;

/** Tries to find a sentence that still fits. */
const TRIES = 4;

type Slot = { kind: "moment" } | { kind: "raid" } | { kind: "spam" } | { kind: "nothing" };

const slotsOf = (random: Random, durationSec: number): Slot[] => {
  const count = Math.max(1, Math.floor((durationSec - OPENING_SEC - CLOSING_SEC) / SLOT_SEC));
  // Two minutes are full of events; an hour has longer quiet stretches.
  const moments = Math.max(1, Math.round(count * (count <= 6 ? 0.6 : 0.35)));
  const decoys = Math.min(count - moments, Math.max(2, Math.round(count * 0.15)));
  return random.shuffled(
    Array.from({ length: count }, (_, i): Slot => {
      if (i < moments) return { kind: "moment" };
      if (i >= moments + decoys) return { kind: "nothing" };
      return { kind: (i - moments) % 2 === 0 ? "raid" : "spam" };
    }),
  );
};

interface Timeline {
  utterances: Utterance[];
  moments: Moment[];
  decoys: Decoy[];
}

const timelineOf = (random: Random, durationSec: number, slots: readonly Slot[]): Timeline => {
  const calm = calmTalk(random);
  const timeline: Timeline = { utterances: [], moments: [], decoys: [] };
  let at = random.between(0.4, 1.2);
  const say = (text: string, excited: boolean): Utterance => {
    const utterance = { text, startSec: at, endSec: at + spokenSec(text), excited };
    timeline.utterances.push(utterance);
    at = utterance.endSec;
    return utterance;
  };
  const talkUntil = (sec: number): void => {
    while (at < sec) {
      const fitting = Array.from({ length: TRIES }, calm).find(
        (text) => at + spokenSec(text) <= sec,
      );
      if (fitting === undefined) {
        at = sec;
        return;
      }
      say(fitting, false);
      at += random.chance(0.2) ? random.between(1.2, 2.5) : random.between(0.2, 0.7);
    }
  };

  const length = (durationSec - OPENING_SEC - CLOSING_SEC) / Math.max(1, slots.length);
  for (const [i, slot] of slots.entries()) {
    const from = OPENING_SEC + i * length + random.between(0, Math.max(0, length - 19));
    talkUntil(from);
    if (slot.kind === "moment") {
      const kind = random.pick(MOMENT_KINDS);
      say(leadInto(random, kind), false);
      at += random.between(0.4, 0.8);
      const startSec = at;
      for (const text of shoutsOf(random, kind, 3)) {
        say(text, true);
        at += random.between(0.1, 0.35);
      }
      timeline.moments.push({ kind, startSec, endSec: at });
      at += random.between(0.5, 1);
    } else if (slot.kind !== "nothing") {
      const long = slot.kind === "raid" ? random.between(14, 18) : random.between(8, 13);
      timeline.decoys.push({ kind: slot.kind, startSec: from + 2, endSec: from + 2 + long });
      if (slot.kind === "raid") {
        const startSec = from + random.between(2, 3);
        timeline.decoys.push({
          kind: "jingle",
          startSec,
          endSec: startSec + random.between(9, 11),
        });
      }
    }
  }
  talkUntil(durationSec - 0.5);
  return timeline;
};

/**
 * @param seed any whole number; the same gives the same plan
 * @param durationSec at least 30
 */
export const planStream = (
  seed: number,
  { durationSec = 120, kind = "stream" }: { durationSec?: number; kind?: SampleKind } = {},
): StreamPlan => {
  if (!(durationSec >= 30)) throw new RangeError("A sample stream lasts 30 s or longer.");
  const random = randomFrom(seed);
  const slots = kind === "noise" ? [] : slotsOf(random, durationSec);
  const timeline = timelineOf(random, durationSec, slots);
  const chatDelaySec = random.between(3, 6);
  return {
    seed,
    kind,
    durationSec,
    ...timeline,
    chatDelaySec,
    messages: chatOf(random, { durationSec, chatDelaySec, ...timeline }),
  };
};

/** A stream in which nothing happens. */
export const generateNoise = (seed: number, durationSec = 120): StreamPlan =>
  planStream(seed, { durationSec, kind: "noise" });
