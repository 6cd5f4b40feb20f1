// The Pub/Sub that functions publish to and are called by: ours, or an emulator that the environment
// names. In that, topics and subscriptions are made as in ours, or taken as somebody else made them.
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import type { FunctionSpec } from "#functions/catalog.ts";
import type { Front } from "../front/server.ts";
import { startPubSub } from "../pubsub/server.ts";
import { startTokenProxy } from "../pubsub/tokenProxy.ts";
import type { MintIdToken } from "../pubsub/tokens.ts";
import type { Env } from "./environment.ts";
import { checkTopics } from "./givenTopics.ts";
import { ensureTopics } from "./topics.ts";
import type { TopicOptions } from "./topics.ts";

export interface CatalogPubSubOptions {
  /** Of the whole cloud. */
  dataDir: string;
  projectId: string;
  catalog: readonly FunctionSpec[];
  front: Pick<Front, "origin" | "urlOf">;
  mintIdToken: MintIdToken;
  /** Account of the pushes' tokens. */
  pusherEmail: string;
  /** `PUBSUB_EMULATOR_HOST` and `PUBSUB_PUSH_PORT` of it count. */
  env: Env;
  backoff?: TopicOptions["backoff"];
}

export interface CatalogPubSub {
  /** `host:port` */
  address: string;
  /** Nothing reaches the front any more; what is published is taken. */
  stopPushing(): Promise<void>;
  close(): Promise<void>;
}

const ADDRESS = /^(\[[\da-f:]+\]|[\w.-]+):(\d{1,5})$/i;

/** One line, `NAME: what is wrong`, for each variable that is. */
export const pubSubProblems = (env: Env): string[] => {
  const { PUBSUB_EMULATOR_HOST: emulator, PUBSUB_PUSH_PORT: port } = env;
  if (emulator && !ADDRESS.test(emulator)) {
    return ["PUBSUB_EMULATOR_HOST: an emulator is at host:port, as 127.0.0.1:8085"];
  }
  if (!port) return [];
  if (!emulator) return ["PUBSUB_PUSH_PORT: goes with PUBSUB_EMULATOR_HOST, which is not set"];
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  return isPort ? [] : ["PUBSUB_PUSH_PORT: a port is a number from 1 to 65535"];
};

/** Google's client would try for a minute. */
const CONNECT_MS = 5_000;

const mustAnswer = async (emulator: string): Promise<void> => {
  const [, host = "", port] = ADDRESS.exec(emulator) ?? [];
  const socket = connect({
    host: host.replaceAll(/[[\]]/g, ""),
    port: Number(port),
    timeout: CONNECT_MS,
  });
  try {
    await Promise.race([
      once(socket, "connect"),
      once(socket, "timeout").then(() => Promise.reject(new Error("It takes too long."))),
    ]);
  } catch (cause) {
    throw new Error(`Nothing answers at ${emulator}, which is PUBSUB_EMULATOR_HOST.`, { cause });
  } finally {
    socket.destroy();
  }
};

/** An emulator pushes without a token; between it and the front stands who adds one. */
const startProxy = async (
  { front, mintIdToken, pusherEmail }: CatalogPubSubOptions,
  port: number | undefined,
) => {
  try {
    return await startTokenProxy({
      target: front.origin,
      mintIdToken,
      serviceAccountEmail: pusherEmail,
      ...(port === undefined ? {} : { port }),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`Port ${port} of PUBSUB_PUSH_PORT is in use.`, { cause: error });
  }
};

/**
 * @param options with variables in which `pubSubProblems` finds nothing
 * @throws {TopicsMissing} where they are to be taken as they are, and are not all there
 */
export const startCatalogPubSub = async (options: CatalogPubSubOptions): Promise<CatalogPubSub> => {
  const { dataDir, projectId, catalog, front, mintIdToken, pusherEmail, env, backoff } = options;
  const ensure = (address: string, pushOrigin: string): Promise<void> =>
    ensureTopics({
      address,
      projectId,
      catalog,
      target: (name) => {
        const audience = front.urlOf(name);
        return { endpoint: audience.replace(front.origin, pushOrigin), audience };
      },
      pusherEmail,
      ...(backoff ? { backoff } : {}),
    });
  await using stack = new AsyncDisposableStack();

  let address = env["PUBSUB_EMULATOR_HOST"];
  let stopPushing: () => void | Promise<void>;
  if (!address) {
    const pubsub = await startPubSub({ dataDir: join(dataDir, "pubsub"), mintIdToken });
    stack.defer(() => pubsub.close());
    ({ address, stopPushing } = pubsub);
    await ensure(address, front.origin);
  } else {
    await mustAnswer(address);
    const port = env["PUBSUB_PUSH_PORT"] ? Number(env["PUBSUB_PUSH_PORT"]) : undefined;
    const proxy = await startProxy(options, port);
    stopPushing = () => proxy.close();
    stack.defer(stopPushing);
    const endpoint = (name: string): string =>
      front.urlOf(name).replace(front.origin, proxy.origin);
    if (port === undefined) await ensure(address, proxy.origin);
    else await checkTopics({ address, projectId, catalog, endpoint });
  }
  const running = stack.move();
  return {
    address,
    stopPushing: async () => stopPushing(),
    close: () => running.disposeAsync(),
  };
};
