// The stages of a job, the order they run in, and the words people see for them.
// The ledger, the functions' catalog and the pages all derive from this one table.

/** Every stage, in an order in which each comes after all it needs. */
export const STAGES = [
  "ingest",
  "media",
  "chat",
  "transcribe",
  "analyze",
  "highlights",
  "clips",
  "finish",
] as const;
export type Stage = (typeof STAGES)[number];

/** What a job's `status` may say; `Canceled` is ours, the rest are the values of `convex-schema-updates`. */
export const STATUSES = [
  "Queued",
  "Downloading",
  "Fetching chat",
  "Transcribing",
  "Analyzing",
  "Finding highlights",
  "Completed",
  "Failed",
  "Canceled",
] as const;
export type Status = (typeof STATUSES)[number];

const TERMINAL_STATUSES = ["Completed", "Failed", "Canceled"] as const satisfies Status[];

export const isTerminal = (status: Status): boolean =>
  (TERMINAL_STATUSES as readonly Status[]).includes(status);

interface StageSpec {
  /** The status shown while this is the first stage that is not finished. */
  status: Status;
  /** Share of a job's work, in measured seconds of one core for an hour of video; drives progress. */
  weight: number;
  /** Attempts before the job fails or the stage is degraded. */
  maxAttempts: number;
  /** Whether the job goes on, with a warning, when this stage fails for good. */
  degradable: boolean;
}

export const STAGE_SPECS: Record<Stage, StageSpec> = {
  ingest: { status: "Downloading", weight: 2, maxAttempts: 5, degradable: false },
  media: { status: "Downloading", weight: 30, maxAttempts: 5, degradable: false },
  chat: { status: "Fetching chat", weight: 6, maxAttempts: 5, degradable: true },
  transcribe: { status: "Transcribing", weight: 30, maxAttempts: 4, degradable: true },
  analyze: { status: "Analyzing", weight: 8, maxAttempts: 4, degradable: false },
  highlights: { status: "Finding highlights", weight: 2, maxAttempts: 4, degradable: false },
  clips: { status: "Finding highlights", weight: 20, maxAttempts: 4, degradable: true },
  finish: { status: "Finding highlights", weight: 2, maxAttempts: 5, degradable: false },
};

/** How long a claim is good for without a heartbeat, in milliseconds. */
export const LEASE_MS = 60_000;

/** How long an attempt waits for the Cloud Run job that it was handed to, in milliseconds. */
export const HAND_OVER_MS = 300_000;
