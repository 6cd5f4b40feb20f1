// Renders a planned stream into files as a person would hand them over: the video, its subtitles, its
// chat, and beside them what a good analysis finds.
import { once } from "node:events";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chatDocument } from "#shared/chat/chatDocument.ts";
import { checkExit, type Ffmpeg, findFfmpeg, startFfmpeg } from "#shared/media/ffmpeg.ts";
import { drawFrames, FRAMES_PER_SEC, HEIGHT, WIDTH } from "./picture.ts";
import { planStream, type SampleKind, type StreamPlan } from "./plan.ts";
import { STREAM_BEGAN } from "./planChat.ts";
import { mixSound, type Sound, toWav } from "./sound.ts";
import { loadVoice } from "./voice.ts";

export interface SampleOptions {
  seed: number;
  /** Default 120; at least 30. */
  durationSec?: number;
  /** Created where it is missing; files in it of the same names are replaced. */
  outDir: string;
  /** Default `stream`. */
  kind?: SampleKind;
  /** Default: the one that is found. */
  ffmpeg?: Ffmpeg;
  signal?: AbortSignal;
}

export interface SampleFiles {
  /** `stream.mp4`: H.264 and AAC. */
  videoPath: string;
  /** `captions.vtt`: WebVTT, one cue per utterance, to the millisecond. */
  captionsPath: string;
  /** `chat.json`: TwitchDownloader's layout. */
  chatPath: string;
  /** `expected.json`: `{highlights: [{kind, startSec, endSec}], decoys: […], …}`; written last. */
  expectedPath: string;
}

const stamp = (sec: number): string => {
  const ms = Math.round(sec * 1000);
  const part = (n: number, digits = 2): string => String(Math.floor(n)).padStart(digits, "0");
  return `${part(ms / 3_600_000)}:${part((ms / 60_000) % 60)}:${part((ms / 1000) % 60)}.${part(ms % 1000, 3)}`;
};

const captionsOf = (sound: Sound): string =>
  `WEBVTT\n\n${sound.spoken
    .map(({ text, startSec, endSec }) => `${stamp(startSec)} --> ${stamp(endSec)}\n${text}\n`)
    .join("\n")}`;

const titleOf = (plan: StreamPlan): string =>
  `A walk through the old mine, sample ${plan.seed}${plan.kind === "noise" ? " (nothing happens)" : ""}`;

const chatFileOf = (plan: StreamPlan): string =>
  [
    ...chatDocument(plan.messages, {
      videoId: String(900_000_000 + plan.seed),
      title: titleOf(plan),
      channelId: "1",
      channelName: "klipstream_sample",
      videoCreatedAt: STREAM_BEGAN,
      durationSec: plan.durationSec,
    }),
  ].join("");

const rounded = (span: { startSec: number; endSec: number }): object => ({
  ...span,
  startSec: Math.round(span.startSec * 1000) / 1000,
  endSec: Math.round(span.endSec * 1000) / 1000,
});

const expectedOf = (plan: StreamPlan): string =>
  `${JSON.stringify(
    {
      seed: plan.seed,
      kind: plan.kind,
      durationSec: plan.durationSec,
      highlights: plan.moments.map(rounded),
      decoys: plan.decoys.map(rounded),
    },
    undefined,
    2,
  )}\n`;

const renderVideo = async (
  plan: StreamPlan,
  wavPath: string,
  videoPath: string,
  { ffmpeg, signal }: Pick<SampleOptions, "ffmpeg" | "signal">,
): Promise<void> => {
  const child = startFfmpeg(
    ffmpeg ?? (await findFfmpeg()),
    [
      ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", `${WIDTH}x${HEIGHT}`],
      ["-r", String(FRAMES_PER_SEC), "-i", "pipe:0", "-f", "wav", "-i", wavPath],
      ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-g", "20", "-threads", "1"],
      ["-c:a", "aac", "-b:a", "96k", "-ar", "44100", "-ac", "1"],
      ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"],
      ["-map_metadata", "-1", "-movflags", "+faststart", "-f", "mp4", "-y", videoPath],
    ].flat(),
    { input: true, timeoutMs: 300_000, ...(signal === undefined ? {} : { signal }) },
  );
  child.stdout.resume();
  // Where ffmpeg ends early, its own message says why, not the broken pipe.
  let broken: Error | undefined;
  child.stdin.on("error", (error) => {
    broken = error;
  });
  for (const frame of drawFrames(plan)) {
    if (broken !== undefined) break;
    if (!child.stdin.write(frame)) {
      await Promise.race([once(child.stdin, "drain"), child.exited]).catch(() => undefined);
    }
  }
  child.stdin.end();
  checkExit(await child.exited, "The sample cannot be rendered.");
  if (broken !== undefined) throw broken;
};

/**
 * Makes a sample stream from a seed. The same seed and the same ffmpeg give the same bytes.
 *
 * @throws {RangeError} for a length below 30 s
 * @throws {StageError} where ffmpeg is missing or fails; nothing half-written has a final name
 */
export const generateSample = async (options: SampleOptions): Promise<SampleFiles> => {
  const { seed, durationSec = 120, outDir, kind = "stream" } = options;
  const plan = planStream(seed, { durationSec, kind });
  await mkdir(outDir, { recursive: true });
  const at = (name: string): string => join(outDir, name);
  const temporary = { wav: at(".sample.wav.part"), video: at(".stream.mp4.part") };
  const files: SampleFiles = {
    videoPath: at("stream.mp4"),
    captionsPath: at("captions.vtt"),
    chatPath: at("chat.json"),
    expectedPath: at("expected.json"),
  };
  // Its presence says that the others are whole.
  await rm(files.expectedPath, { force: true });
  try {
    const sound = mixSound(plan, await loadVoice());
    await writeFile(temporary.wav, toWav(sound));
    await renderVideo(plan, temporary.wav, temporary.video, options);
    await rename(temporary.video, files.videoPath);
    await writeFile(files.captionsPath, captionsOf(sound));
    await writeFile(files.chatPath, chatFileOf(plan));
    await writeFile(files.expectedPath, expectedOf(plan));
  } finally {
    await Promise.all(Object.values(temporary).map((path) => rm(path, { force: true })));
  }
  return files;
};
