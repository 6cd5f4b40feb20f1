import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chatDocument } from "#shared/chat/chatDocument.ts";
import { planStream } from "../../samples/plan.ts";
import { messageRate, rateOverLocalMean } from "./baselines.ts";
import { evalHighlights, parseLabels } from "./highlights.ts";
import { averagePrecision, binLabels, binScores, precisionAt } from "./ranking.ts";
import { UsageError } from "./usage.ts";

describe("ranking", () => {
  it.each<[string, number[], boolean[], number]>([
    ["all first", [3, 2, 1], [true, true, false], 1],
    ["one first, one last", [3, 2, 1], [true, false, true], (1 + 2 / 3) / 2],
    ["all last", [1, 2, 3, 4], [true, false, false, false], 1 / 4],
    ["ties go to the earlier", [1, 1], [false, true], 1 / 2],
  ])("has the average precision of %s", (_, scores, positive, expected) => {
    expect(averagePrecision(scores, positive)).toBeCloseTo(expected, 12);
  });

  it("counts the best k", () => {
    expect(precisionAt([5, 1, 4, 3], [true, true, false, true], 3)).toBeCloseTo(2 / 3, 12);
  });

  it("bins by ten seconds", () => {
    expect(binScores([...Array.from({ length: 10 }, () => 2), 5, 7])).toEqual([2, 6]);
    expect(binLabels([{ startSec: 10, endSec: 20 }], 3)).toEqual([false, true, false]);
    expect(binLabels([{ startSec: 9.5, endSec: 10.5 }], 3)).toEqual([true, true, false]);
  });
});

describe("baselines", () => {
  it("count messages, and compare with five minutes around", () => {
    const { messages } = planStream(1);
    const rate = messageRate(messages, 120);
    expect(rate.reduce((sum, x) => sum + x, 0)).toBe(messages.length);
    expect(rateOverLocalMean(Array.from({ length: 400 }, () => 3)).every((x) => x === 1)).toBe(
      true,
    );
    expect(rateOverLocalMean([0, 0, 0])).toEqual([0, 0, 0]);
  });
});

describe("parseLabels", () => {
  it("reads two times a line", () => {
    expect(parseLabels("# moments\n1.5 10\r\n\n 20\t30 \n")).toEqual([
      { startSec: 1.5, endSec: 10 },
      { startSec: 20, endSec: 30 },
    ]);
  });

  it.each(["1", "5 4", "a b", "1 2 3", "-1 2"])("refuses %s", (line) => {
    expect(() => parseLabels(`0 1\n${line}`)).toThrow(/Line 2/u);
  });
});

describe("eval highlights", () => {
  let folder: string;
  let chat: string;
  let labels: string;
  const plan = planStream(4, { durationSec: 600 });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "klipstream-eval-"));
    [chat, labels] = [join(folder, "chat.json"), join(folder, "labels.txt")];
    const info = { videoId: "1", title: "x", durationSec: plan.durationSec };
    await writeFile(chat, [...chatDocument(plan.messages, info)].join(""));
    await writeFile(
      labels,
      plan.moments.map(({ startSec, endSec }) => `${startSec} ${endSec}\n`).join(""),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("puts our figures beside the baselines', and ours are better", async () => {
    const text = await evalHighlights(["--chat", chat, "--labels", labels]);
    const [ours, rate, local] = text
      .split("\n")
      .filter((line) => /\d\.\d{3}\s+\d\.\d{3}\s+\d\.\d{3}$/u.test(line))
      .map((line) => Number(/\d\.\d{3}/u.exec(line)![0]));
    expect(ours).toBeGreaterThan(rate! + 0.2);
    expect(ours).toBeGreaterThan(local! + 0.2);
  });

  it("prints one score a second", async () => {
    const text = await evalHighlights(["--chat", chat, "--labels", labels, "--predictions"]);
    const rows = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { sec: number; score: number });
    expect(rows.map(({ sec }) => sec)).toEqual(Array.from({ length: 600 }, (_, sec) => sec));
    expect(rows.every(({ score }) => Number.isFinite(score))).toBe(true);
  });

  it.each([
    ["no chat", ["--labels", "x"]],
    ["no labels", ["--chat", "x"]],
    ["an option there is not", ["--chat", "x", "--labels", "y", "--speed"]],
  ])("refuses %s", async (_, args) => {
    await expect(evalHighlights(args)).rejects.toThrow(UsageError);
  });
});
