// Takes a message that Pub/Sub gave up on. The ledger fails its task, unless somebody is at work on it.
import { TaskMessage } from "#shared/contract/messages.ts";
import { handlePush } from "./push.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";

export const create =
  ({ ledger, log, publishDue }: Runtime): Handler =>
  (req, res) =>
    handlePush(TaskMessage, req, res, log, async ({ jobId, stage, index }) => {
      const answer = await ledger.deadLetter({ jobId, stage, index });
      log.warn("dead letter", { jobId, stage, index, outcome: answer.kind });
      await publishDue(answer.messages, answer.deliveryIds);
      return "ack";
    });
