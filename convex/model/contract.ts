// The contract's types as Convex validators. The types are the contract's; `contract.test.ts` does
// not compile when the two part ways.
import { v } from "convex/values";
import { PROVIDERS } from "#shared/contract/ledger.ts";
import { ERROR_CODES, ERROR_TYPES, type ErrorCode } from "#shared/contract/errors.ts";
import { SPEECH_PROVIDERS } from "#shared/contract/options.ts";
import { STAGES, STATUSES } from "#shared/contract/stages.ts";
import { WARNING_CODES } from "#shared/contract/warnings.ts";

/** A validator for a closed list of strings. */
export const oneOf = <const T extends readonly string[]>(values: T) =>
  v.union(...values.map((value) => v.literal(value as T[number])));

export const stage = oneOf(STAGES);
export const status = oneOf(STATUSES);
export const provider = oneOf(PROVIDERS);
export const errorCode = oneOf(ERROR_CODES as readonly ErrorCode[]);
const errorType = oneOf(ERROR_TYPES);

/** Small plain JSON; how small is checked where it is written. */
const summary = v.record(v.string(), v.any());
export const outputRef = v.object({ key: v.string(), summary });
export const warning = v.object({ code: oneOf(WARNING_CODES), message: v.string() });
export const taskMessage = v.object({
  v: v.literal(1),
  jobId: v.string(),
  stage,
  index: v.number(),
});
const due = { messages: v.array(taskMessage), deliveryIds: v.array(v.string()) };

const weight = v.optional(v.number());
export const options = v.object({
  language: v.optional(v.string()),
  start_sec: v.optional(v.number()),
  end_sec: v.optional(v.number()),
  chat: v.union(v.boolean(), v.string()),
  captions: v.optional(v.string()),
  speech: v.optional(oneOf(SPEECH_PROVIDERS)),
  samples_per_pixel: v.number(),
  bits: v.union(v.literal(8), v.literal(16)),
  highlights: v.object({
    count: v.number(),
    min_sec: v.number(),
    max_sec: v.number(),
    weights: v.object({
      chat_rate: weight,
      unique_chatters: weight,
      chat_sentiment: weight,
      emotes: weight,
      loudness: weight,
      speech: weight,
    }),
  }),
  clips: v.boolean(),
  study: v.boolean(),
  chat_offset_sec: v.number(),
});

const shownError = {
  stage,
  code: errorCode,
  errorType,
  message: v.string(),
  retryable: v.boolean(),
};
const error = v.object(shownError);
export const failure = v.object({ ...shownError, details: v.optional(v.string()) });

/** An object with an optional field for every stage. */
const perStage = <V extends ReturnType<typeof v.number> | typeof stageState>(value: V) => {
  const field = v.optional(value);
  return v.object({
    ingest: field,
    media: field,
    chat: field,
    transcribe: field,
    analyze: field,
    highlights: field,
    clips: field,
    finish: field,
  });
};
const stageState = v.object({ done: v.number(), total: v.number(), fraction: v.number() });
export const stageProgress = perStage(stageState);
export const stageCounts = perStage(v.number());

export const urlFields = {
  transcriptUrl: v.optional(v.string()),
  chatUrl: v.optional(v.string()),
  audiowaveUrl: v.optional(v.string()),
  transcriptAnalysisUrl: v.optional(v.string()),
  transcriptWordUrl: v.optional(v.string()),
};
export const urls = v.object({
  ...urlFields,
  references: v.optional(v.object(urlFields)),
  expiresAt: v.optional(v.number()),
});

export const taskInput = v.object({
  jobId: v.string(),
  videoId: v.string(),
  ownerId: v.string(),
  url: v.string(),
  options,
  stage,
  index: v.number(),
  upstream: v.object({
    ingest: v.optional(v.array(v.nullable(outputRef))),
    media: v.optional(v.array(v.nullable(outputRef))),
    chat: v.optional(v.array(v.nullable(outputRef))),
    transcribe: v.optional(v.array(v.nullable(outputRef))),
    analyze: v.optional(v.array(v.nullable(outputRef))),
    highlights: v.optional(v.array(v.nullable(outputRef))),
    clips: v.optional(v.array(v.nullable(outputRef))),
    finish: v.optional(v.array(v.nullable(outputRef))),
  }),
  warnings: v.array(warning),
  retryCount: v.number(),
  startedAt: v.number(),
});

const taskKey = { jobId: v.string(), stage, index: v.number() };
export const attemptKey = { ...taskKey, attempt: v.number() };
export const claimArgs = {
  ...taskKey,
  workerId: v.optional(v.string()),
  mayHandOver: v.optional(v.boolean()),
  attempt: v.optional(v.number()),
};
export const releaseArgs = { ...attemptKey, unlessTaken: v.optional(v.boolean()) };
export const commitArgs = {
  ...attemptKey,
  output: outputRef,
  warnings: v.array(warning),
  fanOut: v.optional(
    v.object({
      media: v.optional(v.number()),
      chat: v.optional(v.number()),
      transcribe: v.optional(v.number()),
      clips: v.optional(v.number()),
    }),
  ),
  video: v.optional(
    v.object({
      title: v.optional(v.string()),
      channelTitle: v.optional(v.string()),
      thumbnailUrl: v.optional(v.string()),
      durationSec: v.number(),
      twitchId: v.optional(v.string()),
      publishedAt: v.optional(v.number()),
    }),
  ),
  urls: v.optional(urls),
};
export const failArgs = {
  ...attemptKey,
  code: errorCode,
  message: v.string(),
  details: v.optional(v.string()),
  retryAfterSec: v.optional(v.number()),
};
export const createJobArgs = {
  ownerId: v.string(),
  url: v.string(),
  provider,
  twitchId: v.optional(v.string()),
  youtubeVideoId: v.optional(v.string()),
  options,
  callbackUrl: v.optional(v.string()),
  idempotencyKey: v.optional(v.string()),
  requestHash: v.string(),
};

const kind = <const K extends string>(value: K) => ({ kind: v.literal(value) });
const fenced = v.object(kind("fenced"));
const canceled = v.object(kind("canceled"));

export const claimAnswer = v.union(
  v.object({ ...kind("run"), attempt: v.number(), leaseMs: v.number(), input: taskInput }),
  v.object({ ...kind("hand_over"), attempt: v.number(), leaseMs: v.number() }),
  v.object({ ...kind("done"), ...due }),
  v.object(kind("busy")),
  v.object(kind("stale")),
  canceled,
);
export const heartbeatAnswer = v.union(v.object(kind("ok")), fenced, canceled);
export const commitAnswer = v.union(v.object({ ...kind("committed"), ...due }), fenced, canceled);
export const failAnswer = v.union(
  v.object({ ...kind("retry"), delayMs: v.number() }),
  v.object({ ...kind("degraded"), ...due }),
  v.object({ ...kind("failed"), ...due }),
  fenced,
);
export const releaseAnswer = v.union(v.object(kind("released")), fenced);
export const sweepAnswer = v.object({ ...due, more: v.boolean() });
export const deadLetterAnswer = v.object({
  kind: v.union(v.literal("settled"), v.literal("ignored")),
  ...due,
});

export const jobView = v.object({
  jobId: v.string(),
  videoId: v.string(),
  url: v.string(),
  provider,
  status,
  progressPercentage: v.number(),
  currentStage: status,
  estimatedCompletionSeconds: v.nullable(v.number()),
  stageProgress,
  warnings: v.array(warning),
  error: v.nullable(error),
  options,
  callbackUrl: v.nullable(v.string()),
  output: v.nullable(outputRef),
  urls,
  retryCount: v.number(),
  createdAt: v.number(),
  startedAt: v.nullable(v.number()),
  completedAt: v.nullable(v.number()),
});
export const jobList = v.object({
  jobs: v.array(jobView),
  nextCursor: v.nullable(v.string()),
});

const created = { job: jobView, ...due };
const tooMany = v.object(kind("too_many_jobs"));
export const createJobAnswer = v.union(
  v.object({ kind: v.union(v.literal("created"), v.literal("existing")), ...created }),
  v.object(kind("idempotency_mismatch")),
  tooMany,
);
export const cancelAnswer = v.union(
  v.object({ ...kind("canceled"), ...created }),
  v.object({ ...kind("ended"), job: jobView }),
  v.object(kind("not_found")),
);
export const retryAnswer = v.union(
  v.object({ ...kind("retried"), ...created }),
  v.object({ ...kind("not_ended"), job: jobView }),
  v.object(kind("not_reached")),
  tooMany,
  v.object(kind("not_found")),
);

const event = { seq: v.number(), at: v.number() };
export const jobEvent = v.union(
  v.object({ ...event, type: v.literal("status"), status }),
  v.object({
    ...event,
    type: v.literal("stage"),
    stage,
    state: v.union(v.literal("started"), v.literal("finished")),
    done: v.number(),
    total: v.number(),
  }),
  v.object({
    ...event,
    type: v.literal("progress"),
    progressPercentage: v.number(),
    currentStage: status,
    estimatedCompletionSeconds: v.nullable(v.number()),
    stageProgress,
  }),
  v.object({ ...event, type: v.literal("warning"), warning }),
  v.object({ ...event, type: v.literal("error"), error }),
  v.object({ ...event, type: v.literal("retry"), stage }),
);

export const webhookEvent = v.object({
  type: oneOf(["job.completed", "job.failed", "job.canceled"]),
  at: v.number(),
  jobId: v.string(),
  videoId: v.string(),
  url: v.string(),
  status,
  warnings: v.array(warning),
  error: v.nullable(error),
});
export const claimDeliveryAnswer = v.union(
  v.object({
    ...kind("deliver"),
    attempt: v.number(),
    ownerId: v.string(),
    deliveryId: v.string(),
    url: v.string(),
    event: webhookEvent,
  }),
  v.object(kind("busy")),
  v.object(kind("settled")),
  v.object(kind("stale")),
);
export const deliveryOutcome = v.union(
  v.object({ ok: v.literal(true), httpStatus: v.number() }),
  v.object({
    ok: v.literal(false),
    httpStatus: v.optional(v.number()),
    message: v.string(),
    retryAfterSec: v.optional(v.number()),
  }),
);
export const recordAttemptAnswer = v.union(
  v.object({ kind: oneOf(["delivered", "exhausted", "disabled", "fenced"]) }),
  v.object({ ...kind("retry"), dueAt: v.number() }),
);
