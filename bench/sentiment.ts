// Sentiment beside the VADER port on npm, on one core and in one run: messages a second over real
// chat and tweets, and how near each comes to people's ratings.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { scoreChatText } from "#shared/sentiment/score.ts";
import { crossValidate } from "./eval/fit.ts";
import { labelOf, macroF1, NEUTRAL_WITHIN, pearson } from "./eval/metrics.ts";
import { parseRatings } from "./eval/ratings.ts";
import { vaderScore } from "./eval/sentiment.ts";
import type { Bench, BenchRow } from "./row.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../shared/fixtures/${name}`, import.meta.url));

const TWEETS = fixture("sentiment/tweets.tsv");
const CHAT = fixture("twitch/chat-replay-v5.json");
const SCALE = 4;
const FOLDS = 10;
const WARM_UP_MS = 300;
const MEASURE_MS = 1500;

/** Whole turns over the texts for at least `forMs`; texts a second. */
const rate = (texts: readonly string[], score: (text: string) => number, forMs: number): number => {
  const start = performance.now();
  let scored = 0;
  let elapsedMs = 0;
  // Used, so that no engine may leave the work out.
  let sum = 0;
  while (elapsedMs < forMs) {
    for (const text of texts) sum += score(text);
    scored += texts.length;
    elapsedMs = performance.now() - start;
  }
  if (!Number.isFinite(sum)) throw new Error("a score was not finite");
  return (scored / elapsedMs) * 1000;
};

const speedRow = (name: string, texts: readonly string[]): BenchRow => {
  for (const score of [scoreChatText, vaderScore]) rate(texts, score, WARM_UP_MS);
  // In turns, so that a busy machine slows both.
  const ours: number[] = [];
  const peer: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    ours.push(rate(texts, scoreChatText, MEASURE_MS / 3));
    peer.push(rate(texts, vaderScore, MEASURE_MS / 3));
  }
  const best = { ours: Math.max(...ours), peer: Math.max(...peer) };
  return { name, ...best, unit: "texts/s", ratio: best.ours / best.peer, goal: "≥ 10" };
};

const qualityRow = (name: string, ours: number, peer: number, note: string): BenchRow => ({
  name,
  ours,
  peer,
  unit: "",
  ratio: ours / peer,
  goal: "> 1",
  note,
});

const chatBodies = async (): Promise<string[]> => {
  const replay = JSON.parse(await readFile(CHAT, "utf8")) as {
    comments: { message: { body: string } }[];
  };
  return replay.comments.map(({ message }) => message.body);
};

export const run: Bench = async function* () {
  const missing = [TWEETS, CHAT].filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`these texts are missing: ${missing.join(", ")}`);
  const samples = parseRatings(await readFile(TWEETS, "utf8"), true).rows.map(
    ({ rating, text }) => ({ rating: rating!, text }),
  );
  const tweets = samples.map(({ text }) => text);
  const ratings = samples.map(({ rating }) => rating);
  yield speedRow("sentiment of chat messages", await chatBodies());
  yield speedRow("sentiment of tweets", tweets);

  const ours = crossValidate(samples, FOLDS);
  const peer = tweets.map(vaderScore);
  const note = `${tweets.length} tweets rated by 20 people each; ours fitted without the tweet's fold, ${FOLDS} folds`;
  yield qualityRow(
    "sentiment: correlation with people",
    pearson(ours, ratings),
    pearson(peer, ratings),
    note,
  );
  for (const [neutralWithin, what] of [
    [NEUTRAL_WITHIN, "within 0.05 of 0"],
    [NEUTRAL_WITHIN * SCALE, "within 0.05 of the scale"],
    [0.5, "that round to 0"],
  ] as const) {
    const people = ratings.map((rating) => labelOf(rating, neutralWithin));
    const f1 = (scores: readonly number[]): number =>
      macroF1(
        scores.map((score) => labelOf(score)),
        people,
      );
    yield qualityRow(`sentiment: macro F1, ratings ${what} neutral`, f1(ours), f1(peer), note);
  }
};
