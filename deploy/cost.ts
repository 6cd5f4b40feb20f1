// `npm run cost`: what one video costs on Google Cloud and Convex, function by function: what was measured
// (figures.ts) times list prices (prices.ts). An estimate to budget with; the bill is Google's.
import { parseArgs } from "node:util";
import { functionSpec, sizedFor } from "#functions/catalog.ts";
import { SPEECH_PROVIDERS, type SpeechProviderName } from "#shared/contract/options.ts";
import { FIGURES, STORED, type Use } from "./figures.ts";
import { PRICES, SPEECH_PRICES } from "./prices.ts";

/**
 * What the measurement does not have. It ran beside its storage and its database; on Google Cloud each
 * request to them takes a while, and so many are under way at once.
 */
export const ASSUMED = {
  roundTripSec: 0.06,
  atOnce: 4,
  /** Processor time of an instance's start, which is paid for as well; each request is taken to need one. */
  startSec: 0.25,
  /** A remote provider answers so many times faster than the sound lasts. */
  remoteSpeed: 20,
  /** whisper.cpp on the function's processors; it depends on the model, and was not measured. */
  whisperSpeed: 2,
  /** Cloud Run's own line about each request. */
  requestLogBytes: 1200,
  /** A stream asks the database so many times a second. */
  streamCallsPerSec: 2,
  /** Roll-ups of progress, which the database runs by itself. */
  rollupsPerSec: 1,
  /** Smallest unit of Cloud Run's time. */
  billedStepSec: 0.1,
  /** Pub/Sub counts no less for a publish or a push. */
  messageBytes: 1000,
} as const;

export interface CostRow {
  name: string;
  requests: number;
  /** Seconds of instances that are paid for. */
  billedSec: number;
  cloudRunUsd: number;
  /** Operations of Cloud Storage. */
  storageUsd: number;
  /** Pub/Sub, Convex and logs. */
  restUsd: number;
  totalUsd: number;
}

export interface Cost {
  rows: CostRow[];
  /** To whoever recognises the speech. */
  speechUsd: number;
  totalUsd: number;
  /** What the job's files cost while they are kept. */
  keptUsdPerMonth: number;
  /** Where every task finds an instance at once. */
  tookSec: number;
}

export interface Video {
  hours: number;
  speech: SpeechProviderName;
  /** People who follow the job's stream from its beginning to its end. */
  watchers: number;
}

/** Measured at one hour and at six; straight between and beyond. */
const useAt = (hours: number, one: Use, six: Use): Use => {
  const at = (field: keyof Use): number =>
    Math.max(0, one[field] + ((six[field] - one[field]) / 5) * (hours - 1));
  return {
    requests: Math.max(1, Math.round(at("requests"))),
    cpuSec: at("cpuSec"),
    classA: at("classA"),
    classB: at("classB"),
    convexCalls: at("convexCalls"),
    outside: at("outside"),
    logBytes: at("logBytes"),
  };
};

/** Whether somebody's machine, ours or a provider's, listens. */
const isHeard = (speech: SpeechProviderName): boolean => !["captions", "none"].includes(speech);

const recognisingSec = ({ hours, speech }: Video): number =>
  isHeard(speech)
    ? (hours * 3600) / (speech === "whisper" ? ASSUMED.whisperSpeed : ASSUMED.remoteSpeed)
    : 0;

const roundUp = (sec: number): number =>
  Math.ceil(sec / ASSUMED.billedStepSec) * ASSUMED.billedStepSec;

const rowOf = (name: string, use: Use, secOfOne: number, hasWhisper = false): CostRow => {
  const spec = sizedFor(functionSpec(name), { hasWhisper });
  const billedSec = use.requests * roundUp(secOfOne);
  const instanceUsd = spec.cpu * PRICES.vcpuSec.usd + (spec.memoryMiB / 1024) * PRICES.gibSec.usd;
  const cloudRunUsd = billedSec * instanceUsd + use.requests * PRICES.runRequest.usd;
  const storageUsd = use.classA * PRICES.classA.usd + use.classB * PRICES.classB.usd;
  // Published once, delivered once.
  const messages = spec.trigger.kind === "topic" ? use.requests : 0;
  const logBytes = use.logBytes + use.requests * ASSUMED.requestLogBytes;
  const restUsd =
    2 * messages * ASSUMED.messageBytes * PRICES.pubsubByte.usd +
    use.convexCalls * PRICES.convexCall.usd +
    (logBytes / 2 ** 30) * PRICES.logGib.usd;
  const totalUsd = cloudRunUsd + storageUsd + restUsd;
  return { name, requests: use.requests, billedSec, cloudRunUsd, storageUsd, restUsd, totalUsd };
};

/** What comes one after another; the tasks of one stage run side by side. */
const CHAIN = ["ingest", "media", "transcribe", "analyze", "highlights", "clips", "finish"];

/** @throws {RangeError} for a length that no video has */
export const costOf = (video: Video): Cost => {
  const { hours, speech, watchers } = video;
  if (!(hours > 0 && hours <= 24)) throw new RangeError("A video lasts up to 24 hours.");
  const rows: CostRow[] = [];
  let tookSec = 0;
  for (const [name, { cores, oneHour, sixHours }] of Object.entries(FIGURES)) {
    if (name === "transcribe" && !isHeard(speech)) continue;
    const use = useAt(hours, oneHour, sixHours);
    const asked = use.classA + use.classB + use.convexCalls + use.outside;
    const listens = name === "transcribe" ? recognisingSec(video) : 0;
    const sec = use.cpuSec / cores + (asked / ASSUMED.atOnce) * ASSUMED.roundTripSec + listens;
    const secOfOne = sec / use.requests + ASSUMED.startSec;
    if (CHAIN.includes(name)) tookSec += secOfOne;
    rows.push(rowOf(name, use, secOfOne, speech === "whisper"));
  }
  const rollups = tookSec * ASSUMED.rollupsPerSec;
  const none = { requests: 0, cpuSec: 0, classA: 0, classB: 0, outside: 0, logBytes: 0 };
  rows.push({ ...rowOf("status", { ...none, convexCalls: rollups }, 0), name: "roll-ups" });
  if (watchers > 0) {
    const convexCalls = tookSec * ASSUMED.streamCallsPerSec * watchers;
    // However many they are, one instance has room for them.
    const watching = rowOf("status", { ...none, convexCalls, requests: 1 }, tookSec);
    rows.push({ ...watching, name: "watching", requests: watchers });
  }
  const minutes = Object.hasOwn(SPEECH_PRICES, speech) ? hours * 60 : 0;
  const speechUsd = minutes && minutes * SPEECH_PRICES[speech as keyof typeof SPEECH_PRICES].usd;
  const keptGb = (STORED.jobs.fixedBytes + STORED.jobs.bytesPerHour * hours) / 1e9;
  // What stages left lies there for two weeks, and a week more after it was deleted.
  const stagesGb = ((STORED.stages.fixedBytes + STORED.stages.bytesPerHour * hours) / 1e9) * 0.7;
  return {
    rows,
    speechUsd,
    totalUsd:
      rows.reduce((sum, row) => sum + row.totalUsd, speechUsd) +
      stagesGb * PRICES.storedGbMonth.usd,
    keptUsdPerMonth: keptGb * PRICES.storedGbMonth.usd,
    tookSec,
  };
};

const usd = (value: number): string => value.toFixed(5).padStart(9);

export const costTable = (video: Video): string => {
  const { rows, speechUsd, totalUsd, keptUsdPerMonth, tookSec } = costOf(video);
  const line = (name: string, ...cells: readonly string[]): string =>
    `${name.padEnd(12)} ${cells.map((cell) => cell.padStart(9)).join(" ")}\n`;
  const dates = [...new Set(Object.values(PRICES).map(({ seen }) => seen))].join(", ");
  return [
    `A video of ${video.hours} h, transcription: ${video.speech}. US dollars, list prices as looked up\n`,
    `on ${dates} (deploy/prices.ts has the pages: check them), without free allowances.\n\n`,
    line("", "requests", "seconds", "Cloud Run", "storage", "rest", "total"),
    ...rows.map((row) =>
      line(
        row.name,
        String(row.requests),
        row.billedSec.toFixed(1),
        usd(row.cloudRunUsd),
        usd(row.storageUsd),
        usd(row.restUsd),
        usd(row.totalUsd),
      ),
    ),
    ...(speechUsd > 0 ? [line("provider", "", "", "", "", "", usd(speechUsd))] : []),
    line("together", "", "", "", "", "", usd(totalUsd)),
    `\nIts files: ${keptUsdPerMonth.toFixed(5)} a month. With an instance free for every task it takes about ${Math.round(tookSec)} s.\n`,
  ].join("");
};

const HELP = `Usage: npm run -s cost [-- --hours H] [--speech PROVIDER] [--watchers N]

What one video costs, by function, from measured figures and list prices.

  --hours H          its length (default 1)
  --speech PROVIDER  ${SPEECH_PROVIDERS.join(", ")} (default openai)
  --watchers N       people who follow the job's stream to its end (default 1)
`;

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      hours: { type: "string", default: "1" },
      speech: { type: "string", default: "openai" },
      watchers: { type: "string", default: "1" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const speech = SPEECH_PROVIDERS.find((name) => name === values.speech);
  const [hours, watchers] = [Number(values.hours), Number(values.watchers)];
  const isGood = speech !== undefined && hours > 0 && hours <= 24 && watchers >= 0;
  if (values.help) {
    process.stdout.write(HELP);
  } else if (isGood) {
    process.stdout.write(costTable({ hours, speech, watchers }));
  } else {
    process.stderr.write(HELP);
    process.exitCode = 2;
  }
}
