// What the HTTP functions ask of the ledger. `shared/cloud/ledger.ts` sends it to Convex.
import type {
  CancelAnswer,
  CreateJobAnswer,
  CreateJobRequest,
  JobEvent,
  JobList,
  JobView,
  RetryAnswer,
} from "../contract/ledger.ts";
import type { Stage, Status } from "../contract/stages.ts";

/** A job as its owner names it; somebody else's is `not_found`. */
export interface OwnedJob {
  jobId: string;
  ownerId: string;
}

export interface JobLedger {
  createJob(request: CreateJobRequest): Promise<CreateJobAnswer>;
  job(job: OwnedJob): Promise<JobView | null>;
  jobs(query: {
    ownerId: string;
    status?: Status | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<JobList>;
  /** Events after `afterSeq`, oldest first; null where the job is not the owner's. */
  events(query: OwnedJob & { afterSeq: number; limit: number }): Promise<JobEvent[] | null>;
  cancel(job: OwnedJob): Promise<CancelAnswer>;
  retry(job: OwnedJob & { fromStage?: Stage | undefined }): Promise<RetryAnswer>;
  /** Whose key has this SHA-256 (lower-case hex); null for none. */
  apiKeyOwner(hash: string): Promise<string | null>;
}
