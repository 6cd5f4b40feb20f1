// A chat message as every part of the pipeline sees it, whatever site or file it came from.
import { z } from "zod";

export const EMOTE_PROVIDERS = ["twitch", "bttv", "ffz", "7tv"] as const;

export const ChatFragment = z.object({
  text: z.string(),
  emote: z.object({ id: z.string(), provider: z.enum(EMOTE_PROVIDERS) }).optional(),
});
export type ChatFragment = z.infer<typeof ChatFragment>;

export const ChatUser = z.object({
  id: z.string(),
  login: z.string(),
  name: z.string(),
  color: z.string().optional(),
  badges: z.array(z.object({ id: z.string(), version: z.string() })),
});
export type ChatUser = z.infer<typeof ChatUser>;

export const ChatMessage = z.object({
  id: z.string(),
  /** Seconds after time zero of the video. */
  offsetSec: z.number(),
  /** ISO 8601; absent where the source has no wall-clock time. */
  createdAt: z.string().optional(),
  /** null where the account was deleted. */
  user: ChatUser.nullable(),
  /** The whole text; the fragments' texts joined give the same. */
  body: z.string(),
  fragments: z.array(ChatFragment),
  bits: z.int().min(0),
});
export type ChatMessage = z.infer<typeof ChatMessage>;
