// What the pipeline and the ledger say to each other. The ledger (convex/) decides; a function
// claims a task, works, and commits or fails it under the attempt number that the claim gave.
import type { AnalysisOptions } from "./options.ts";
import type { ErrorCode, ErrorRecord } from "./errors.ts";
import type { TaskMessage } from "./messages.ts";
import type { Stage, Status } from "./stages.ts";
import type { Warning } from "./warnings.ts";

/** Small facts of a stage's result, kept on its task row: plain JSON, at most 16 KiB. */
export type Summary = Record<string, unknown>;

/** Names one stage result in storage: objects under `stages/<stage>/<key>/`. */
export interface OutputRef {
  /** Lower-case hex SHA-256. */
  key: string;
  summary: Summary;
}

/** What the caller publishes, and only then acknowledges its own message. */
export interface Due {
  messages: TaskMessage[];
  /** Webhook deliveries that came due, as `deliveryId` of a `NotifyMessage`. */
  deliveryIds: string[];
}

/**
 * What a claimed task works on. `upstream[stage][i]` is null for a task that was degraded.
 * It holds exactly what the stage needs; `transcribe` i gets `media` with only index i filled.
 */
export interface TaskInput {
  jobId: string;
  videoId: string;
  ownerId: string;
  url: string;
  options: AnalysisOptions;
  stage: Stage;
  index: number;
  /** Explicit retries of the job so far. */
  retryCount: number;
  /** When the job's first task began, milliseconds since 1970. */
  startedAt: number;
  upstream: Partial<Record<Stage, (OutputRef | null)[]>>;
  /** Warnings recorded on the job so far; given to `finish`. */
  warnings: Warning[];
}

export interface ClaimRequest {
  jobId: string;
  stage: Stage;
  index: number;
  /** True where the caller can start a Cloud Run job; else the answer is never `hand_over`. */
  mayHandOver?: boolean;
  /** Said by the process of a Cloud Run job: the attempt that was handed to it. */
  attempt?: number;
}

export type ClaimAnswer =
  | { kind: "run"; attempt: number; leaseMs: number; input: TaskInput }
  /**
   * The task has outgrown functions. Start its Cloud Run job with this attempt, whose process claims
   * it within `leaseMs`; where that cannot be started, release it.
   */
  | { kind: "hand_over"; attempt: number; leaseMs: number }
  /** Nothing to run. Publish these again, in case whoever settled the task died before. */
  | ({ kind: "done" } & Due)
  /** Somebody else holds the lease. */
  | { kind: "busy" }
  /** No such task now: rolled back, failed, or never there. */
  | { kind: "stale" }
  | { kind: "canceled" };

/** How many tasks a fan-out has; said by the commit of `ingest` and `highlights`. */
export interface FanOut {
  media?: number;
  chat?: number;
  transcribe?: number;
  clips?: number;
}

/** What `ingest` found out about the video, for its row. */
export interface VideoFacts {
  title?: string;
  channelTitle?: string;
  thumbnailUrl?: string;
  durationSec: number;
  twitchId?: string;
  publishedAt?: number;
}

export interface CommitRequest {
  jobId: string;
  stage: Stage;
  index: number;
  attempt: number;
  output: OutputRef;
  warnings: Warning[];
  /** With `ingest` (media, chat, transcribe) and `highlights` (clips). */
  fanOut?: FanOut;
  /** With `ingest`. */
  video?: VideoFacts;
  /** With `finish`: signed addresses of the outputs, by field of `videos`, and `gs://` references. */
  urls?: VideoUrls;
}

export type CommitAnswer =
  | ({ kind: "committed" } & Due)
  /** The attempt is not the task's any more; nothing was changed. */
  | { kind: "fenced" }
  | { kind: "canceled" };

export type HeartbeatAnswer = { kind: "ok" } | { kind: "fenced" } | { kind: "canceled" };

export interface FailRequest {
  jobId: string;
  stage: Stage;
  index: number;
  attempt: number;
  code: ErrorCode;
  message: string;
  details?: string;
  retryAfterSec?: number;
}

export type FailAnswer =
  /** Do not acknowledge the message: it is due again after this time. */
  | { kind: "retry"; delayMs: number }
  /** The stage was degraded; the job goes on with these. */
  | ({ kind: "degraded" } & Due)
  /** The job failed; other jobs may start in its place. */
  | ({ kind: "failed" } & Due)
  | { kind: "fenced" };

export interface ReleaseRequest {
  jobId: string;
  stage: Stage;
  index: number;
  attempt: number;
  /**
   * True where the attempt was handed to a Cloud Run job that may have been started all the same: it is
   * not taken away from an execution that has come for it.
   */
  unlessTaken?: boolean;
}

/** `fenced`: somebody else has the task, or it is settled. */
export type ReleaseAnswer = { kind: "released" } | { kind: "fenced" };

/** `more`: call again at once, there is more than one batch. */
export type SweepAnswer = Due & { more: boolean };

/** `ignored`: the task is settled, or somebody is at work on it. */
export type DeadLetterAnswer = { kind: "settled" | "ignored" } & Due;

export interface CreateJobRequest {
  ownerId: string;
  /** In its canonical spelling: one video, one address. */
  url: string;
  provider: Provider;
  twitchId?: string;
  youtubeVideoId?: string;
  options: AnalysisOptions;
  callbackUrl?: string;
  idempotencyKey?: string;
  /** Hash of the request's body; tells a repeated request from another under the same key. */
  requestHash: string;
}

export const PROVIDERS = ["twitch", "youtube", "url", "upload"] as const;
type Provider = (typeof PROVIDERS)[number];

export type CreateJobAnswer =
  | ({ kind: "created" | "existing"; job: JobView } & Due)
  | { kind: "idempotency_mismatch" }
  | { kind: "too_many_jobs" };

export type CancelAnswer =
  | ({ kind: "canceled"; job: JobView } & Due)
  /** It had ended before, as `job.status` says. */
  | { kind: "ended"; job: JobView }
  | { kind: "not_found" };

export type RetryAnswer =
  | ({ kind: "retried"; job: JobView } & Due)
  /** It is still at work. */
  | { kind: "not_ended"; job: JobView }
  /** The job never came as far as this stage. */
  | { kind: "not_reached" }
  | { kind: "too_many_jobs" }
  | { kind: "not_found" };

export interface StageProgress {
  done: number;
  total: number;
  /** 0 to 1, with the running tasks' own progress. */
  fraction: number;
}

/** A job as its owner sees it. Times are milliseconds since 1970. */
export interface JobView {
  jobId: string;
  videoId: string;
  url: string;
  provider: Provider;
  status: Status;
  /** 0 to 100; 100 only when completed. */
  progressPercentage: number;
  /** In the words of `status`. */
  currentStage: Status;
  estimatedCompletionSeconds: number | null;
  stageProgress: Partial<Record<Stage, StageProgress>>;
  warnings: Warning[];
  error: (Omit<ErrorRecord, "details"> & { stage: Stage }) | null;
  options: AnalysisOptions;
  callbackUrl: string | null;
  /** The result of `finish`; null before. */
  output: OutputRef | null;
  urls: VideoUrls;
  retryCount: number;
  createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
}

export interface JobList {
  jobs: JobView[];
  /** Give it back to go on; null at the end. */
  nextCursor: string | null;
}

/** One change of a job. `seq` counts from 1 without gaps; the last one has a terminal status. */
export type JobEvent = { seq: number; at: number } & JobEventBody;

export type JobEventBody =
  | { type: "status"; status: Status }
  | { type: "stage"; stage: Stage; state: "started" | "finished"; done: number; total: number }
  | {
      type: "progress";
      progressPercentage: number;
      currentStage: Status;
      estimatedCompletionSeconds: number | null;
      stageProgress: Partial<Record<Stage, StageProgress>>;
    }
  | { type: "warning"; warning: Warning }
  | { type: "error"; error: NonNullable<JobView["error"]> }
  | { type: "retry"; stage: Stage };

/** What a webhook tells; the same at every attempt. */
export interface WebhookEvent {
  type: "job.completed" | "job.failed" | "job.canceled";
  at: number;
  jobId: string;
  videoId: string;
  url: string;
  status: Status;
  warnings: Warning[];
  error: JobView["error"];
}

export type ClaimDeliveryAnswer =
  | {
      kind: "deliver";
      /** Fences, as with tasks. */
      attempt: number;
      ownerId: string;
      /** Also the `webhook-id`. */
      deliveryId: string;
      url: string;
      event: WebhookEvent;
    }
  | { kind: "busy" }
  /** Delivered, given up, or its receiver said 410. */
  | { kind: "settled" }
  | { kind: "stale" };

export type DeliveryOutcome =
  | { ok: true; httpStatus: number }
  | { ok: false; httpStatus?: number; message: string; retryAfterSec?: number };

export type RecordAttemptAnswer =
  | { kind: "delivered" | "exhausted" | "disabled" | "fenced" }
  | { kind: "retry"; dueAt: number };

/** The documents' URL fields of a `videos` row, signed, and what outlives the signatures. */
export interface VideoUrls {
  transcriptUrl?: string;
  chatUrl?: string;
  audiowaveUrl?: string;
  transcriptAnalysisUrl?: string;
  transcriptWordUrl?: string;
  /** The same outputs as `gs://` references. */
  references?: Omit<VideoUrls, "references" | "expiresAt">;
  /** When the signatures end, milliseconds since 1970. */
  expiresAt?: number;
}
