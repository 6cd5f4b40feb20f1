// The official clients, unmodified, in a real browser. The long version is convexReact.slow.test.ts.
import type { BrowserContext } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, openBrowser } from "./chromium.ts";
import { disturb } from "./disturbance.ts";
import { type Rig, startRig } from "./rig.ts";

describe.skipIf(!chromiumPath)("in a browser (needs chromium)", () => {
  let rig: Rig;
  let browser: BrowserContext;

  beforeAll(async () => {
    [rig, browser] = await Promise.all([startRig(), openBrowser()]);
    return async () => {
      await browser.close();
      await rig[Symbol.asyncDispose]();
    };
  });

  it("ConvexHttpClient and ConvexClient call from another origin", async () => {
    const page = await browser.newPage();
    await page.goto(rig.pageUrl("none", rig.convexUrl));
    const answers = [1, 3, 3, "refused", expect.stringContaining("JWT"), 4, 6, 6];
    expect(await page.evaluate(`probe.callAll("all")`)).toEqual(answers);
    await page.close();
  });

  it("convex/react loses nothing where connections break", async () => {
    const sizes = { pages: 1, rowsEach: 14, restarts: 0, cuts: 8, nodeCuts: 0 };
    const times = { maxLifeMs: 250, maxDelayMs: 4 };
    const { cuts } = await disturb(rig, browser, { seed: 5, ...sizes, ...times });
    expect(cuts).toBe(8);
  });
});
