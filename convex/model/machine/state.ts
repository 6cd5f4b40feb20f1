// What the state machine of a job is made of. The machine is pure: a transition takes the job, the
// task it is about, a request and the time, and says what becomes of them. Rows are Convex's matter.
import type { ErrorCode, ErrorType } from "#shared/contract/errors.ts";
import type { JobEvent, OutputRef, StageProgress, VideoUrls } from "#shared/contract/ledger.ts";
import { HAND_OVER_MS, LEASE_MS, type Stage, type Status } from "#shared/contract/stages.ts";
import type { Warning } from "#shared/contract/warnings.ts";

/**
 * Where a job stands before the gate. `held`: its owner has as many jobs as one may; `waiting`: for
 * a place among all; `running`: its tasks are due; `ended`: its status is terminal.
 */
export const ADMISSIONS = ["held", "waiting", "running", "ended"] as const;
export type Admission = (typeof ADMISSIONS)[number];

export type StageCounts = Partial<Record<Stage, number>>;

/** Why a job failed. */
export interface Failure {
  stage: Stage;
  code: ErrorCode;
  errorType: ErrorType;
  message: string;
  retryable: boolean;
  details?: string;
}

/** The part of a job's row that the machine reads and writes. */
export interface JobState {
  jobId: string;
  status: Status;
  admission: Admission;
  /** Tasks each stage has; a stage without a number is not planned yet. */
  total: StageCounts;
  /** Tasks of each stage that are done or degraded. */
  finished: StageCounts;
  /** Tasks of each stage that were degraded. */
  degraded: StageCounts;
  /** Stages of which a task was claimed since the job was last rolled back over them. */
  started: Stage[];
  warnings: Warning[];
  failure?: Failure;
  /** New tasks number their attempts above this, so that a rolled-back task's zombie is fenced. */
  attemptFloor: number;
  /** Number of the last event. */
  eventSeq: number;
  /** 0 to 1. */
  progress: number;
  stageProgress: Partial<Record<Stage, StageProgress>>;
  estimatedCompletionSeconds?: number;
  output?: OutputRef;
  urls?: VideoUrls;
  retryCount: number;
  startedAt?: number;
  completedAt?: number;
}

/**
 * Of an attempt that is a Cloud Run job's: `open` until the job's process claims it, then `taken`, so
 * that a second execution gets nothing.
 */
export const HAND_OVERS = ["open", "taken"] as const;
type HandOver = (typeof HAND_OVERS)[number];

export const TASK_STATES = ["due", "running", "done", "degraded", "failed"] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Tasks `first` to `first + count - 1` of a stage; of this job, where no other is named. */
export interface TaskRange {
  jobId?: string;
  stage: Stage;
  first: number;
  count: number;
}

/** A task's row as the machine reads and writes it. */
export interface Task {
  stage: Stage;
  index: number;
  state: TaskState;
  /** Number of the last claim; grows for ever, so that it fences. */
  attempt: number;
  /** Claims that count against the stage's `maxAttempts`; counted anew once it has outgrown functions. */
  tries: number;
  /** Functions have too little time or room for it: a Cloud Run job runs it, where there is one. */
  outgrown?: boolean;
  /** How often a function that had it was not heard of again; killed for its memory, perhaps. */
  lapses?: number;
  /** While running: absent for an attempt of a function. */
  handOver?: HandOver;
  /** Not worth trying before; milliseconds since 1970, as all times here. */
  dueAt: number;
  /** While running: when the claim ends without a heartbeat. */
  leaseUntil?: number;
  /** When sweep has a look; absent where there is nothing to look for. */
  sweepAt?: number;
  /** 0 to 1. */
  progress: number;
  output?: OutputRef;
  warnings: Warning[];
  /** The last failure. */
  failure?: Failure;
  /** The attempt that reported it. */
  failedAttempt?: number;
  /** What its end made due, to be published again on a redelivery. */
  released: TaskRange[];
}

/** What an owner's or operator's environment decides. */
export interface Policy {
  leaseMs: number;
  /** An attempt that was handed to a Cloud Run job waits so long for the job's process. */
  handOverMs: number;
  /** A due task that nobody claimed for so long is published again. */
  unclaimedMs: number;
  /** How long sweep leaves a task alone that it published. */
  sweepAgainMs: number;
}

export const DEFAULT_POLICY: Policy = {
  leaseMs: LEASE_MS,
  handOverMs: HAND_OVER_MS,
  unclaimedMs: 120_000,
  sweepAgainMs: 60_000,
};

/** What a transition makes of a job and its tasks. Nothing is written that is not in here. */
export interface Change {
  job: JobState;
  /** Tasks changed, whole. */
  tasks: Task[];
  /** New tasks. */
  added: Task[];
  events: JobEvent[];
  /** Tasks whose messages are to be published. */
  due: TaskRange[];
}

/** How many tasks one stage of a job may have. */
export const MAX_FAN_OUT = 1000;
