// Every table, and who writes, reads and deletes it. Learning and assets come with their own parts.
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
import {
  failure,
  jobEvent,
  oneOf,
  options,
  outputRef,
  provider,
  stage,
  stageCounts,
  stageProgress,
  status,
  urlFields,
  urls,
  warning,
  webhookEvent,
} from "./model/contract.ts";
import { ADMISSIONS, TASK_STATES } from "./model/machine/state.ts";

/**
 * One video of one owner. The analysis fields are a projection of its latest job.
 * Written by the ledger (and, for jobs the ledger does not run, by the documents' mutations in
 * video.ts and videos.ts); read by pages and the API; deleted by nobody.
 */
export const videoFields = {
  ownerId: v.optional(v.string()),
  provider: v.optional(provider),
  twitchId: v.optional(v.string()),
  youtubeVideoId: v.optional(v.string()),
  /** Canonical address. */
  url: v.optional(v.string()),
  title: v.string(),
  channelTitle: v.optional(v.string()),
  thumbnailUrl: v.optional(v.string()),
  durationInSeconds: v.optional(v.number()),
  publishedAt: v.optional(v.number()),
  status: v.optional(status),
  ...urlFields,
  /** `gs://` references of the same outputs, which do not expire. */
  references: v.optional(v.object(urlFields)),
  urlsExpireAt: v.optional(v.number()),
  jobId: v.optional(v.string()),
  progressPercentage: v.optional(v.number()),
  currentStage: v.optional(v.string()),
  estimatedCompletionSeconds: v.optional(v.number()),
  stageProgress: v.optional(v.record(v.string(), v.any())),
  errorType: v.optional(v.string()),
  errorMessage: v.optional(v.string()),
  errorDetails: v.optional(v.string()),
  isRetryable: v.optional(v.boolean()),
  retryCount: v.optional(v.number()),
  createdAt: v.optional(v.number()),
  updatedAt: v.optional(v.number()),
  processingStartedAt: v.optional(v.number()),
  processingCompletedAt: v.optional(v.number()),
  callbackUrl: v.optional(v.string()),
};

/**
 * One run over one video by one owner: the machine's state and what the API shows of it.
 * Written by the ledger alone; read by the ledger, the API and `videos:getJobById`; deleted by nobody.
 */
const jobs = defineTable({
  jobId: v.string(),
  ownerId: v.string(),
  videoId: v.id("videos"),
  url: v.string(),
  provider,
  options,
  callbackUrl: v.optional(v.string()),
  idempotencyKey: v.optional(v.string()),
  requestHash: v.string(),
  createdAt: v.number(),
  /** Since when it waits for its turn. */
  queuedAt: v.number(),
  status,
  admission: oneOf(ADMISSIONS),
  total: stageCounts,
  finished: stageCounts,
  degraded: stageCounts,
  started: v.array(stage),
  warnings: v.array(warning),
  failure: v.optional(failure),
  attemptFloor: v.number(),
  eventSeq: v.number(),
  progress: v.number(),
  stageProgress,
  estimatedCompletionSeconds: v.optional(v.number()),
  output: v.optional(outputRef),
  urls: v.optional(urls),
  retryCount: v.number(),
  startedAt: v.optional(v.number()),
  completedAt: v.optional(v.number()),
})
  .index("by_job_id", ["jobId"])
  .index("by_owner_and_job_id", ["ownerId", "jobId"])
  .index("by_owner_and_status_and_job_id", ["ownerId", "status", "jobId"])
  .index("by_owner_and_idempotency_key", ["ownerId", "idempotencyKey"])
  .index("by_admission_and_queued_at", ["admission", "queuedAt"])
  .index("by_owner_and_admission_and_queued_at", ["ownerId", "admission", "queuedAt"]);

/**
 * One task of a job; high churn, so apart from what pages subscribe to.
 * Written and read by the ledger; deleted by a retry that rolls back over it.
 */
const tasks = defineTable({
  jobId: v.string(),
  stage,
  index: v.number(),
  state: oneOf(TASK_STATES),
  attempt: v.number(),
  tries: v.number(),
  dueAt: v.number(),
  leaseUntil: v.optional(v.number()),
  sweepAt: v.optional(v.number()),
  progress: v.number(),
  output: v.optional(outputRef),
  warnings: v.array(warning),
  failure: v.optional(failure),
  failedAttempt: v.optional(v.number()),
  released: v.array(
    v.object({
      jobId: v.optional(v.string()),
      stage,
      first: v.number(),
      count: v.number(),
    }),
  ),
  /** Who claimed it last, for the log. */
  workerId: v.optional(v.string()),
})
  .index("by_job_id_and_stage_and_index", ["jobId", "stage", "index"])
  .index("by_job_id_and_state", ["jobId", "state"])
  .index("by_sweep_at", ["sweepAt"]);

/**
 * Every change of a job, numbered from 1 without gaps.
 * Written by the ledger; read by the event stream; deleted by nobody.
 */
const jobEvents = defineTable({
  jobId: v.string(),
  seq: v.number(),
  event: jobEvent,
}).index("by_job_id_and_seq", ["jobId", "seq"]);

/**
 * The roll-up of a running job: whether one is scheduled, and the pace so far.
 * Written and read by the ledger and rollups.ts; deleted when the job ends.
 */
const rollups = defineTable({
  jobId: v.string(),
  scheduledFor: v.optional(v.number()),
  /** When it last ran. */
  ranAt: v.number(),
  pace: v.object({ at: v.number(), fraction: v.number(), perSec: v.optional(v.number()) }),
}).index("by_job_id", ["jobId"]);

/**
 * Keys of the HTTP API, as SHA-256 of the key; the key itself is shown once and kept nowhere.
 * Written by apiKeys.ts; read by the API to tell who calls; deleted by nobody (revoked instead).
 */
const apiKeys = defineTable({
  ownerId: v.string(),
  name: v.string(),
  /** Lower-case hex. */
  hash: v.string(),
  /** First characters of the key, for recognising it in a list. */
  prefix: v.string(),
  createdAt: v.number(),
  lastUsedAt: v.optional(v.number()),
  revokedAt: v.optional(v.number()),
})
  .index("by_hash", ["hash"])
  .index("by_owner", ["ownerId"]);

/**
 * The secret an owner's webhooks are signed with.
 * Written once by webhooks.ts; read by the notify function; deleted by nobody.
 */
const webhookSecrets = defineTable({
  ownerId: v.string(),
  secret: v.string(),
  createdAt: v.number(),
}).index("by_owner", ["ownerId"]);

/**
 * Receivers that answered 410 and get nothing more.
 * Written and read by webhooks.ts; deleted by a replay, which asks for it again.
 */
const webhookEndpoints = defineTable({
  ownerId: v.string(),
  url: v.string(),
  disabledAt: v.number(),
}).index("by_owner_and_url", ["ownerId", "url"]);

/**
 * Events on their way to a receiver; what was sent can be replayed from here.
 * Written by the ledger when a job ends, then by webhooks.ts; read by notify; deleted by nobody.
 */
const webhookDeliveries = defineTable({
  /** Also the `webhook-id`. */
  deliveryId: v.string(),
  ownerId: v.string(),
  jobId: v.string(),
  url: v.string(),
  event: webhookEvent,
  state: oneOf(["due", "sending", "delivered", "exhausted", "disabled"]),
  attempt: v.number(),
  /** Attempts since it was made or replayed. */
  tries: v.number(),
  dueAt: v.number(),
  leaseUntil: v.optional(v.number()),
  sweepAt: v.optional(v.number()),
  lastHttpStatus: v.optional(v.number()),
  lastError: v.optional(v.string()),
  createdAt: v.number(),
  deliveredAt: v.optional(v.number()),
})
  .index("by_delivery_id", ["deliveryId"])
  .index("by_job_id", ["jobId"])
  .index("by_sweep_at", ["sweepAt"]);

export default defineSchema({
  videos: defineTable(videoFields)
    .index("by_twitch_id", ["twitchId"])
    .index("by_job_id", ["jobId"])
    .index("by_status", ["status"])
    .index("by_created_at", ["createdAt"])
    .index("by_owner_and_twitch_id", ["ownerId", "twitchId"])
    .index("by_owner_and_youtube_video_id", ["ownerId", "youtubeVideoId"])
    .index("by_owner_and_url", ["ownerId", "url"]),
  jobs,
  tasks,
  jobEvents,
  rollups,
  apiKeys,
  webhookSecrets,
  webhookEndpoints,
  webhookDeliveries,
});
