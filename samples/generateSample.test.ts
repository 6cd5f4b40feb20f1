import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseChatFile } from "#shared/chat/chatFile.ts";
import { findFfmpeg, runFfmpeg } from "#shared/media/ffmpeg.ts";
import { generateSample, type SampleFiles } from "./generateSample.ts";
import { planStream } from "./plan.ts";
import { loudnessModel } from "./loudnessModel.ts";
import { loudnessOf, mixSound, type Sound } from "./sound.ts";
import { loadVoice } from "./voice.ts";

// It brings no types and is not an ES module.
const { WebVTTParser } = createRequire(import.meta.url)("webvtt-parser") as {
  WebVTTParser: new () => { parse(text: string): { cues: unknown[]; errors: unknown[] } };
};

const SEED = 3;
const DURATION_SEC = 40;

describe("a rendered sample", () => {
  let folder: string;
  let files: SampleFiles;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "klipstream-sample-"));
    files = await generateSample({ seed: SEED, durationSec: DURATION_SEC, outDir: folder });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("leaves the four files and nothing else", async () => {
    const names = ["captions.vtt", "chat.json", "expected.json", "stream.mp4"];
    expect((await readdir(folder)).toSorted()).toEqual(names);
  });

  it("is a video that decodes to its planned length", async () => {
    const ffmpeg = await findFfmpeg();
    const raw = join(folder, "frames.raw");
    const scale = ["-an", "-vf", "scale=16:16", "-pix_fmt", "gray", "-f", "rawvideo"];
    const exit = await runFfmpeg(ffmpeg, ["-i", files.videoPath, ...scale, raw]);
    expect(exit.stderr).toBe("");
    expect((await readFile(raw)).length).toBe(DURATION_SEC * 10 * 16 * 16);
    await rm(raw);
  });

  it("has subtitles that another parser reads", async () => {
    const { cues, errors } = new WebVTTParser().parse(await readFile(files.captionsPath, "utf8"));
    expect(errors).toEqual([]);
    expect(cues.length).toBe(planStream(SEED, { durationSec: DURATION_SEC }).utterances.length);
  });

  it("has a chat that reads back as planned", async () => {
    const { messages, video } = await parseChatFile(createReadStream(files.chatPath));
    const plan = planStream(SEED, { durationSec: DURATION_SEC });
    expect(video?.lengthSec).toBe(DURATION_SEC);
    expect(messages.map(({ body, offsetSec }) => [body, offsetSec])).toEqual(
      plan.messages.map(({ body, offsetSec }) => [body, offsetSec]),
    );
    expect(
      messages.some((m) => m.fragments.some(({ emote }) => emote?.provider === "twitch")),
    ).toBe(true);
  });

  it("says what is expected", async () => {
    const expected = JSON.parse(await readFile(files.expectedPath, "utf8")) as {
      highlights: unknown[];
    };
    expect(expected.highlights.length).toBeGreaterThan(0);
  });
});

describe("the sound", () => {
  const plan = planStream(11);
  let sound: Sound;
  beforeAll(async () => {
    sound = mixSound(plan, await loadVoice());
  });

  it("has no two utterances at once: the voice is never slower than planned", () => {
    for (const [i, { endSec }] of sound.spoken.entries()) {
      expect(endSec).toBeLessThanOrEqual(plan.utterances[i]!.endSec);
      expect(endSec).toBeLessThanOrEqual(plan.utterances[i + 1]?.startSec ?? plan.durationSec);
    }
  });

  it("is as loud as the model says, within two dB", () => {
    const model = loudnessModel(plan);
    const real = loudnessOf(sound);
    const mean = (levels: readonly number[], excited: boolean): number => {
      const powers = levels.filter((_, i) =>
        plan.utterances.some(
          (u) => u.excited === excited && i / 10 >= u.startSec && i / 10 < u.endSec - 0.4,
        ),
      );
      return 10 * Math.log10(powers.reduce((sum, db) => sum + 10 ** (db / 10), 0) / powers.length);
    };
    for (const excited of [false, true]) {
      expect(Math.abs(mean(real, excited) - mean(model, excited))).toBeLessThan(2);
    }
  });
});

describe("planStream", () => {
  it("plans the same for the same seed, and something else for another", () => {
    expect(planStream(5)).toEqual(planStream(5));
    expect(planStream(5).messages).not.toEqual(planStream(6).messages);
  });

  it.each([30, 120, 1800])("keeps everything inside %s s, in order and apart", (durationSec) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const plan = planStream(seed, { durationSec });
      expect(plan.moments.length).toBeGreaterThan(0);
      const chatDecoys = plan.decoys.filter(({ kind }) => kind !== "jingle");
      for (const list of [plan.utterances, plan.moments, chatDecoys]) {
        for (const [i, { startSec, endSec }] of list.entries()) {
          expect(startSec).toBeGreaterThanOrEqual(list[i - 1]?.endSec ?? 0);
          expect(endSec).toBeGreaterThan(startSec);
          expect(endSec).toBeLessThanOrEqual(durationSec);
        }
      }
      const offsets = plan.messages.map(({ offsetSec }) => offsetSec);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      expect(offsets.at(-1)).toBeLessThan(durationSec);
    }
  });

  it("plans nothing that happens in noise", () => {
    const { moments, decoys, utterances } = planStream(1, { kind: "noise" });
    expect([moments, decoys, utterances.filter(({ excited }) => excited)]).toEqual([[], [], []]);
  });

  it("refuses a length that nothing fits in", () => {
    expect(() => planStream(1, { durationSec: 12 })).toThrow(RangeError);
  });
});
