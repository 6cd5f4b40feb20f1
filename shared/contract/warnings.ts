// What a completed job may lack. A warning never fails a job; it says what is missing and why.
import { z } from "zod";

export const WARNING_CODES = [
  "chat_none",
  "chat_unavailable",
  "chat_incomplete",
  "chat_after_end",
  "audio_none",
  "video_none",
  "speech_none",
  "speech_unavailable",
  "speech_incomplete",
  "media_truncated",
  "media_damaged",
  "segments_muted",
  "playlist_unfinished",
  "clips_incomplete",
] as const;
export type WarningCode = (typeof WARNING_CODES)[number];

export const Warning = z.object({ code: z.enum(WARNING_CODES), message: z.string() });
export type Warning = z.infer<typeof Warning>;
