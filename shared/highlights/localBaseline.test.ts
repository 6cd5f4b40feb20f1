import { describe, expect, it } from "vitest";
import { localBaseline } from "./localBaseline.ts";

const series = (length: number, at: (sec: number) => number): Float64Array =>
  Float64Array.from({ length }, (_, sec) => at(sec));

/** A little of everything around 0, the same each time. */
const wobble = (sec: number): number => Math.sin(sec * 12.9898) + Math.sin(sec * 4.1);

describe("localBaseline", () => {
  it("is not moved by a burst", () => {
    const { level } = localBaseline(
      series(900, (sec) => (sec >= 440 && sec < 470 ? 50 : 10 + wobble(sec))),
      0.1,
    );
    expect(level[455]).toBeGreaterThan(9);
    expect(level[455]).toBeLessThan(11.5);
  });

  it("is already high where a busy part begins, and still where it ends", () => {
    const { level } = localBaseline(
      series(1500, (sec) => (sec >= 500 && sec < 1000 ? 30 : 10) + wobble(sec)),
      0.1,
    );
    expect(level[500]).toBeGreaterThan(28);
    expect(level[999]).toBeGreaterThan(28);
    expect(level[200]).toBeLessThan(12);
  });

  it("judges a short video as a whole, though a third of it are moments", () => {
    const { level } = localBaseline(
      series(120, (sec) => (sec % 30 < 10 ? 40 : 10 + wobble(sec))),
      0.1,
    );
    for (const x of level) expect(x).toBeLessThan(12);
  });

  it("leaves out what is not measured, and takes no deviation below the least", () => {
    const { level, spread } = localBaseline(
      series(400, (sec) => (sec % 2 === 0 ? Number.NaN : 5)),
      0.7,
    );
    expect(level.every((x) => x === 5)).toBe(true);
    expect(spread.every((x) => x === 0.7)).toBe(true);
  });

  it("has a value where nothing is measured at all", () => {
    const { level } = localBaseline(
      series(10, () => Number.NaN),
      1,
    );
    expect([...level]).toEqual(Array.from({ length: 10 }, () => 0));
  });
});
