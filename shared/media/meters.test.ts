import { describe, expect, it } from "vitest";
import { LoudnessMeter, PeakMeter } from "./meters.ts";

describe("peaks", () => {
  it.for([
    ["rounds the mean towards zero", [-3, 0, 3, 0], 2, [-1, 1]],
    ["mixes three channels", [1, 1, 3, -1, -1, -6], 3, [-2, 1]],
    ["starts a pixel every four frames", [1, 2, 3, 4, 5, 6], 1, [1, 4, 5, 6]],
  ] as const)("%s", ([, samples, channels, expected]) => {
    const frames = samples.length / channels;
    const meter = new PeakMeter(0, frames, channels, 4);
    meter.sound(Int16Array.from(samples), 0, frames, 0);
    expect([...meter.finish()]).toEqual(expected);
  });

  it("counts silence beside sound in a pixel as zero, and pixels of silence alone are zero", () => {
    const meter = new PeakMeter(8, 24, 1, 4);
    meter.sound(Int16Array.of(5, 6), 0, 2, 8);
    meter.silence(12, 10);
    meter.sound(Int16Array.of(-7, -9), 0, 2, 22);
    expect([...meter.finish()]).toEqual([0, 6, 0, 0, 0, 0, -9, 0]);
  });

  it("takes only what lies in its range, in whatever portions it comes", () => {
    const all = Int16Array.from({ length: 40 }, (_, i) => (i * 37) % 23);
    const whole = new PeakMeter(8, 31, 1, 4);
    whole.sound(all, 0, 40, 0);
    const parts = new PeakMeter(8, 31, 1, 4);
    for (const [from, to] of [
      [0, 3],
      [3, 9],
      [9, 11],
      [11, 30],
      [30, 40],
    ] as const)
      parts.sound(all, from, to - from, from);
    const peaks = parts.finish();
    expect(peaks).toHaveLength(12);
    expect(peaks).toEqual(whole.finish());
  });
});

describe("loudness", () => {
  it("is the level of each 100 ms over all channels, silence and empty bins at -100 dB", () => {
    const meter = new LoudnessMeter(0, 50, 2, 100); // ten frames a bin
    meter.sound(
      Int16Array.from({ length: 20 }, () => 32_767),
      0,
      10,
      0,
    );
    meter.sound(
      Int16Array.from({ length: 20 }, (_, i) => (i % 2 ? 0 : 32_767)),
      0,
      10,
      10,
    );
    meter.silence(15, 20);
    meter.sound(
      Int16Array.from({ length: 10 }, () => -32_768),
      0,
      5,
      35,
    );
    const [full, one, none, half, empty] = meter.finish();
    expect(full).toBeCloseTo(0, 3);
    expect(one).toBeCloseTo(-3.01, 2);
    expect(none).toBe(-100);
    expect(half).toBeCloseTo(-3.01, 2);
    expect(empty).toBe(-100);
  });

  it("gives a bin to the range that it begins in", () => {
    const first = new LoudnessMeter(0, 25, 1, 100);
    const second = new LoudnessMeter(25, 50, 1, 100);
    expect([first.firstBin, first.finish().length]).toEqual([0, 3]);
    expect([second.firstBin, second.finish().length]).toEqual([3, 2]);
  });
});
