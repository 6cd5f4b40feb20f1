// Thousands of the programs of `differential.test.ts`.
import { expect, it } from "vitest";
import { compare, standStill } from "./testing/compare.ts";

standStill();

const SEEDS = Array.from({ length: 5 }, (_, i) => i + 100);

it.each(SEEDS)("does as convex-test, in 500 programs from seed %i", async (seed) => {
  await expect(compare(seed, 500)).resolves.toBeUndefined();
});
