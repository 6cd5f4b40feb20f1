// Two versions of the functions run side by side while one takes over: each must take the other's
// messages.
import { expect, it } from "vitest";
import { NotifyMessage, PushRequest, TaskMessage } from "./messages.ts";

const TASK = { v: 1, jobId: "01m7ws6tjt09prac0tspjpqtrm", stage: "media", index: 3 };

it("takes messages of the next version, whose further fields mean nothing yet", () => {
  expect(TaskMessage.parse({ ...TASK, priority: "low" })).toEqual(TASK);
  expect(NotifyMessage.parse({ v: 1, deliveryId: "d", at: 1 })).toEqual({ v: 1, deliveryId: "d" });
});

it("takes what Pub/Sub sends beside the message", () => {
  const message = { data: "e30=", messageId: "1", attributes: {}, orderingKey: "" };
  const push = { message, subscription: "s", deliveryAttempt: 5 };
  expect(PushRequest.parse(push)).toEqual({ message: { data: "e30=" } });
});

it("refuses a message that means something else", () => {
  expect(TaskMessage.safeParse({ ...TASK, v: 2 }).success).toBe(false);
  expect(TaskMessage.safeParse({ ...TASK, stage: "unheard-of" }).success).toBe(false);
});
