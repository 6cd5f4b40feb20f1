// The engine beside convex-test, which stands for Convex: random programs answer, fail and leave the same
// on both, but for what is listed. More of them are in `differential.slow.test.ts`.
import { describe, expect, it } from "vitest";
import { compare, standStill } from "./testing/compare.ts";
import { DIFFERENCES } from "./testing/differences.ts";
import { convexTestRuntime, engineRuntime, start } from "./testing/play.ts";
import type { Program } from "./testing/program.ts";

standStill();

/** Programs that once differed. */
const FOUND: readonly Program[] = [
  // A table that was made in a call that was rolled back, in one that was rolled back: the next got its place.
  [
    {
      kind: "mutation",
      as: null,
      steps: [
        { kind: "schedule", afterMs: 0, steps: [], isCaught: false },
        {
          kind: "call",
          call: { how: "mutation", steps: [{ kind: "throw", data: null, isCaught: false }] },
          isCaught: false,
        },
      ],
    },
    { kind: "query", as: null, steps: [{ kind: "count", table: "undeclared", isCaught: false }] },
    {
      kind: "mutation",
      as: null,
      steps: [{ kind: "schedule", afterMs: 0, steps: [], isCaught: false }],
    },
  ],
  // A query of what was there before counted what its caller had written.
  [
    {
      kind: "mutation",
      as: null,
      steps: [
        {
          kind: "insert",
          table: "people",
          fields: { name: { kind: "value", value: "ada" } },
          isCaught: false,
        },
        {
          kind: "call",
          call: { how: "staleQuery", steps: [{ kind: "count", table: "people", isCaught: false }] },
          isCaught: false,
        },
      ],
    },
  ],
];

it("does as convex-test, whatever a program does", async () => {
  await expect(compare(1, 180, FOUND)).resolves.toBeUndefined();
});

describe("differs from convex-test only in", () => {
  it.each(DIFFERENCES)("$what, which $why", async ({ show, theirs, ours }) => {
    expect(await show(start(convexTestRuntime))).toEqual(theirs);
    expect(await show(start(engineRuntime))).toEqual(ours);
  });
});
