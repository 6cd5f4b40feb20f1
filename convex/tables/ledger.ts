// The pipeline's ledger: jobs, their tasks, and what happened to them.
import { defineTable } from "convex/server";
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
  urls,
  warning,
} from "../model/contract.ts";
import { ADMISSIONS, HAND_OVERS, TASK_STATES } from "../model/machine/state.ts";

/**
 * One run over one video by one owner: the machine's state and what the API shows of it.
 * Written by the ledger alone; read by the ledger, the API and `videos:getJobById`; deleted with the
 * video by model/library/deletion.ts.
 */
export const jobs = defineTable({
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
  /** Since when its video is being deleted; it is shown to nobody any more. */
  deletingAt: v.optional(v.number()),
})
  .index("by_job_id", ["jobId"])
  .index("by_video_and_admission", ["videoId", "admission"])
  .index("by_owner_and_job_id", ["ownerId", "jobId"])
  .index("by_owner_and_status_and_job_id", ["ownerId", "status", "jobId"])
  .index("by_owner_and_idempotency_key", ["ownerId", "idempotencyKey"])
  .index("by_admission_and_queued_at", ["admission", "queuedAt"])
  .index("by_owner_and_admission_and_queued_at", ["ownerId", "admission", "queuedAt"]);

/**
 * One task of a job; high churn, so apart from what pages subscribe to.
 * Written and read by the ledger; deleted by a retry that rolls back over it, and
 * with the video.
 */
export const tasks = defineTable({
  jobId: v.string(),
  stage,
  index: v.number(),
  state: oneOf(TASK_STATES),
  attempt: v.number(),
  tries: v.number(),
  outgrown: v.optional(v.boolean()),
  lapses: v.optional(v.number()),
  handOver: v.optional(oneOf(HAND_OVERS)),
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
 * Written by the ledger; read by the event stream; deleted with the video.
 */
export const jobEvents = defineTable({
  jobId: v.string(),
  seq: v.number(),
  event: jobEvent,
}).index("by_job_id_and_seq", ["jobId", "seq"]);

/**
 * The roll-up of a running job: whether one is scheduled, and the pace so far.
 * Written and read by the ledger and rollups.ts; deleted when the job ends.
 */
export const rollups = defineTable({
  jobId: v.string(),
  scheduledFor: v.optional(v.number()),
  /** When it last ran. */
  ranAt: v.number(),
  pace: v.object({ at: v.number(), fraction: v.number(), perSec: v.optional(v.number()) }),
}).index("by_job_id", ["jobId"]);
