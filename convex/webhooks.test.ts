// A webhook from the end of a job to its receiver: claims, retries, 410, replay.
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { DeliveryOutcome } from "#shared/contract/ledger.ts";
import { api, internal } from "./_generated/api.js";
import { RETRY_DELAYS_MS } from "./model/deliveries.ts";
import {
  type Backend,
  createBackend,
  createJob,
  ownerIdOf,
  runAll,
  standInEnvironment,
} from "./testing.setup.ts";

const ownerId = ownerIdOf("ada");
const callbackUrl = "https://hook.example/klipstream";
let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

/** Cancels a new job; @returns the delivery that makes */
const ended = async (): Promise<string> => {
  const { job } = await createJob(backend, { callbackUrl });
  const { jobId } = job;
  const answer = await backend.service.mutation(api.ledger.cancel, { jobId, ownerId });
  if (answer.kind !== "canceled" || !answer.deliveryIds[0]) throw new Error("no delivery");
  return answer.deliveryIds[0];
};
const claim = (deliveryId: string) =>
  backend.service.mutation(api.webhooks.claimDelivery, { deliveryId });
const attempt = async (deliveryId: string, outcome: DeliveryOutcome) => {
  const claimed = await claim(deliveryId);
  if (claimed.kind !== "deliver") throw new Error(claimed.kind);
  const { attempt } = claimed;
  return backend.service.mutation(api.webhooks.recordAttempt, { deliveryId, attempt, outcome });
};
const down = { ok: false as const, httpStatus: 503, message: "503 Service Unavailable" };

describe("a delivery", () => {
  it("is made in the transaction that completes the job, and delivered once", async () => {
    const { job, messages } = await createJob(backend, { callbackUrl });
    const plan = { media: 1, chat: 0, transcribe: 0, clips: 0 };
    const { deliveryIds } = await runAll(backend, messages, plan);
    expect(deliveryIds).toHaveLength(1);
    const deliveryId = deliveryIds[0]!;
    expect(deliveryId).toMatch(/^msg_[0-9a-z]{26}$/);
    const claimed = await claim(deliveryId);
    expect(claimed).toMatchObject({
      kind: "deliver",
      attempt: 1,
      ownerId,
      url: callbackUrl,
      event: { type: "job.completed", jobId: job.jobId, status: "Completed", error: null },
    });
    expect(await claim(deliveryId)).toEqual({ kind: "busy" });
    const outcome = { ok: true as const, httpStatus: 204 };
    const record = () =>
      backend.service.mutation(api.webhooks.recordAttempt, { deliveryId, attempt: 1, outcome });
    expect(await record()).toEqual({ kind: "delivered" });
    expect(await record()).toEqual({ kind: "fenced" });
    expect(await claim(deliveryId)).toEqual({ kind: "settled" });
  });

  it("is told again when the message of the last task comes again", async () => {
    const { messages } = await createJob(backend, { callbackUrl });
    const plan = { media: 1, chat: 0, transcribe: 0, clips: 0 };
    const { deliveryIds } = await runAll(backend, messages, plan);
    const finish = { jobId: messages[0]!.jobId, stage: "finish" as const, index: 0 };
    expect(await backend.service.mutation(api.ledger.claim, finish)).toMatchObject({
      kind: "done",
      deliveryIds,
    });
  });

  it("is not made for a job without a callback", async () => {
    const { job } = await createJob(backend);
    const answer = await backend.service.mutation(api.ledger.cancel, { jobId: job.jobId, ownerId });
    expect(answer).toMatchObject({ deliveryIds: [] });
  });

  it("is tried over three days, swept when it is due, and then given up", async () => {
    const deliveryId = await ended();
    for (const delayMs of RETRY_DELAYS_MS) {
      expect(await attempt(deliveryId, down)).toEqual({
        kind: "retry",
        dueAt: Date.now() + delayMs,
      });
      expect(await claim(deliveryId)).toEqual({ kind: "busy" });
      vi.advanceTimersByTime(delayMs);
      const swept = await backend.service.mutation(api.ledger.sweep, {});
      expect(swept.deliveryIds).toEqual([deliveryId]);
    }
    expect(await attempt(deliveryId, down)).toEqual({ kind: "exhausted" });
    const days = RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0) / 86_400_000;
    expect(days).toBeGreaterThan(3);
  });

  it("waits as long as the receiver asks", async () => {
    const outcome = { ...down, retryAfterSec: 3600 };
    expect(await attempt(await ended(), outcome)).toEqual({
      kind: "retry",
      dueAt: Date.now() + 3_600_000,
    });
  });

  it("whose sender died is sent by another when its lease has run out", async () => {
    const deliveryId = await ended();
    await claim(deliveryId);
    vi.advanceTimersByTime(60_000);
    const swept = await backend.service.mutation(api.ledger.sweep, {});
    expect(swept.deliveryIds).toEqual([deliveryId]);
    expect(await claim(deliveryId)).toMatchObject({ kind: "deliver", attempt: 2 });
  });

  it("that got 410 is the receiver's last, until it is replayed", async () => {
    const [first, waiting] = [await ended(), await ended()];
    expect(await attempt(first, { ...down, httpStatus: 410 })).toEqual({ kind: "disabled" });
    expect(await claim(waiting)).toEqual({ kind: "settled" });
    await expect(ended()).rejects.toThrow("no delivery");
    const replay = (who: string) =>
      backend.service.mutation(api.webhooks.replay, { deliveryId: first, ownerId: ownerIdOf(who) });
    expect(await replay("bob")).toBe(false);
    expect(await replay("ada")).toBe(true);
    expect(await attempt(first, { ok: true, httpStatus: 200 })).toEqual({ kind: "delivered" });
  });
});

describe("webhooks:secretFor", () => {
  it("gives an owner the same secret each time, and each owner another", async () => {
    const secret = (who: string) =>
      backend.service.action(api.webhooks.secretFor, { ownerId: ownerIdOf(who) });
    const ada = await secret("ada");
    expect(ada).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await secret("ada")).toBe(ada);
    expect(await secret("bob")).not.toBe(ada);
  });

  it("gives another once the deployment was told to forget it", async () => {
    const secret = (who: string) =>
      backend.service.action(api.webhooks.secretFor, { ownerId: ownerIdOf(who) });
    const [ada, bob] = [await secret("ada"), await secret("bob")];
    const forget = () =>
      backend.nobody.mutation(internal.webhooks.forgetSecret, { ownerId: ownerIdOf("ada") });
    expect(await forget()).toBe(true);
    expect(await forget()).toBe(false);
    expect(await secret("ada")).not.toBe(ada);
    expect(await secret("bob")).toBe(bob);
  });
});
