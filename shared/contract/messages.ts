// What travels through Pub/Sub: which task is due, and no more. The ledger has the rest.
import { z } from "zod";
import { STAGES } from "./stages.ts";

export const TaskMessage = z.object({
  v: z.literal(1),
  jobId: z.string().min(1).max(64),
  stage: z.enum(STAGES),
  index: z.int().min(0).max(10_000),
});
export type TaskMessage = z.infer<typeof TaskMessage>;

/** What the execution of a Cloud Run job is told: a task, and the attempt that was taken for it. */
export const HandedOverTask = TaskMessage.extend({ attempt: z.int().min(1) });
export type HandedOverTask = z.infer<typeof HandedOverTask>;

/** A delivery of one webhook is due. */
export const NotifyMessage = z.object({ v: z.literal(1), deliveryId: z.string().min(1).max(64) });
export type NotifyMessage = z.infer<typeof NotifyMessage>;

/** The body of a Pub/Sub push request, as far as it is used: nothing else may keep a task from running. */
export const PushRequest = z.object({
  message: z.object({ data: z.string().default("") }),
});
