// Series of one value a second, and the moments found in them.
import { z } from "zod";
import { SIGNALS } from "./options.ts";
import { ChatMessage } from "./chat.ts";
import { Word } from "./transcript.ts";

/** One value per second from time zero; `null` where there is nothing to measure. */
const series = z.array(z.number().nullable());

export const Analysis = z.object({
  binSec: z.literal(1),
  durationSec: z.number(),
  /** Messages in each second. */
  messageRate: series,
  /** Different people writing in each second. */
  uniqueChatters: series,
  /** Mean sentiment of the second's messages, -1 to 1. */
  chatSentiment: series,
  /** Share of the second's messages that carry an emote, 0 to 1. */
  emoteShare: series,
  /** Sentiment of the transcript segment being spoken, -1 to 1. */
  speechSentiment: series,
  /** Mean level, in dB below full scale; silence is -100. */
  loudnessDb: series,
});
export type Analysis = z.infer<typeof Analysis>;

export const SignalEvidence = z.object({
  signal: z.enum(SIGNALS),
  /** Share of the highlight's score that is this signal's, 0 to 1; the shares add up to 1. */
  share: z.number(),
  /** The signal's own value at its peak inside the highlight, in the signal's unit. */
  value: z.number(),
  /** What the signal is usually like around there, in the same unit. */
  baseline: z.number(),
});
export type SignalEvidence = z.infer<typeof SignalEvidence>;

export const Highlight = z.object({
  /** 1 is the best. */
  rank: z.int(),
  startSec: z.number(),
  endSec: z.number(),
  /** Where the signals together are strongest. */
  peakSec: z.number(),
  /** Above 0; comparable within one video. */
  score: z.number(),
  /** A few words for a list: of what was said, else of what chat wrote, else the time. */
  title: z.string(),
  signals: z.array(SignalEvidence),
  /** The messages that made it, at most 20, oldest first; times as in the chat. */
  messages: z.array(ChatMessage.pick({ id: true, offsetSec: true, user: true, body: true })),
  /** The words spoken in it. */
  words: z.array(Word),
});
export type Highlight = z.infer<typeof Highlight>;

export const HighlightsResult = z.object({
  /** How far chat runs behind the picture: estimated, or the usual 6 s where sound and speech do not tell; 0 without chat. */
  chatDelaySec: z.number(),
  highlights: z.array(Highlight),
});
export type HighlightsResult = z.infer<typeof HighlightsResult>;
