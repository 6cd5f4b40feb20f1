import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import WaveformData from "waveform-data";
import { fixture } from "../../tests/fixtures.ts";
import { cutRanges } from "./grid.ts";
import {
  bytesToPeaks,
  joinPeaks,
  peaksToBytes,
  readWaveformDat,
  waveformDat,
  type WaveformHeader,
  waveformJson,
} from "./waveform.ts";
import { each } from "./testing.ts";

const collect = async (parts: AsyncIterable<Uint8Array | string>): Promise<Buffer> => {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(Buffer.from(part as string));
  return Buffer.concat(all);
};

const header = (peaks: Int16Array, bits: 8 | 16): WaveformHeader => ({
  sampleRateHz: 48_000,
  samplesPerPixel: 256,
  bits,
  length: peaks.length / 2,
});

const dat16 = fixture("waveform/test_file_stereo_16bit_64spp_wav.dat");
const dat8 = fixture("waveform/test_file_stereo_8bit_64spp_wav.dat");
const json8 = fixture("waveform/test_file_stereo_8bit_64spp_wav.json");
const damaged = fixture("waveform/size_mismatch.dat");

describe("BBC audiowaveform's own files", () => {
  it.skipIf(!dat16.present || !dat8.present || !json8.present)(
    `are written byte for byte from its 16-bit peaks (needs ${json8.name})`,
    async () => {
      const theirs = readWaveformDat(await readFile(dat16.path));
      const peaks = theirs.data as Int16Array;
      const eight = { ...theirs, bits: 8 } as const;
      const ours8 = await collect(waveformDat(eight, each(peaks)));
      // Theirs are of version 1, whose header ends before the channels.
      expect(ours8.subarray(24)).toEqual((await readFile(dat8.path)).subarray(20));
      const ours16 = await collect(waveformDat(theirs, each(peaks)));
      expect(ours16.subarray(24)).toEqual((await readFile(dat16.path)).subarray(20));
      const json = await collect(waveformJson(eight, each(peaks)));
      expect(json.toString().trim()).toBe((await readFile(json8.path, "utf8")).trim());
    },
  );

  it.skipIf(!damaged.present)(
    `are refused where the length is wrong (needs ${damaged.name})`,
    async () => {
      const bytes = await readFile(damaged.path);
      expect(() => readWaveformDat(bytes)).toThrow(/3600 bytes of data instead of/);
    },
  );
});

describe("a waveform file", () => {
  it("opens in waveform-data with the peaks that went in", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.int16Array({ minLength: 2, maxLength: 40 }), { maxLength: 5 }),
        fc.constantFrom<8 | 16>(8, 16),
        async (arrays, bits) => {
          const runs = arrays.map((array) => array.subarray(0, array.length & ~1));
          const all = Int16Array.from(runs.flatMap((run) => [...run]));
          const expected = [...all].map((v) => (bits === 16 ? v : Math.trunc(v / 256) + 0)); // + 0: no -0
          const head = header(all, bits);
          const dat = await collect(waveformDat(head, each(...runs)));
          const json: unknown = JSON.parse(
            (await collect(waveformJson(head, each(...runs)))).toString(),
          );
          const { buffer } = Uint8Array.from(dat);
          for (const opened of [
            WaveformData.create(buffer),
            WaveformData.create(json as Parameters<typeof WaveformData.create>[0]),
          ]) {
            expect(opened).toMatchObject({ bits, sample_rate: 48_000, scale: 256, channels: 1 });
            const channel = opened.channel(0);
            const pairs = Array.from({ length: opened.length }, (_, i) => [
              channel.min_sample(i),
              channel.max_sample(i),
            ]);
            expect(pairs.flat()).toEqual(expected);
          }
          expect([...readWaveformDat(dat).data]).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("fails where peaks are missing", async () => {
    const peaks = Int16Array.of(-1, 1, -2, 2);
    const promised = { ...header(peaks, 8), length: 3 };
    await expect(collect(waveformDat(promised, each(peaks)))).rejects.toThrow("2 pixels, not 3");
    await expect(collect(waveformJson(promised, each(peaks)))).rejects.toThrow("2 pixels, not 3");
  });

  it.for([
    ["empty", []],
    ["shorter than a header", [1, 0, 0, 0, 0, 0]],
    ["of another version", [3, ...Array.from<number>({ length: 40 }).fill(0)]],
    ["of no sample rate", [2, ...Array.from<number>({ length: 23 }).fill(0)]],
  ] as const)("is refused where it is %s", ([, bytes]) => {
    expect(() => readWaveformDat(Uint8Array.from(bytes))).toThrow("not a waveform file");
  });
});

describe("peaks of ranges", () => {
  it("join in order, and not over a hole", async () => {
    const a = { firstPixel: 10, peaks: Int16Array.of(-1, 1, -2, 2) };
    const b = { firstPixel: 12, peaks: Int16Array.of(-3, 3) };
    const runs: Int16Array[] = [];
    for await (const run of joinPeaks([a, b])) runs.push(run);
    expect(runs).toEqual([a.peaks, b.peaks]);
    const broken = joinPeaks([a, { ...b, firstPixel: 13 }]);
    await broken.next();
    await expect(broken.next()).rejects.toThrow("pixel 12");
  });

  it("survive being kept as bytes", () => {
    const peaks = Int16Array.of(-32_768, 32_767, 0, 5);
    expect(bytesToPeaks(peaksToBytes(peaks.subarray(0, 4)))).toEqual(peaks);
    expect(() => bytesToPeaks(new Uint8Array(6))).toThrow("damaged");
  });
});

describe("cutting a source into ranges", () => {
  it("covers it without gap or overlap, on pixel boundaries, none longer than asked", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1000, noNaN: true }),
        fc.double({ min: 0.001, max: 40_000, noNaN: true }),
        fc.constantFrom(8000, 44_100, 48_000),
        fc.integer({ min: 32, max: 65_536 }),
        (startSec, lengthSec, sampleRateHz, samplesPerPixel) => {
          const endSec = startSec + lengthSec;
          const pixelSec = samplesPerPixel / sampleRateHz;
          const ranges = cutRanges({ startSec, endSec, sampleRateHz, samplesPerPixel }, 300);
          expect(ranges[0]?.startSec).toBeLessThanOrEqual(startSec + 1e-4);
          expect(ranges[0]?.startSec).toBeGreaterThan(startSec - pixelSec - 1e-4);
          expect(ranges.at(-1)?.endSec).toBe(endSec);
          for (const [n, range] of ranges.entries()) {
            const pixel = range.startSec / pixelSec;
            expect(Math.abs(pixel - Math.round(pixel))).toBeLessThan(1e-6);
            expect(range.endSec - range.startSec).toBeLessThanOrEqual(300 + pixelSec);
            expect(range.startSec).toBe(ranges[n - 1]?.endSec ?? range.startSec);
          }
        },
      ),
    );
  });
});
