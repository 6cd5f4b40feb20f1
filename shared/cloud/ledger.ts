// The ledger in Convex, as the pipeline and the HTTP functions know it. Typed by the functions
// themselves: a changed argument or answer does not compile here.
import { api } from "#convex/_generated/api.js";
import type { DeadLetterAnswer, SweepAnswer } from "../contract/ledger.ts";
import type { TaskMessage } from "../contract/messages.ts";
import type { JobLedger } from "../jobs/ledger.ts";
import type { TaskLedger } from "../pipeline/ledger.ts";
import type { DeliveryLedger } from "../webhooks/deliver.ts";
import type { ConvexCalls } from "./convexCalls.ts";

export interface Ledger extends TaskLedger, JobLedger, DeliveryLedger {
  /** What is due and nobody took up. */
  sweep(): Promise<SweepAnswer>;
  deadLetter(task: Omit<TaskMessage, "v">): Promise<DeadLetterAnswer>;
}

const versioned = (task: Omit<TaskMessage, "v">): TaskMessage => ({ v: 1, ...task });

/**
 * Each method throws {StageError} `ledger_unavailable` where the database is away after a few
 * tries, or with the code of whatever the function refuses.
 */
export const createLedger = ({ query, mutation, action }: ConvexCalls): Ledger => {
  return {
    claim: (request) => mutation(api.ledger.claim, request),
    heartbeat: (task, progress) => mutation(api.ledger.heartbeat, { ...task, progress }),
    commit: (request) => mutation(api.ledger.commit, request),
    fail: (request) => mutation(api.ledger.fail, request),
    release: (request) => mutation(api.ledger.release, request),
    createJob: (request) => mutation(api.ledger.createJob, request),
    job: (job) => query(api.jobs.get, job),
    jobs: (list) => query(api.jobs.list, list),
    events: (events) => query(api.jobs.events, events),
    cancel: (job) => mutation(api.ledger.cancel, job),
    retry: (job) => mutation(api.ledger.retry, job),
    apiKeyOwner: async (hash) => (await mutation(api.apiKeys.verify, { hash }))?.ownerId ?? null,
    claimDelivery: (deliveryId) => mutation(api.webhooks.claimDelivery, { deliveryId }),
    recordAttempt: (attempt) => mutation(api.webhooks.recordAttempt, attempt),
    webhookSecret: (ownerId) => action(api.webhooks.secretFor, { ownerId }),
    sweep: () => mutation(api.ledger.sweep, {}),
    deadLetter: (task) => mutation(api.ledger.deadLetter, versioned(task)),
  };
};
