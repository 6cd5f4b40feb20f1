import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../../tests/fixtures.ts";
import { crossValidate } from "./fit.ts";
import { labelOf, macroF1, pearson } from "./metrics.ts";
import { parseRatings, scaleOf } from "./ratings.ts";
import { vaderScore } from "./sentiment.ts";

describe("metrics", () => {
  it.each([
    [[1, 2, 3], [2, 4, 6], 1],
    [[1, 2, 3], [3, 2, 1], -1],
    [[1, 2, 3, 4], [1, -1, -1, 1], 0],
  ])("correlation of %j and %j is %d", (xs, ys, expected) => {
    expect(pearson(xs, ys)).toBeCloseTo(expected, 12);
  });

  it("correlation with what never varies is none", () => {
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeNaN();
  });

  it("F1 is the mean over the classes, present or not", () => {
    expect(macroF1(["positive", "negative", "neutral"], ["positive", "negative", "neutral"])).toBe(
      1,
    );
    // negative: 2·1/(1+1) = 1; positive: 2·1/(2+1) = 2/3; neutral: 0.
    expect(
      macroF1(["negative", "positive", "positive"], ["negative", "positive", "neutral"]),
    ).toBeCloseTo((1 + 2 / 3) / 3, 12);
  });

  it.each([
    [0.05, "neutral"],
    [-0.05, "neutral"],
    [0.0501, "positive"],
    [-0.0501, "negative"],
  ])("a score of %d is %s", (score, label) => expect(labelOf(score)).toBe(label));
});

describe("parseRatings", () => {
  it("reads rows with and without a header, tabs in the text, a byte order mark, CRLF", () => {
    const rows = [
      { id: "1", rating: 2.5, text: "good\tstuff" },
      { id: "2", rating: -1, text: " bad " },
    ];
    const body = "1\t2.5\tgood\tstuff\r\n\r\n2\tnegative\t bad \r\n";
    expect(parseRatings(body, true)).toEqual({ rows, bad: [] });
    expect(parseRatings(`\uFEFFid\trating\ttext\r\n${body}`, true)).toEqual({ rows, bad: [] });
  });

  it("names bad rows by their line", () => {
    const { rows, bad } = parseRatings("1\t1\tok\n2\tmany\tx\nonly\n\t1\tx\n5\tNaN\tx\n", true);
    expect(rows.map(({ id }) => id)).toEqual(["1"]);
    expect(bad).toEqual([
      { line: 2, reason: '"many" is no rating' },
      { line: 3, reason: "has 1 of the 3 columns id, rating, text" },
      { line: 4, reason: "has no id" },
      { line: 5, reason: '"NaN" is no rating' },
    ]);
  });

  it("does without ratings where none is needed", () => {
    expect(parseRatings("id\trating\ttext\n7\t\thello\n", false)).toEqual({
      rows: [{ id: "7", rating: null, text: "hello" }],
      bad: [],
    });
  });

  it("knows the scale by its ratings", () => {
    expect(scaleOf([1, -1, 0])).toBe(1);
    expect(scaleOf([0.2, -3])).toBe(4);
  });
});

const tweets = fixture("sentiment/tweets.tsv");

describe("against people's ratings", () => {
  it.skipIf(!tweets.present)(
    `beats vader-sentiment on unseen texts (needs ${tweets.name})`,
    async () => {
      const samples = parseRatings(await readFile(tweets.path, "utf8"), true).rows.map(
        ({ rating, text }) => ({ rating: rating!, text }),
      );
      const ratings = samples.map(({ rating }) => rating);
      // Few folds and rounds, so that this is quick; `npm run eval -- fit-sentiment` does it in full.
      const ours = crossValidate(samples, 3);
      const peer = samples.map(({ text }) => vaderScore(text));
      expect(pearson(ours, ratings)).toBeGreaterThan(pearson(peer, ratings) + 0.015);
      const f1 = (scores: readonly number[], neutralWithin: number): number =>
        macroF1(
          scores.map((score) => labelOf(score)),
          ratings.map((rating) => labelOf(rating, neutralWithin)),
        );
      const gains = [0.05, 0.2, 0.5].map((within) => f1(ours, within) - f1(peer, within));
      // Few ratings are within 0.05 of 0, and there the two are even.
      expect(Math.min(...gains)).toBeGreaterThan(-0.005);
      expect(gains.reduce((sum, gain) => sum + gain, 0) / gains.length).toBeGreaterThan(0.001);
    },
  );
});

describe("npm run eval -- sentiment", () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "klipstream-eval-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const evaluate = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      });
    });

  it("prints figures beside the baselines, and names bad rows", async () => {
    const file = join(folder, "ratings.tsv");
    await writeFile(file, "id\trating\ttext\n1\t1\tPogChamp\n2\t-1\tSadge\n3\t?\tx\n4\t0\thello\n");
    const { code, stdout, stderr } = await evaluate("sentiment", file);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^3 texts: 1 negative, 1 neutral, 1 positive\n/);
    expect(stdout).toMatch(/^ours +0\.9\d+ +1\.0000$/m);
    expect(stdout).toMatch(/^lexicon without emotes or rules +none +0\.1667$/m);
    expect(stdout).toMatch(/^vader-sentiment +none/m);
    expect(stderr).toBe(`${file}:4: "?" is no rating\n1 of 4 rows left out\n`);
  });

  it("prints predictions as JSON lines", async () => {
    const file = join(folder, "texts.tsv");
    await writeFile(file, '7\t\tKEKW "so" good\n8\t\tthe table\n');
    const { code, stdout, stderr } = await evaluate("sentiment", file, "--predictions");
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { id: "7", score: expect.closeTo(0.7, 0), label: "positive" },
      { id: "8", score: 0, label: "neutral" },
    ]);
  });

  it("answers wrong use with 2 and the usage", async () => {
    const wrong = [
      [],
      ["nothing"],
      ["sentiment"],
      ["sentiment", "a", "b"],
      ["sentiment", "a", "--wrong"],
      ["fit-sentiment", "a", "--folds", "x"],
    ];
    for (const { code, stdout, stderr } of await Promise.all(wrong.map((w) => evaluate(...w)))) {
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).not.toBe("");
    }
  });

  it("explains itself", async () => {
    for (const args of [["--help"], ["sentiment", "--help"], ["fit-sentiment", "--help"]]) {
      const { code, stdout } = await evaluate(...args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: npm run eval/);
    }
  });

  it("says in a sentence what is wrong with the file", async () => {
    const missing = await evaluate("sentiment", join(folder, "missing.tsv"));
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toMatch(/no such file/);
    const empty = join(folder, "empty.tsv");
    await writeFile(empty, "");
    expect(await evaluate("sentiment", empty)).toEqual({
      code: 1,
      stdout: "",
      stderr: `${empty} has no row that can be read\n`,
    });
  });
});
