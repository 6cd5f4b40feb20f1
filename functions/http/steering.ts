// The two orders one can give a job that is there: cancel and retry.
import { RetryQuery } from "#shared/contract/api.ts";
import { StageError } from "#shared/contract/errors.ts";
import { toStatusResponse } from "#shared/jobs/view.ts";
import type { Runtime } from "#functions/runtime.ts";
import { parseOr422 } from "./problem.ts";
import type { RouteHandler } from "./router.ts";
import type { Service } from "./service.ts";

export const createSteering = (
  { ledger, publishDue }: Pick<Runtime, "ledger" | "publishDue">,
  service: Pick<Service, "jobOf">,
): Record<"cancel" | "retry", RouteHandler> => ({
  cancel: async (call) => {
    const { owned } = await service.jobOf(call);
    const answer = await ledger.cancel(owned);
    switch (answer.kind) {
      case "not_found":
        throw new StageError("not_found");
      case "ended":
        throw new StageError("conflict", `The job has ended already: ${answer.job.status}.`);
      case "canceled":
        await publishDue(answer.messages, answer.deliveryIds);
        call.res.json(toStatusResponse(answer.job, []));
    }
  },

  retry: async (call) => {
    const { owned } = await service.jobOf(call);
    const { from_stage: fromStage } = parseOr422(RetryQuery, call.query);
    const answer = await ledger.retry({ ...owned, fromStage });
    switch (answer.kind) {
      case "not_found":
        throw new StageError("not_found");
      case "not_ended":
        throw new StageError("conflict", "The job is still at work.");
      case "not_reached":
        throw new StageError("conflict", "The job never came as far as this stage.");
      case "too_many_jobs":
        throw new StageError("too_many_jobs", undefined, { retryAfterSec: 60 });
      case "retried":
        await publishDue(answer.messages, answer.deliveryIds);
        call.res.status(202).json(toStatusResponse(answer.job, []));
    }
  },
});
