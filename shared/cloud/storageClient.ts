// Google's storage client with the environment's credentials, made when storage is first used: it
// costs 450 ms to load.
import type { Storage } from "@google-cloud/storage";

let client: Promise<Storage> | undefined;

export const defaultClient = (): Promise<Storage> =>
  (client ??= import("@google-cloud/storage").then(
    ({ IdempotencyStrategy, Storage }) =>
      // All our writes carry preconditions, and deleting twice is deleting.
      new Storage({ retryOptions: { idempotencyStrategy: IdempotencyStrategy.RetryAlways } }),
  ));
