// Plays random programs on both runtimes until they differ. A program that does is shrunk, and told with
// its seed and path: DIFFERENTIAL_SEED and DIFFERENTIAL_PATH play it again.
import fc from "fast-check";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { program } from "./generate.ts";
import { convexTestRuntime, engineRuntime, play } from "./play.ts";
import type { Program } from "./program.ts";

/** Puts a test's clock in place, for a whole file. */
export const standStill = (): void => {
  beforeAll(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    // Scheduled functions that fail say so there.
    vi.spyOn(console, "error").mockReturnValue();
  });
  afterAll(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
};

/** @throws where a program has other answers, or leaves other documents, on one than on the other */
export const compare = async (
  seed: number,
  numRuns: number,
  first: readonly Program[] = [],
): Promise<void> => {
  const { DIFFERENTIAL_SEED: given, DIFFERENTIAL_PATH: path } = process.env;
  await fc.assert(
    fc.asyncProperty(program, async (one) => {
      // convex-test first: it puts its own global in place, before which the engine's stands.
      const theirs = await play(one, convexTestRuntime);
      expect(await play(one, engineRuntime)).toEqual(theirs);
    }),
    {
      seed: given === undefined ? seed : Number(given),
      ...(path === undefined ? { examples: first.map((one) => [one]) } : { path }),
      numRuns,
    },
  );
};
