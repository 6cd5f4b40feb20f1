// What a running task asks of the ledger. `shared/cloud/ledger.ts` sends it to Convex.
import type {
  ClaimAnswer,
  ClaimRequest,
  CommitAnswer,
  CommitRequest,
  FailAnswer,
  FailRequest,
  HeartbeatAnswer,
  ReleaseAnswer,
  ReleaseRequest,
} from "../contract/ledger.ts";
import type { Stage } from "../contract/stages.ts";

/** A task under one attempt: what fences a zombie. */
export interface Claimed {
  jobId: string;
  stage: Stage;
  index: number;
  attempt: number;
}

export interface TaskLedger {
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  /** Extends the lease. `progress` 0 to 1. */
  heartbeat(task: Claimed, progress: number): Promise<HeartbeatAnswer>;
  commit(request: CommitRequest): Promise<CommitAnswer>;
  fail(request: FailRequest): Promise<FailAnswer>;
  /** Gives the lease back without counting the attempt. */
  release(request: ReleaseRequest): Promise<ReleaseAnswer>;
}
