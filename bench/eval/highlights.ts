// `npm run eval -- highlights …`: how well the scores that highlights are picked from find labelled
// moments, beside simple baselines; or those scores themselves, for others to judge.
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { parseChatFile } from "#shared/chat/chatFile.ts";
import type { Segment, Word } from "#shared/contract/transcript.ts";
import { scorePerSecond } from "#shared/highlights/score.ts";
import { buildSeries } from "#shared/series/build.ts";
import { cuesToWords, parseCaptions } from "#shared/speech/captions.ts";
import { wordsToSegments } from "#shared/speech/segments.ts";
import { messageRate, rateOverLocalMean } from "./baselines.ts";
import { loudnessOfFile } from "./loudnessOfFile.ts";
import {
  averagePrecision,
  binLabels,
  binScores,
  type LabelledSpan,
  precisionAt,
} from "./ranking.ts";
import { StageError } from "#shared/contract/errors.ts";
import { UsageError } from "./usage.ts";

const HELP = `Usage: npm run eval -- highlights --chat FILE [--audio FILE] [--captions FILE] --labels FILE [--predictions]

  --chat FILE      chat in TwitchDownloader's JSON
  --audio FILE     sound or video of the stream
  --captions FILE  WebVTT or SubRip
  --labels FILE    the moments that should be found: "start end" in seconds, one a line
  --predictions    print {"sec": n, "score": x} for each second instead, as JSON lines;
                   labels may then be missing
  --help           print this

Prints average precision over bins of 10 s, and precision at as many bins as there are moments and
at 5. A bin is positive where a labelled moment reaches into it; its score is the mean of its seconds.
`;

/**
 * @returns the moments of a labels file; empty lines and lines that begin with # are skipped
 * @throws {UsageError} naming the line that is not two times
 */
export const parseLabels = (text: string): LabelledSpan[] =>
  text.split(/\r?\n/u).flatMap((line, i) => {
    if (/^\s*(?:#|$)/u.test(line)) return [];
    const [start, end, ...more] = line
      .trim()
      .split(/[\s,]+/u)
      .map(Number);
    if (
      start === undefined ||
      end === undefined ||
      more.length > 0 ||
      !(start >= 0 && end > start)
    ) {
      throw new UsageError(`Line ${i + 1} of the labels is not "start end" in seconds: ${line}`);
    }
    return [{ startSec: start, endSec: end }];
  });

interface Options {
  chat: string;
  audio?: string;
  captions?: string;
  labels?: string;
  predictions: boolean;
}

const parseOptions = (args: string[]): Options => {
  const parsed = (() => {
    try {
      return parseArgs({
        args,
        options: {
          chat: { type: "string" },
          audio: { type: "string" },
          captions: { type: "string" },
          labels: { type: "string" },
          predictions: { type: "boolean", default: false },
        },
      }).values;
    } catch (cause) {
      throw new UsageError((cause as Error).message, { cause });
    }
  })();
  const { chat, labels, predictions } = parsed;
  if (chat === undefined) throw new UsageError("--chat is missing.");
  if (labels === undefined && !predictions) throw new UsageError("--labels is missing.");
  return { ...parsed, chat, predictions };
};

const readTranscript = async (
  path: string | undefined,
): Promise<{ words: Word[]; segments: Segment[] }> => {
  if (path === undefined) return { words: [], segments: [] };
  const words = cuesToWords(parseCaptions(await readFile(path)));
  return { words, segments: wordsToSegments(words) };
};

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

/** Runs the evaluation and returns what to print. */
export const evalHighlights = async (args: string[]): Promise<string> => {
  const options = parseOptions(args);
  const moments =
    options.labels === undefined ? [] : parseLabels(await readFile(options.labels, "utf8"));
  if (moments.length === 0 && !options.predictions) {
    throw new UsageError("The labels name no moment.");
  }
  const chat = await parseChatFile(createReadStream(options.chat));
  const loudness = options.audio === undefined ? null : await loudnessOfFile(options.audio);
  const { words, segments } = await readTranscript(options.captions);
  const lastSec = (spans: readonly { endSec: number }[]): number =>
    spans.reduce((last, { endSec }) => Math.max(last, endSec), 0);
  const lastMessage = chat.messages.reduce((last, m) => Math.max(last, m.offsetSec + 1), 0);
  // The sound says how long the video is; without it, whatever reaches furthest.
  const durationSec =
    loudness === null
      ? Math.ceil(
          Math.max(chat.video?.lengthSec ?? 0, lastMessage, lastSec(moments), lastSec(segments)),
        )
      : Math.max(1, Math.round(loudness.length / 10)); // decoders may add some padding
  const messages = chat.messages.toSorted((a, b) => a.offsetSec - b.offsetSec);
  const analysis = buildSeries({ durationSec, messages, segments, loudnessDb100ms: loudness });
  const ours = scorePerSecond({ analysis, messages, words, segments, weights: {} });
  if (options.predictions) return ours.map((row) => `${JSON.stringify(row)}\n`).join("");

  const rate = messageRate(messages, ours.length);
  const ranks = new Map([
    ["KlipStream", ours.map(({ score }) => score)],
    ["message rate", rate],
    ["rate over its local mean", rateOverLocalMean(rate)],
  ]);
  const labels = binLabels(moments, Math.ceil(ours.length / 10));
  const figure = (x: number): string => x.toFixed(3);
  const rows = Array.from(ranks, ([name, perSecond]) => {
    const scores = binScores(perSecond);
    return [
      name,
      figure(averagePrecision(scores, labels)),
      figure(precisionAt(scores, labels, moments.length)),
      figure(precisionAt(scores, labels, 5)),
    ];
  });
  const positive = labels.filter(Boolean).length;
  return [
    `${moments.length} moments in ${labels.length} bins of 10 s, ${positive} of them positive (a bin`,
    `taken by chance has a precision of ${figure(positive / labels.length)}); ${messages.length} messages`,
    "",
    table([["", "average precision", `precision at ${moments.length}`, "precision at 5"], ...rows]),
    "",
  ].join("\n");
};

/** @returns the exit code: 2 for wrong use, 1 for a file that cannot be read */
export const run = async (args: string[]): Promise<number> => {
  if (args.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    process.stdout.write(await evalHighlights(args));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof StageError)) throw error;
    const wrongUse = error instanceof UsageError;
    process.stderr.write(wrongUse ? `${error.message}\n\n${HELP}` : `${error.message}\n`);
    return wrongUse ? 2 : 1;
  }
};
