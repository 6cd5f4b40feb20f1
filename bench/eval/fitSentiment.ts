// `npm run eval -- fit-sentiment FILE.tsv`: what fitting to these ratings is worth on unseen texts,
// and with --write the numbers fitted to all of them, for the scorer to use.
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { crossValidate, fit, type Sample } from "./fit.ts";
import { parseRatings, scaleOf } from "./ratings.ts";
import { measure, vaderScore } from "./sentiment.ts";

const HELP = `Usage: npm run eval -- fit-sentiment FILE.tsv [--folds N] [--write]

Fits the scorer to rated texts (id, rating, text by tab) and says by cross-validation what that is
worth. With --write the numbers fitted to all of FILE replace shared/sentiment/fitted.json.
`;

const FITTED_FILE = fileURLToPath(new URL("../../shared/sentiment/fitted.json", import.meta.url));

export const run = async (args: string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h", default: false },
      folds: { type: "string", default: "10" },
      write: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [file] = positionals;
  const folds = Number(values.folds);
  if (file === undefined || positionals.length > 1 || !Number.isInteger(folds) || folds < 2) {
    process.stderr.write(HELP);
    return 2;
  }
  const { rows } = parseRatings(await readFile(file, "utf8"), true);
  const scale = scaleOf(rows.map(({ rating }) => rating!));
  const samples: Sample[] = rows.map(({ rating, text }) => ({
    rating: (rating! * 4) / scale,
    text,
  }));
  const ratings = samples.map(({ rating }) => rating);
  const unseen = measure(crossValidate(samples, folds), ratings, 4);
  const peer = measure(
    samples.map(({ text }) => vaderScore(text)),
    ratings,
    4,
  );
  process.stdout.write(
    `${folds} folds of ${rows.length} texts\n` +
      `fitted without the fold   ${unseen}\nvader-sentiment           ${peer}\n`,
  );
  if (values.write) {
    const fitted = fit(samples);
    const provenance =
      `Fitted by "npm run eval -- fit-sentiment" to the ${rows.length} ratings of ${basename(file)} ` +
      "(half of the tweets of Hutto and Gilbert, ICWSM 2014; cjhutto/vaderSentiment, MIT). " +
      "rules: bench/eval/fit.ts says how; words: added to the lexicons' valences.";
    await writeFile(FITTED_FILE, `${JSON.stringify({ provenance, ...fitted }, null, 2)}\n`);
  }
  return 0;
};
