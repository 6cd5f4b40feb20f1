// A job of the ledger as the HTTP API shows it.
import type { z } from "zod";
import type {
  AnalysisResponse,
  ListResponse,
  OutputLink,
  StatusResponse,
} from "../contract/api.ts";
import type { JobList, JobView } from "../contract/ledger.ts";

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

const progressOf = (job: JobView) => ({
  percentage: job.progressPercentage,
  current_stage: job.currentStage,
  estimated_completion_seconds: job.estimatedCompletionSeconds,
});

const linksOf = (job: JobView, publicUrl: string) => {
  const base = `${publicUrl}/v1/analysis/${job.jobId}`;
  return { status: `${base}/status`, stream: `${base}/stream`, cancel: `${base}/cancel` };
};

/** The answer to a submission. */
export const toAnalysisResponse = (job: JobView, publicUrl: string): AnalysisResponse => ({
  status: job.status,
  message:
    job.status === "Queued"
      ? "The video is queued for analysis."
      : `The video is known: ${job.status}.`,
  job_id: job.jobId,
  video_id: job.videoId,
  progress: progressOf(job),
  links: linksOf(job, publicUrl),
});

const summaryOf = (job: JobView): Omit<StatusResponse, "outputs"> => ({
  job_id: job.jobId,
  video_id: job.videoId,
  url: job.url,
  status: job.status,
  progress: progressOf(job),
  stages: job.stageProgress,
  warnings: job.warnings,
  error: job.error && {
    code: job.error.code,
    error_type: job.error.errorType,
    message: job.error.message,
    retryable: job.error.retryable,
    stage: job.error.stage,
  },
  created_at: iso(job.createdAt),
  started_at: isoOrNull(job.startedAt),
  completed_at: isoOrNull(job.completedAt),
  retry_count: job.retryCount,
});

export const toStatusResponse = (
  job: JobView,
  outputs: z.infer<typeof OutputLink>[],
): StatusResponse => ({ ...summaryOf(job), outputs });

export const toListResponse = ({ jobs, nextCursor }: JobList): ListResponse => ({
  data: jobs.map(summaryOf),
  next_cursor: nextCursor,
  has_more: nextCursor !== null,
});
