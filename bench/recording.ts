// A long recording with its chat, made from the sample in little time: half a minute of it is encoded as
// Twitch would send it and then repeated, since what stages cost depends on the size of the picture and
// on the length, and not on what is seen.
import { join } from "node:path";
import type { ChatMessage } from "#shared/contract/chat.ts";
import { findFfmpeg, runFfmpeg } from "#shared/media/ffmpeg.ts";
import { generateSample } from "../samples/generateSample.ts";
import { planStream } from "../samples/plan.ts";

const LOOP_SEC = 30;
const TIMEOUT_MS = 900_000;

/** 1080p60 at 6 Mbit/s with a key frame every two seconds; noise keeps the encoder from saving bits. */
const AS_SENT = [
  ..."-vf scale=1920:1080:flags=bilinear,fps=60,noise=alls=10:allf=t -pix_fmt yuv420p".split(" "),
  ..."-c:v libx264 -preset veryfast -b:v 6M -maxrate 6M -bufsize 12M -g 120".split(" "),
];

/**
 * @param dir where it is made
 * @param hasPicture false for sound alone, which is 72 MB an hour instead of 2.8 GB
 * @returns the file: H.264 and AAC in MP4
 */
export const makeRecording = async (
  dir: string,
  { durationSec, hasPicture }: { durationSec: number; hasPicture: boolean },
): Promise<string> => {
  const ffmpeg = await findFfmpeg();
  const { videoPath } = await generateSample({ seed: 1, outDir: dir });
  const [loop, whole] = [join(dir, "loop.mp4"), join(dir, "whole.mp4")];
  const sound = "-c:a aac -b:a 160k -ac 2".split(" ");
  const picture = hasPicture ? AS_SENT : ["-vn"];
  const first = ["-i", videoPath, "-t", String(LOOP_SEC), ...picture, ...sound];
  await runFfmpeg(ffmpeg, [...first, loop], { timeoutMs: TIMEOUT_MS });
  const loops = String(Math.ceil(durationSec / LOOP_SEC) - 1);
  const again = ["-stream_loop", loops, "-i", loop, "-t", String(durationSec), "-c", "copy"];
  await runFfmpeg(ffmpeg, [...again, whole], { timeoutMs: TIMEOUT_MS });
  return whole;
};

/** The sample's chat for so long, written by as many more people as the rate asks for. */
export const makeChat = (durationSec: number, messagesPerHour: number): ChatMessage[] => {
  const { messages } = planStream(1, { durationSec });
  const wanted = Math.round((messagesPerHour * durationSec) / 3600);
  return Array.from({ length: wanted }, (_, i): ChatMessage => {
    const message = messages[i % messages.length]!;
    const copy = Math.floor(i / messages.length);
    if (copy === 0) return message;
    const { user, offsetSec } = message;
    const name = `${user?.login ?? "viewer"}_${copy}`;
    return {
      ...message,
      id: `${message.id}-${copy}`,
      // As the same moment is seen half a minute apart; and nobody writes after the end.
      offsetSec: Math.min(durationSec - 1, Math.floor(offsetSec + ((copy * 7) % 30))),
      user: { badges: [], ...user, id: `${user?.id ?? 0}${copy}`, login: name, name },
    };
  }).toSorted((a, b) => a.offsetSec - b.offsetSec);
};
