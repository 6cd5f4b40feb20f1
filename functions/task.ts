// A stage behind Pub/Sub, or in the process of its Cloud Run job: the same task code with the same
// dependencies. Every stage function is this around its own definition.
import { TaskMessage } from "#shared/contract/messages.ts";
import { type TaskDeps, runTask } from "#shared/pipeline/runTask.ts";
import type { StageDefinition } from "#shared/pipeline/stage.ts";
import { handlePush } from "./push.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";

export const taskDeps = (runtime: Runtime): TaskDeps => ({
  ledger: runtime.ledger,
  store: runtime.store,
  publish: runtime.publishDue,
  log: runtime.log,
  scratchRoot: runtime.scratchRoot,
  scratchBytes: runtime.room.scratchBytes,
  taskTimeoutMs: runtime.room.taskTimeoutMs,
  startJob: runtime.startJob,
  shutdown: runtime.shutdown,
});

export const taskHandler =
  (runtime: Runtime, definition: StageDefinition): Handler =>
  (req, res) =>
    handlePush(TaskMessage, req, res, runtime.log, async (message) => {
      if (message.stage !== definition.stage) {
        runtime.log.error("message of another stage", { stage: message.stage });
        return "ack";
      }
      return runTask(message, definition, taskDeps(runtime));
    });
