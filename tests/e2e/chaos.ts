// Stands between Pub/Sub and the functions, and does to deliveries what a bad day does: delivers
// them twice, late and out of order, or kills the instance that works on one.
import { PubSub } from "@google-cloud/pubsub";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { CATALOG } from "#functions/catalog.ts";
import { PushRequest, TaskMessage } from "#shared/contract/messages.ts";
import type { Stage } from "#shared/contract/stages.ts";
import type { LocalCloud } from "#local/cloud.ts";
import { listen, stop } from "#local/httpServer.ts";

export interface Delivery {
  /** Null for a message that is no task. */
  task: TaskMessage | null;
  /** Sends it on to the function. @returns the HTTP status, or 0 where the connection broke */
  forward(): Promise<number>;
}

/** What happens to a delivery; the status it returns is what Pub/Sub is told. */
export type Behavior = (delivery: Delivery) => Promise<number>;

export interface Chaos extends AsyncDisposable {
  /** Every forwarded delivery of a task, as `stage/index`. */
  forwarded: string[];
  errors: unknown[];
}

const readBody = async (req: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const taskOf = (body: Buffer): TaskMessage | null => {
  const { message } = PushRequest.parse(JSON.parse(body.toString("utf8")));
  const read = TaskMessage.safeParse(
    JSON.parse(Buffer.from(message.data, "base64").toString("utf8")),
  );
  return read.success ? read.data : null;
};

/** Leads the push subscriptions of every topic through itself, until disposed. */
export const startChaos = async (cloud: LocalCloud, behave: Behavior): Promise<Chaos> => {
  const forwarded: string[] = [];
  const errors: unknown[] = [];

  const handle = async (req: IncomingMessage, res: ServerResponse) => {
    const body = await readBody(req);
    const task = taskOf(body);
    const forward = async (): Promise<number> => {
      if (task) forwarded.push(`${task.stage}/${task.index}`);
      try {
        const response = await fetch(cloud.origin + (req.url ?? ""), {
          method: "POST",
          headers: {
            authorization: req.headers.authorization ?? "",
            "content-type": "application/json",
          },
          body,
        });
        await response.arrayBuffer();
        return response.status;
      } catch {
        // The instance was killed under the request: what Pub/Sub would see is a refusal.
        return 0;
      }
    };
    const status = await behave({ task, forward });
    res.writeHead(status === 0 ? 503 : status).end();
  };

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      errors.push(error);
      res.destroy();
    });
  });
  const origin = await listen(server);

  const pubsub = new PubSub({
    projectId: cloud.projectId,
    apiEndpoint: cloud.pubsubAddress,
    emulatorMode: true,
  });
  for (const { name, trigger } of CATALOG) {
    if (trigger.kind !== "topic") continue;
    const subscription = pubsub.subscription(`${name}-push`);
    const [metadata] = await subscription.getMetadata();
    const { pathname } = new URL(metadata.pushConfig?.pushEndpoint ?? "");
    await subscription.modifyPushConfig({
      ...metadata.pushConfig,
      pushEndpoint: origin + pathname,
    });
  }
  await pubsub.close();

  return {
    forwarded,
    errors,
    [Symbol.asyncDispose]: () => stop(server),
  };
};

/** How long deliveries gather before they are let go in the other order. */
const GATHER_MS = 60;

/**
 * Every delivery twice: gathered, let go last first, and each once more behind the next gathering,
 * when its task is long settled.
 */
export const twiceAndReordered = (): Behavior => {
  let gathered: (() => void)[] = [];
  let again: Delivery[] = [];
  let timer: NodeJS.Timeout | undefined;
  const release = () => {
    const [now, late] = [gathered.toReversed(), again];
    gathered = [];
    again = [];
    timer = undefined;
    for (const go of now) go();
    for (const delivery of late) void delivery.forward();
  };
  return async (delivery) => {
    await new Promise<void>((resolve) => {
      gathered.push(resolve);
      timer ??= setTimeout(release, GATHER_MS);
    });
    const [status] = await Promise.all([delivery.forward(), delivery.forward()]);
    again.push(delivery);
    return status;
  };
};

/**
 * Kills, once for each of `stages`, the instance that has just begun the stage's first task.
 * @param killed  gets the stages of those that were
 */
export const killOnce = (
  cloud: LocalCloud,
  stages: readonly Stage[],
  killed: Stage[],
): Behavior => {
  const waiting = new Set(stages);
  return async (delivery) => {
    const stage = delivery.task?.stage;
    if (stage === undefined || !waiting.delete(stage)) return delivery.forward();
    const answer = delivery.forward();
    for (;;) {
      const instance = cloud.instances().find((one) => one.function === stage && one.inFlight > 0);
      if (instance) {
        process.kill(instance.pid, "SIGKILL");
        killed.push(stage);
        return answer;
      }
      await delay(2);
    }
  };
};
