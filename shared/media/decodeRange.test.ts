import { existsSync } from "node:fs";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../../tests/fixtures.ts";
import { StageError } from "../contract/errors.ts";
import { type DecodedRange, type DecodeOptions, decodeRange } from "./decodeRange.ts";
import { type Ffmpeg, findFfmpeg } from "./ffmpeg.ts";
import { cutRanges } from "./grid.ts";
import type { MediaPiece } from "./input.ts";
import { each, filePiece, make, outputOf, scratch } from "./testing.ts";

let ffmpeg: Ffmpeg;
beforeAll(async () => {
  ffmpeg = await findFfmpeg();
});

type Source = Pick<DecodeOptions, "sampleRateHz" | "channels"> & {
  path: string;
  demuxer: string;
  durationSec: number;
  ptsOffsetSec?: number;
  seekable?: boolean;
};

/** Decodes a file in ranges of `maxSec`, each on its own. */
const decodeInRanges = async (
  source: Source,
  maxSec: number,
  samplesPerPixel = 64,
): Promise<DecodedRange[]> => {
  const padSec = 1.5;
  const ranges = cutRanges(
    { startSec: 0, endSec: source.durationSec, samplesPerPixel, sampleRateHz: source.sampleRateHz },
    maxSec,
  );
  return Promise.all(
    ranges.map(async ({ startSec, endSec }) => {
      const piece = filePiece(source.path, source.demuxer, {
        startSec: Math.max(0, startSec - padSec),
        endSec: Math.min(source.durationSec, endSec + padSec),
        seekSec: source.seekable === false ? 0 : Math.max(0, startSec - padSec - 1),
        ptsOffsetSec: source.ptsOffsetSec ?? 0,
      });
      const { sampleRateHz, channels } = source;
      return decodeRange({
        pieces: each(piece),
        startSec,
        endSec,
        padSec,
        sampleRateHz,
        channels,
        samplesPerPixel,
        scratchDir: await scratch(),
        ffmpeg,
      });
    }),
  );
};

const joined = (ranges: DecodedRange[]): { peaks: number[]; loudness: number[] } => ({
  peaks: ranges.flatMap((range) => [...range.peaks]),
  loudness: ranges.flatMap((range) => [...range.loudnessDb]),
});

/** Samples of a file as ffmpeg decodes it, for comparison. */
const samplesOf = async (args: string[]): Promise<Int16Array> => {
  const bytes = Uint8Array.from(await outputOf(ffmpeg, [...args, "-f", "s16le"]));
  return new Int16Array(bytes.buffer);
};

const VOICE =
  "aevalsrc=exprs=0.4*sin(2*PI*220*t)*sin(3*t)+0.2*random(0)|0.5*sin(2*PI*331*t)*cos(2*t)";

describe("against BBC audiowaveform", () => {
  const wav = fixture("waveform/test_file_stereo.wav");
  const dat16 = fixture("waveform/test_file_stereo_16bit_64spp_wav.dat");
  const source: Source = {
    path: wav.path,
    demuxer: "wav",
    durationSec: 113_519 / 16_000,
    sampleRateHz: 16_000,
    channels: 2,
  };

  it.skipIf(!wav.present || !dat16.present)(
    `makes its peaks, in one range and in many (needs ${wav.name})`,
    async () => {
      const bytes = (await readFile(dat16.path)).subarray(20);
      const theirs = [...new Int16Array(Uint8Array.from(bytes).buffer)];
      expect(joined(await decodeInRanges(source, 300)).peaks).toEqual(theirs);
      expect(joined(await decodeInRanges(source, 1.3)).peaks).toEqual(theirs);
    },
  );
});

describe("ranges decoded apart join into the whole", () => {
  const cases = [
    { name: "pcm.wav", demuxer: "wav", rate: 44_100, codec: "-c:a pcm_s16le" },
    { name: "pcm24.wav", demuxer: "wav", rate: 48_000, codec: "-c:a pcm_s24le" },
    { name: "flac.flac", demuxer: "flac", rate: 44_100, codec: "-c:a flac" },
    { name: "aac.mp4", demuxer: "mov", rate: 44_100, codec: "-c:a aac -aac_pns 0" },
    { name: "aac.ts", demuxer: "mpegts", rate: 44_100, codec: "-c:a aac -aac_pns 0" },
    { name: "aac48.mkv", demuxer: "matroska", rate: 48_000, codec: "-c:a aac -aac_pns 0" },
    { name: "opus.webm", demuxer: "matroska", rate: 48_000, codec: "-c:a libopus -b:a 96k" },
    { name: "mp3.mp3", demuxer: "mp3", rate: 44_100, codec: "-c:a libmp3lame -b:a 128k" },
    { name: "vorbis.ogg", demuxer: "ogg", rate: 44_100, codec: "-c:a libvorbis" },
  ];
  it.for(cases)("$name", async ({ name, demuxer, rate, codec }) => {
    const path = join(await scratch(), name);
    await make(ffmpeg, path, `-f lavfi -i ${VOICE}:s=${rate}:d=12 ${codec}`);
    const ptsOffsetSec = demuxer === "mpegts" ? -1.4 : 0;
    const source = {
      path,
      demuxer,
      durationSec: 12,
      sampleRateHz: rate,
      channels: 2,
      ptsOffsetSec,
    };
    const whole = joined(await decodeInRanges(source, 300));
    const parts = await decodeInRanges(source, 5);
    expect(parts).toHaveLength(3);
    // Counts, since a difference of thousands of numbers says less than how many differ.
    const other = joined(parts);
    expect(other.peaks.length).toBe(whole.peaks.length);
    expect(other.peaks.filter((peak, i) => peak !== whole.peaks[i])).toHaveLength(0);
    expect(other.loudness).toEqual(whole.loudness);
    expect(Math.max(...whole.loudness)).toBeGreaterThan(-20);
    expect(parts.every((part) => !part.truncated && part.damage.length === 0)).toBe(true);
  });
});

/** Decodes 0 to `endSec` with the defaults of these tests, but for what is given. */
const decode = async (
  pieces: MediaPiece[],
  endSec: number,
  options: Partial<DecodeOptions> = {},
): Promise<DecodedRange> =>
  decodeRange({
    pieces: each(...pieces),
    startSec: 0,
    endSec,
    padSec: 1,
    sampleRateHz: 48_000,
    channels: 1,
    samplesPerPixel: 480,
    scratchDir: await scratch(),
    ffmpeg,
    ...options,
  });

const TONE = "aevalsrc=exprs=0.5*sin(2*PI*440*t):s=48000";
const isSilent = (peaks: Int16Array, fromSec: number, toSec: number): boolean =>
  peaks.subarray(fromSec * 200, toSec * 200).every((value) => value === 0);

describe("time", () => {
  it("makes a gap in the timestamps silence, and moves nothing behind it", async () => {
    const folder = await scratch();
    const whole = await make(
      ffmpeg,
      join(folder, "whole.nut"),
      `-f lavfi -i ${VOICE}:s=48000:d=6 -c:a pcm_s16le`,
    );
    const gap = await make(
      ffmpeg,
      join(folder, "gap.nut"),
      `-i ${whole} -af aselect=not(between(t\\,2\\,3.5)) -c:a pcm_s16le`,
    );
    const at = { startSec: 0, endSec: 6 };
    const stereo = { channels: 2 };
    const a = await decode([filePiece(whole, "nut", at)], 6, stereo);
    const b = await decode([filePiece(gap, "nut", at)], 6, stereo);
    expect(isSilent(b.peaks, 2.1, 3.4)).toBe(true);
    expect(b.peaks.subarray(0, 390)).toEqual(a.peaks.subarray(0, 390));
    expect(b.peaks.subarray(720)).toEqual(a.peaks.subarray(720));
    expect(b.decodedSec).toBeGreaterThan(4.4);
    expect(b.decodedSec).toBeLessThan(4.6);
  });

  it("lays pieces with clocks of their own one after another, and cuts what overlaps", async () => {
    const folder = await scratch();
    const tone = await make(ffmpeg, join(folder, "tone.wav"), `-f lavfi -i ${TONE}:d=3`);
    const range = await decode(
      [
        filePiece(tone, "wav", { startSec: 0, endSec: 3 }),
        filePiece(tone, "wav", { startSec: 2.5, endSec: 5.5, ptsOffsetSec: 2.5 }),
        filePiece(tone, "wav", { startSec: 7, endSec: 10, ptsOffsetSec: 7 }),
      ],
      10,
    );
    expect(range.decodedSec).toBeCloseTo(8.5, 6);
    expect(isSilent(range.peaks, 5.5, 7)).toBe(true);
    expect(isSilent(range.peaks, 5.4, 5.5)).toBe(false);
    expect(isSilent(range.peaks, 7, 7.1)).toBe(false);
    expect(range.loudnessDb).toHaveLength(100);
    expect(range.loudnessDb[60]).toBe(-100);
    expect(range.loudnessDb[80]).toBeCloseTo(-9.03, 1); // a sine of half the full scale
  });

  it("gives audio in step with the range, padded with silence to the source's end", async () => {
    const folder = await scratch();
    const tone = await make(ffmpeg, join(folder, "tone.wav"), `-f lavfi -i ${TONE}:d=3`);
    const piece = filePiece(tone, "wav", { startSec: 1, endSec: 6, ptsOffsetSec: 2 });
    const range = await decode([piece], 5, { startSec: 3 });
    expect([range.audioStartSec, range.audioEndSec]).toEqual([2, 6]);
    const audio = await samplesOf(["-i", range.audioPath]);
    expect(audio).toHaveLength(4 * 16_000);
    const level = (from: number, to: number): number =>
      Math.max(...audio.subarray(from * 16_000, to * 16_000));
    expect(level(0.1, 2.9)).toBeGreaterThan(15_000);
    expect(level(3.1, 4)).toBe(0);
    expect(range.truncated).toBe(false);
  });

  it("reports stretches that the site silenced, as far as they lie in the range, and measures none of them", async () => {
    const folder = await scratch();
    const tone = await make(ffmpeg, join(folder, "tone.wav"), `-f lavfi -i ${TONE}:d=3`);
    const muted = [
      { startSec: -4, endSec: 1 },
      { startSec: 2, endSec: 2.5 },
      { startSec: 2.5, endSec: 9 },
      { startSec: 9, endSec: 12 },
    ];
    const range = await decode(
      [{ ...filePiece(tone, "wav", { startSec: 0, endSec: 3 }), muted }],
      3,
    );
    expect(range.muted).toEqual([
      { startSec: 0, endSec: 1 },
      { startSec: 2, endSec: 3 },
    ]);
    const measured = Array.from(range.loudnessDb, (db) => !Number.isNaN(db));
    const bins = (count: number, value: boolean) => Array<boolean>(count).fill(value);
    expect(measured).toEqual([...bins(10, false), ...bins(10, true), ...bins(10, false)]);
  });
});

describe("channels", () => {
  it.for([1, 2, 6])("%i", async (channels) => {
    const path = join(await scratch(), "many.wav");
    const exprs = Array.from({ length: channels }, (_, c) => `${(c + 1) / 10}`).join("|");
    await make(ffmpeg, path, `-f lavfi -i aevalsrc=exprs=${exprs}:s=48000:d=1`);
    const range = await decode([filePiece(path, "wav", { startSec: 0, endSec: 1 })], 1, {
      channels,
    });
    const mean = Math.trunc((32_768 * (channels + 1)) / 20);
    expect(Math.abs((range.peaks[0] as number) - mean)).toBeLessThanOrEqual(1);
    expect(range.peaks.every((value) => value === range.peaks[0])).toBe(true);
    expect((await samplesOf(["-i", range.audioPath])).length).toBe(16_000);
  });
});

describe("bad input", () => {
  const codeOf = async (promise: Promise<unknown>): Promise<string> => {
    const error = await promise.then(
      () => new Error("it succeeded"),
      (reason: unknown) => reason,
    );
    return error instanceof StageError ? error.code : String(error);
  };

  it("a file that is no media: invalid_media, and no file left", async () => {
    const scratchDir = await scratch();
    const path = join(await scratch(), "garbage.mp4");
    await writeFile(path, Buffer.alloc(100_000, "not a film at all "));
    const piece = filePiece(path, "mov", { startSec: 0, endSec: 5 });
    expect(await codeOf(decode([piece], 5, { scratchDir }))).toBe("invalid_media");
    expect(await readdir(scratchDir)).toEqual([]);
  });

  it("a file cut off: what there is, and that it was cut", async () => {
    const path = join(await scratch(), "cut.mp4");
    await make(ffmpeg, path, `-f lavfi -i ${TONE}:d=8 -c:a aac -b:a 128k -movflags +faststart`);
    await truncate(path, 60_000);
    const range = await decode([filePiece(path, "mov", { startSec: 0, endSec: 8 })], 8);
    expect(range.truncated).toBe(true);
    expect(range.decodedSec).toBeGreaterThan(2);
    expect(range.decodedSec).toBeLessThan(7);
    expect(range.peaks).toHaveLength(1600);
    expect(isSilent(range.peaks, 7, 8)).toBe(true);
  });

  it("a picture without sound: zeros and a silent file", async () => {
    const path = join(await scratch(), "mute.mp4");
    await make(ffmpeg, path, "-f lavfi -i color=s=64x64:d=2 -c:v libx264");
    const range = await decode([filePiece(path, "mov", { startSec: 0, endSec: 2 })], 2);
    expect(range).toMatchObject({ decodedSec: 0, firstSoundSec: null, damage: [] });
    expect(range.peaks.every((value) => value === 0)).toBe(true);
    expect((await samplesOf(["-i", range.audioPath])).length).toBe(32_000);
  });

  it("a source that fails on the way: its own error, not a truncated file", async () => {
    const path = join(await scratch(), "tone.wav");
    await make(ffmpeg, path, `-f lavfi -i ${TONE}:d=20`);
    const bytes = await readFile(path);
    async function* half(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, bytes.length / 2);
      await Promise.resolve();
      throw new StageError("source_unreachable");
    }
    const piece: MediaPiece = {
      ...filePiece("pipe:0", "wav", { startSec: 0, endSec: 20 }),
      stdin: Readable.from(half()),
    };
    expect(await codeOf(decode([piece], 20))).toBe("source_unreachable");
    const failed = new StageError("source_failed");
    const silent = {
      ...filePiece(path, "wav", { startSec: 0, endSec: 30 }),
      failure: () => failed,
    };
    expect(await codeOf(decode([silent], 30))).toBe("source_failed");
  });

  it("an abort on the way: its reason, no process and no file left, and the piece closed", async () => {
    const scratchDir = await scratch();
    const started: number[] = [];
    const stop = new AbortController();
    let closed = 0;
    const endless: MediaPiece = {
      ...filePiece("/dev/zero", "s16le", { startSec: 0, endSec: 3000 }),
      close: () => Promise.resolve(void (closed += 1)),
    };
    const watched = { ...ffmpeg, onStart: () => started.push(1) };
    const running = decode([endless], 3000, {
      scratchDir,
      ffmpeg: watched,
      signal: stop.signal,
      onProgress: () => stop.abort(new StageError("lease_expired")),
    });
    expect(await codeOf(running)).toBe("lease_expired");
    expect(started).toHaveLength(2);
    expect(closed).toBe(1);
    expect(await readdir(scratchDir)).toEqual([]);
    expect(existsSync(`/proc/self/task/${process.pid}/children`)).toBe(true);
    const children = await readFile(`/proc/self/task/${process.pid}/children`, "utf8");
    for (const pid of children.trim().split(" ").filter(Boolean))
      expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).not.toContain(scratchDir);
  });
});
