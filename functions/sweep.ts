// Called every minute: publishes again what is due and that nobody took up, so that a lost message
// or a dead worker never leaves a job standing. Publishing a task twice is harmless.
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";

/** Batches in one call; the next minute goes on. */
const MAX_BATCHES = 50;

export const create =
  ({ ledger, log, publishDue }: Runtime): Handler =>
  async (_req, res) => {
    let tasks = 0;
    let deliveries = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
      const { messages, deliveryIds, more } = await ledger.sweep();
      await publishDue(messages, deliveryIds);
      tasks += messages.length;
      deliveries += deliveryIds.length;
      if (!more) break;
    }
    if (tasks + deliveries > 0) log.info("swept", { tasks, deliveries });
    res.json({ tasks, deliveries });
  };
