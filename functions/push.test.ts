import { expect, it } from "vitest";
import { TaskMessage } from "#shared/contract/messages.ts";
import { createLog } from "#shared/pipeline/log.ts";
import { handlePush } from "./push.ts";

type Request = Parameters<typeof handlePush>[1];
type Response = Parameters<typeof handlePush>[2];

const TASK: TaskMessage = { v: 1, jobId: "j1", stage: "media", index: 2 };
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

const push = async (body: string, work: () => Promise<"ack" | "nack"> = async () => "ack") => {
  const seen: TaskMessage[] = [];
  const lines: string[] = [];
  let status = 0;
  const response = { status: (given: number) => ({ end: () => (status = given) }) };
  await handlePush(
    TaskMessage,
    { rawBody: Buffer.from(body) } as Request,
    response as unknown as Response,
    createLog({}, (line) => lines.push(line)),
    async (message) => {
      seen.push(message);
      return work();
    },
  );
  return { status, seen, log: lines.join("\n") };
};
const body = (data: string) => JSON.stringify({ message: { data } });

it("takes the task out of a push, whatever else comes with it", async () => {
  const odd = {
    message: { data: encoded(TASK), attributes: null, messageId: 7 },
    deliveryAttempt: "2",
  };
  expect(await push(JSON.stringify(odd))).toMatchObject({ status: 204, seen: [TASK] });
});

it("has delivered again what work does not settle, or fails at", async () => {
  expect((await push(body(encoded(TASK)), async () => "nack")).status).toBe(503);
  const failed = await push(body(encoded(TASK)), async () => {
    throw new Error("away", { cause: new Error("ECONNREFUSED") });
  });
  expect(failed.status).toBe(500);
  expect(failed.log).toContain("ECONNREFUSED");
});

it.each([
  ["nothing", ""],
  ["no JSON", "<html>"],
  ["no message", "{}"],
  ["data that is no JSON", body("AAAA")],
  ["another message", body(encoded({ v: 2 }))],
])("settles %s, which will never be understood", async (_name, text) => {
  expect(await push(text)).toMatchObject({ status: 204, seen: [] });
});
