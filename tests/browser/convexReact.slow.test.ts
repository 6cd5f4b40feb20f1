// Hundreds of connections cut under convex/react in a real browser, and the server ended under it again
// and again: what convexReact.test.ts does once.
import type { BrowserContext } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { runtimeNamedIn } from "#local/convex/runtime.ts";
import { chromiumPath, openBrowser } from "./chromium.ts";
import { disturb } from "./disturbance.ts";
import { type Rig, startRig } from "./rig.ts";

const SEEDS = [11, 12, 13];

/** convex-test forgets everything when its server ends. */
const isEngine = runtimeNamedIn(process.env) === "engine";

describe.skipIf(!chromiumPath || !isEngine)(
  "convex/react loses nothing (needs chromium, and the engine)",
  () => {
    let rig: Rig;
    let browser: BrowserContext;

    beforeAll(async () => {
      [rig, browser] = await Promise.all([startRig(), openBrowser()]);
      return async () => {
        await browser.close();
        await rig[Symbol.asyncDispose]();
      };
    });

    it.each(SEEDS)(
      "where a hundred connections break and the server restarts twice (seed %i)",
      async (seed) => {
        const sizes = { pages: 2, rowsEach: 70, restarts: 2, cuts: 100, nodeCuts: 4 };
        const done = await disturb(rig, browser, { seed, ...sizes, maxLifeMs: 600, maxDelayMs: 5 });
        expect(done.cuts).toBe(100);
      },
    );
  },
);
