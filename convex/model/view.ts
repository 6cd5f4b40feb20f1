// A job as others see it: the API's view, and the documents' fields of a `videos` row.
import type { JobView } from "#shared/contract/ledger.ts";
import type { Doc } from "../_generated/dataModel.js";
import type { Failure } from "./machine/state.ts";
import { percentOf } from "./progress.ts";

export const jobPercent = (job: Doc<"jobs">): number =>
  job.status === "Completed" ? 100 : percentOf(job.progress);

export const shownError = (failure: Failure | undefined): JobView["error"] => {
  if (!failure) return null;
  const { details: _forTheLog, ...shown } = failure;
  return shown;
};

export const viewOf = (job: Doc<"jobs">): JobView => ({
  jobId: job.jobId,
  videoId: job.videoId,
  url: job.url,
  provider: job.provider,
  status: job.status,
  progressPercentage: jobPercent(job),
  currentStage: job.status,
  estimatedCompletionSeconds: job.estimatedCompletionSeconds ?? null,
  stageProgress: job.stageProgress,
  warnings: job.warnings,
  error: shownError(job.failure),
  options: job.options,
  callbackUrl: job.callbackUrl ?? null,
  output: job.output ?? null,
  urls: job.urls ?? {},
  retryCount: job.retryCount,
  createdAt: job.createdAt,
  startedAt: job.startedAt ?? null,
  completedAt: job.completedAt ?? null,
});

/** What a job says in the fields of a `videos` row; a field it has nothing for is undefined. */
export const videoProjection = (job: Doc<"jobs">) => ({
  jobId: job.jobId,
  status: job.status,
  progressPercentage: jobPercent(job),
  currentStage: job.status as string,
  estimatedCompletionSeconds: job.estimatedCompletionSeconds,
  stageProgress: job.stageProgress,
  errorType: job.failure?.errorType as string | undefined,
  errorMessage: job.failure?.message,
  errorDetails: job.failure?.details,
  isRetryable: job.failure?.retryable,
  retryCount: job.retryCount,
  processingStartedAt: job.startedAt,
  processingCompletedAt: job.completedAt,
  callbackUrl: job.callbackUrl,
});

/** The addresses of a completed job, in the fields of a `videos` row. */
export const urlProjection = ({ urls = {} }: Doc<"jobs">) => ({
  transcriptUrl: urls.transcriptUrl,
  chatUrl: urls.chatUrl,
  audiowaveUrl: urls.audiowaveUrl,
  transcriptAnalysisUrl: urls.transcriptAnalysisUrl,
  transcriptWordUrl: urls.transcriptWordUrl,
  references: urls.references,
  urlsExpireAt: urls.expiresAt,
});
