// What the pipeline and the ledger say to each other. The ledger (convex/) decides; a function
// claims a task, works, and commits or fails it under the attempt number that the claim gave.
import type { AnalysisOptions } from "./options.ts";
import type { ErrorCode } from "./errors.ts";
import type { TaskMessage } from "./messages.ts";
import type { Stage } from "./stages.ts";
import type { Warning } from "./warnings.ts";

/** Small facts of a stage's result, kept on its task row: plain JSON, at most 16 KiB. */
export type Summary = Record<string, unknown>;

/** Names one stage result in storage: objects under `stages/<stage>/<key>/`. */
export interface OutputRef {
  /** Lower-case hex SHA-256. */
  key: string;
  summary: Summary;
}

/** What a claimed task works on. `upstream[stage][i]` is null for a task that was degraded. */
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
  upstream: Partial<Record<Stage, (OutputRef | null)[]>>;
  /** Warnings recorded on the job so far; given to `finish`. */
  warnings: Warning[];
}

export type ClaimAnswer =
  | { kind: "run"; attempt: number; leaseMs: number; input: TaskInput }
  /** Committed already; publish these again, in case whoever committed it died before. */
  | { kind: "done"; messages: TaskMessage[] }
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
  /** With `finish`: `gs://` and signed addresses of the outputs, by field of `videos`. */
  urls?: VideoUrls;
}

export type CommitAnswer =
  | { kind: "committed"; messages: TaskMessage[] }
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
  | { kind: "degraded"; messages: TaskMessage[] }
  | { kind: "failed" }
  | { kind: "fenced" };

/** The documents' URL fields of a `videos` row. */
export interface VideoUrls {
  transcriptUrl?: string;
  chatUrl?: string;
  audiowaveUrl?: string;
  transcriptAnalysisUrl?: string;
  transcriptWordUrl?: string;
}
