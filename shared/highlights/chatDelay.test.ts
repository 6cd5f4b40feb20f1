import { describe, expect, it } from "vitest";
import { estimateChatDelay } from "./chatDelay.ts";

const bumps = (length: number, at: number[], width = 3): Float64Array =>
  Float64Array.from({ length }, (_, sec) =>
    at.reduce((sum, center) => sum + 4 * Math.exp(-((sec - center) ** 2) / (2 * width ** 2)), 0),
  );

describe("estimateChatDelay", () => {
  const moments = [60, 131, 250, 333, 421];

  it.each([0, 3, 5.5, 12, 19])("finds a delay of %s s", (delay) => {
    const found = estimateChatDelay(
      bumps(480, moments),
      bumps(
        480,
        moments.map((sec) => sec + delay),
      ),
    );
    expect(found).toBeDefined();
    expect(Math.abs(found! - delay)).toBeLessThan(0.6);
  });

  it("finds it although chat also reacts to what cannot be heard", () => {
    const chat = [...moments.map((sec) => sec + 7), 20, 180, 290];
    expect(estimateChatDelay(bumps(480, moments), bumps(480, chat))).toBeCloseTo(7, 0);
  });

  it.each<[string, Float64Array, Float64Array]>([
    ["chat is quiet", bumps(480, moments), new Float64Array(480)],
    ["the sound is even", new Float64Array(480), bumps(480, moments)],
    [
      "they have nothing to do with each other",
      bumps(480, moments),
      bumps(480, [20, 95, 170, 300, 390]),
    ],
    ["the video is too short to tell", bumps(60, [20]), bumps(60, [26])],
  ])("does not say where %s", (_, picture, chat) => {
    expect(estimateChatDelay(picture, chat)).toBeUndefined();
  });
});
