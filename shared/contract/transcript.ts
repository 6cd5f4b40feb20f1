// What was said, as every part of the pipeline sees it. Times are seconds after time zero of the video.
import { z } from "zod";

export const Word = z.object({
  text: z.string(),
  startSec: z.number(),
  endSec: z.number(),
  /** 0 to 1; absent where the provider does not say. */
  confidence: z.number().optional(),
});
export type Word = z.infer<typeof Word>;

export const Segment = z.object({ text: z.string(), startSec: z.number(), endSec: z.number() });
export type Segment = z.infer<typeof Segment>;

export const Transcript = z.object({
  /** BCP 47, or `und` where nobody knows. */
  language: z.string(),
  provider: z.string(),
  segments: z.array(Segment),
  words: z.array(Word),
});
export type Transcript = z.infer<typeof Transcript>;
