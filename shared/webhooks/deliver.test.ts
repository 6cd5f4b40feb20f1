import { Readable } from "node:stream";
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { StageError } from "../contract/errors.ts";
import type { DeliveryOutcome, WebhookEvent } from "../contract/ledger.ts";
import type { FetchRequest, GuardedFetch } from "../source/fetch.ts";
import { deliver } from "./deliver.ts";

const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes....").toString("base64")}`;
const EVENT: WebhookEvent = {
  type: "job.completed",
  at: Date.UTC(2026, 0, 2),
  jobId: "j1",
  videoId: "v1",
  url: "https://example.com/a.mp4",
  status: "Completed",
  warnings: [],
  error: null,
};

const receiver = (status: number, headers: Record<string, string> = {}) => {
  const requests: (FetchRequest & { url: string })[] = [];
  const fetch: GuardedFetch = async (url, request = {}) => {
    requests.push({ url, ...request });
    return { status, headers, body: Readable.from([]), url };
  };
  return { requests, fetch };
};

const run = async (fetch: GuardedFetch) => {
  const outcomes: DeliveryOutcome[] = [];
  const result = await deliver("d1", {
    fetch,
    ledger: {
      claimDelivery: async (deliveryId) => ({
        kind: "deliver",
        attempt: 1,
        ownerId: "o1",
        deliveryId,
        url: "https://example.com/hook",
        event: EVENT,
      }),
      recordAttempt: async ({ outcome }) => {
        outcomes.push(outcome);
        return { kind: "delivered" };
      },
      webhookSecret: async () => SECRET,
    },
  });
  return { result, outcomes };
};

it("signs what it sends, so that the specification's own library verifies it", async () => {
  const { requests, fetch } = receiver(204);
  expect(await run(fetch)).toEqual({
    result: "delivered",
    outcomes: [{ ok: true, httpStatus: 204 }],
  });
  const [request] = requests;
  const verified = new Webhook(SECRET).verify(request?.body ?? "", request?.headers ?? {});
  expect(verified).toMatchObject({ type: "job.completed", data: { job_id: "j1" } });
  expect(request?.maxRedirects).toBe(0);
});

it.each([
  ["a redirect is not followed and not taken for success", 302, {}, {}],
  ["410 is told to the ledger as it is", 410, {}, {}],
  ["a wish to wait is passed on", 503, { "retry-after": "120" }, { retryAfterSec: 120 }],
])("%s", async (_name, httpStatus, headers, extra) => {
  const { outcomes } = await run(receiver(httpStatus, headers).fetch);
  expect(outcomes).toEqual([expect.objectContaining({ ok: false, httpStatus, ...extra })]);
});

it("records a receiver that cannot be reached", async () => {
  const { result, outcomes } = await run(async () => {
    throw new StageError("source_unreachable");
  });
  expect(result).toBe("not_delivered");
  expect(outcomes[0]).toMatchObject({ ok: false });
});
