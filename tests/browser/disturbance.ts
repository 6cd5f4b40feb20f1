// Pages and others add rows to one list while their connections are cut and the server is restarted;
// then everybody must show what the server has, and each must have seen it grow in order.
import { type ConvexHttpClient, ConvexClient } from "convex/browser";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { startFlakyLink } from "./flakyLink.ts";
import { type Row, append, inList } from "./functions.ts";
import type { Probe } from "./page.ts";
import type { Rig } from "./rig.ts";

export interface Disturbance {
  seed: number;
  pages: number;
  /** Added by each page at a time, until all cuts were made. */
  rowsEach: number;
  restarts: number;
  /** Of the pages' connections. */
  cuts: number;
  maxLifeMs: number;
  maxDelayMs: number;
  /** Of the connections of a client in Node, which waits a second and more before it comes back. */
  nodeCuts: number;
}

const LANES = 3;

/** One in seven is refused. */
const textsOf = (who: string, rows: number): string[] =>
  Array.from({ length: rows }, (_, i) => `${who} ${i}${i % 7 === 3 ? " refuse" : ""}`);

const probeOf = async <K extends keyof Probe>(page: Page, key: K): Promise<Probe[K]> =>
  (await page.evaluate(`probe.${key}`)) as Probe[K];

const taken = (texts: readonly string[]): string[] =>
  texts.filter((text) => !text.includes("refuse"));

/** Adds over HTTP, which cannot tell what became of a call that broke. */
const addByHttp = async (
  http: ConvexHttpClient,
  list: string,
  texts: readonly string[],
): Promise<Set<string>> => {
  const answered = new Set<string>();
  for (const text of texts) {
    try {
      await http.mutation(append, { list, text });
      answered.add(text);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch failed: the server is away
    }
  }
  return answered;
};

const inOrder = (seen: readonly (readonly Row[])[]): boolean =>
  seen.every((rows, at) => (seen[at - 1] ?? []).every(({ _id }, i) => rows[i]?._id === _id));

/** @returns how much of it there was */
export const disturb = async (
  rig: Rig,
  browser: BrowserContext,
  {
    seed,
    pages: pageCount,
    rowsEach,
    restarts,
    cuts,
    maxLifeMs,
    maxDelayMs,
    nodeCuts,
  }: Disturbance,
): Promise<{ cuts: number; inside: number; rows: number; changes: number }> => {
  const list = `list ${seed}`;
  const flaky = { target: rig.convexUrl, seed, maxDelayMs };
  const link = await startFlakyLink({ ...flaky, maxLifeMs, maxCuts: cuts });
  const nodeLink = await startFlakyLink({ ...flaky, maxLifeMs: 1_000, maxCuts: nodeCuts });
  const node = new ConvexClient(nodeLink.url, { logger: false, unsavedChangesWarning: false });
  try {
    const pages = await Promise.all(
      Array.from({ length: pageCount }, async () => {
        const page = await browser.newPage();
        await page.goto(rig.pageUrl(list, link.url, true));
        await page.waitForSelector("ol[data-total]", { state: "attached" });
        return page;
      }),
    );
    const seenByNode: Row[][] = [];
    node.onUpdate(inList, { list }, (rows) => seenByNode.push(rows));

    const byNode = taken(textsOf("node", Math.ceil(rowsEach / 2)));
    const byHttp = taken(textsOf("http", 2 * rowsEach));
    let rounds = 0;
    const workOfPages = async (): Promise<void> => {
      while (rounds === 0 || link.cuts.all < cuts) {
        const round = (rounds += 1);
        const texts = (i: number) => JSON.stringify(textsOf(`page ${i} round ${round}`, rowsEach));
        await Promise.all(
          pages.map((page, i) => page.evaluate(`probe.addRows(${texts(i)}, ${LANES})`)),
        );
      }
    };
    const working = Promise.all([
      workOfPages(),
      ...byNode.map((text) => node.mutation(append, { list, text })),
    ]);
    const workingByHttp = addByHttp(rig.http(), list, byHttp);
    for (let restart = 1; restart <= restarts; restart++) {
      await link.reached(Math.floor((cuts * restart) / (restarts + 1)));
      await rig.restart();
    }
    await working;
    const answeredByHttp = await workingByHttp;
    link.heal();
    nodeLink.heal();

    const rows = await rig.http().query(inList, { list });
    const texts = rows.map(({ text }) => text);
    expect(new Set(texts).size, "each mutation is applied once").toBe(texts.length);
    expect(texts.filter((text) => text.includes("refuse"))).toEqual([]);
    expect(texts).toEqual(expect.arrayContaining([...answeredByHttp, ...byNode]));
    let changes = 0;
    for (const page of pages) {
      await page.waitForSelector(`ol[data-total="${rows.length}"] > li:nth-child(${rows.length})`);
      expect(await page.locator("li").allTextContents()).toEqual(texts);
      expect(await probeOf(page, "violations")).toEqual([]);
      const acknowledged = Object.entries(await probeOf(page, "acknowledged"));
      const refused = await probeOf(page, "refused");
      expect(acknowledged.length + refused.length).toBe(rounds * rowsEach);
      for (const [text, rank] of acknowledged) expect(texts[rank - 1]).toBe(text);
      expect(refused.filter((text) => !text.includes("refuse"))).toEqual([]);
      // They were shown for a moment, so that there was something to take back.
      expect(await probeOf(page, "shownEarly")).toEqual(expect.arrayContaining(refused));
      changes += await probeOf(page, "changes");
      await page.close();
    }
    expect(inOrder(seenByNode), "rows are added at the end, and none is lost").toBe(true);
    return { cuts: link.cuts.all, inside: link.cuts.inside, rows: rows.length, changes };
  } finally {
    await node.close();
    await link.close();
    await nodeLink.close();
  }
};
