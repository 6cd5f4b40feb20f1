// A Pub/Sub push as a message of ours. Pub/Sub reads 2xx as "settled" and anything else as
// "deliver again"; who may push is decided before a function sees the request (IAM on Cloud Run).
import type { Request, Response } from "@google-cloud/functions-framework";
import type { z } from "zod";
import { describeError } from "#shared/contract/errors.ts";
import { PushRequest } from "#shared/contract/messages.ts";
import type { Log } from "#shared/pipeline/log.ts";

/** @throws {Error} where the body is no push, or its data is not what `schema` says */
const decodePush = <T extends z.ZodType>(schema: T, rawBody: Buffer | undefined): z.output<T> => {
  const { message } = PushRequest.parse(JSON.parse((rawBody ?? Buffer.of()).toString("utf8")));
  return schema.parse(JSON.parse(Buffer.from(message.data, "base64").toString("utf8")));
};

/**
 * Answers a push by what `work` says. A message that cannot be read never will be: it is settled,
 * with a line in the log, instead of coming back for days.
 */
export const handlePush = async <T extends z.ZodType>(
  schema: T,
  req: Request,
  res: Response,
  log: Log,
  work: (message: z.output<T>) => Promise<"ack" | "nack">,
): Promise<void> => {
  let message: z.output<T>;
  try {
    message = decodePush(schema, req.rawBody);
  } catch (error) {
    log.error("push not understood", { error: describeError(error) });
    res.status(204).end();
    return;
  }
  try {
    const outcome = await work(message);
    res.status(outcome === "ack" ? 204 : 503).end();
  } catch (error) {
    log.error("push not settled", { error: describeError(error) });
    res.status(500).end();
  }
};
