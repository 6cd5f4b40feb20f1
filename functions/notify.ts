// Delivers one webhook. A delivery that fails is due again when the ledger says, by the sweep, so
// the message is settled either way.
import { NotifyMessage } from "#shared/contract/messages.ts";
import { deliver } from "#shared/webhooks/deliver.ts";
import { handlePush } from "./push.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";

export const create =
  (runtime: Runtime): Handler =>
  (req, res) =>
    handlePush(NotifyMessage, req, res, runtime.log, async ({ deliveryId }) => {
      const result = await deliver(deliveryId, runtime);
      runtime.log.info("webhook", { deliveryId, result });
      return "ack";
    });
