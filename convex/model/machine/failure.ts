// Failures as the machine keeps them: the code decides type and retry, the sentence is the person's.
import { ERRORS, type ErrorCode } from "#shared/contract/errors.ts";
import type { Stage } from "#shared/contract/stages.ts";
import type { Warning, WarningCode } from "#shared/contract/warnings.ts";
import type { Failure } from "./state.ts";

export const failureOf = (
  stage: Stage,
  code: ErrorCode,
  message: string,
  details?: string,
): Failure => {
  const { errorType, retryable } = ERRORS[code];
  return { stage, code, errorType, message, retryable, ...(details ? { details } : {}) };
};

const MISSING: Partial<Record<Stage, WarningCode>> = {
  chat: "chat_unavailable",
  transcribe: "speech_unavailable",
  clips: "clips_incomplete",
};

/** What a degraded task says on the job. @throws {Error} for a stage that cannot be degraded */
export const missingWarning = ({ stage, message }: Failure): Warning => {
  const code = MISSING[stage];
  if (!code) throw new Error(`${stage} has no warning for being degraded`);
  return { code, message };
};

/** Longest wait of our own between two attempts. */
const MAX_BACKOFF_MS = 60_000;
/** Longest wait that another side can ask for. */
const MAX_RETRY_AFTER_SEC = 3600;

/** How long to wait after the n-th attempt: 1, 2, 4 … 60 s, or what the other side asked for. */
export const backoffMs = (tries: number, retryAfterSec = 0): number =>
  Math.max(
    Math.min(MAX_BACKOFF_MS, 1000 * 2 ** Math.max(0, tries - 1)),
    Math.min(MAX_RETRY_AFTER_SEC, Math.max(0, retryAfterSec)) * 1000,
  );
