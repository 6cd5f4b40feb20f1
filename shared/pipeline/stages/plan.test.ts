import fc from "fast-check";
import { expect, it } from "vitest";
import { planRanges } from "./plan.ts";

it("cuts any stretch without gap or overlap, on pixels", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1000, noNaN: true }),
      fc.double({ min: 0.01, max: 40_000, noNaN: true }),
      fc.constantFrom(64 / 44_100, 1024 / 48_000, 65_536 / 8000),
      fc.constantFrom(5, 300),
      (startSec, lengthSec, secondsPerPixel, rangeSec) => {
        const endSec = startSec + lengthSec;
        const ranges = planRanges({ startSec, endSec }, secondsPerPixel, rangeSec);
        expect(ranges.length).toBeGreaterThan(0);
        expect(ranges[0]!.startPixel * secondsPerPixel).toBeLessThanOrEqual(startSec);
        expect(ranges.at(-1)!.endPixel * secondsPerPixel).toBeGreaterThanOrEqual(endSec - 1e-6);
        for (const [i, range] of ranges.entries()) {
          expect(range.endPixel).toBeGreaterThan(range.startPixel);
          if (i > 0) expect(range.startPixel).toBe(ranges[i - 1]!.endPixel);
          const sec = (range.endPixel - range.startPixel) * secondsPerPixel;
          expect(sec).toBeLessThan(1.6 * rangeSec + 2 * secondsPerPixel);
        }
      },
    ),
  );
});

it.each([
  ["one short range for a short video", 42, 300, 1],
  ["about equal ranges, none left over", 700, 300, 2],
  ["six hours in five-minute ranges", 21_600, 300, 72],
])("makes %s", (_name, endSec, rangeSec, count) => {
  expect(planRanges({ startSec: 0, endSec }, 1024 / 48_000, rangeSec)).toHaveLength(count);
});
