// How long a message that was refused waits before it is delivered again.

export interface RetryPolicy {
  minimumMs: number;
  maximumMs: number;
}

/** Pub/Sub's defaults for a retry policy that leaves a value out. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = { minimumMs: 10_000, maximumMs: 600_000 };

/** Pub/Sub's limits of the push backoff, which stops a whole subscription without a retry policy. */
const PUSH_BACKOFF: RetryPolicy = { minimumMs: 100, maximumMs: 60_000 };

const exponential = ({ minimumMs, maximumMs }: RetryPolicy, failures: number): number =>
  Math.min(maximumMs, minimumMs * 2 ** Math.min(failures - 1, 40));

/**
 * Delay before the next delivery of one message, in milliseconds: doubled with every failure,
 * between the policy's bounds; none without a policy, where a message is due again at once.
 * @param failures deliveries refused or timed out so far, at least 1
 */
export const redeliveryDelayMs = (policy: RetryPolicy | undefined, failures: number): number =>
  policy === undefined ? 0 : exponential(policy, failures);

/**
 * Pause of a whole push subscription without a retry policy after refusals in a row, in
 * milliseconds. With a policy there is none: only the refused messages wait.
 */
export const pushBackoffMs = (policy: RetryPolicy | undefined, refusalsInARow: number): number =>
  policy !== undefined || refusalsInARow === 0 ? 0 : exponential(PUSH_BACKOFF, refusalsInARow);
