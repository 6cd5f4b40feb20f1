// Pub/Sub on this machine: answers the official client over gRPC and pushes as the real one does.
// Point the client here with PUBSUB_EMULATOR_HOST.
import { createRequire } from "node:module";
import { callbackify } from "node:util";
import {
  type handleUnaryCall,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { Agent } from "undici";
import { fullDisk } from "../fullDisk.ts";
import { LOOPBACK } from "../httpServer.ts";
import { createBroker } from "./broker.ts";
import { type Clock, systemClock } from "./clock.ts";
import { publisherService } from "./publisherService.ts";
import { type PullStream, pull, serveStream } from "./pull.ts";
import { type Fetch, type Pusher, startPusher } from "./push.ts";
import { RpcError, toRpcError } from "./rpcError.ts";
import type { SubscriptionProto } from "./settings.ts";
import { openStore } from "./store.ts";
import { subscriberService } from "./subscriberService.ts";
import { keepTokens, type MintIdToken } from "./tokens.ts";

export interface PubSubOptions {
  /** Folder of the data; made where it is missing. One process at a time. */
  dataDir: string;
  /** Default 0, a free one. */
  port?: number;
  /** The ID token of pushes to subscriptions with an `oidcToken`. */
  mintIdToken: MintIdToken;
  fetch?: Fetch;
  clock?: Clock;
  /** Hears of pushes that could not be sent; default standard error. */
  report?: (sentence: string, cause: unknown) => void;
}

export interface PubSub {
  /** `host:port`, for PUBSUB_EMULATOR_HOST. */
  address: string;
  /** Ends pushes under way, and pushes nothing more until it is started again; all else goes on. */
  stopPushing(): void;
  close(): Promise<void>;
}

const PULL_WAIT_MS = 20_000;
const MAX_REQUEST_BYTES = 20_000_000;
/** Pushes of one subscription under way at once. */
const MAX_OUTSTANDING_PUSHES = 100;

const loadServices = () => {
  const require = createRequire(import.meta.url);
  const json = require("@google-cloud/pubsub/build/protos/protos.json") as object;
  const definition = fromJSON(json, {
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const loaded = loadPackageDefinition(definition) as unknown as {
    google: { pubsub: { v1: Record<"Publisher" | "Subscriber", ServiceClientConstructor> } };
  };
  return loaded.google.pubsub.v1;
};

/** Plain functions as gRPC handlers, over data in `dataDir`. */
const unary = (
  dataDir: string,
  methods: Record<string, (request: never) => unknown>,
): UntypedServiceImplementation =>
  Object.fromEntries(
    Object.entries(methods).map(([name, method]): [string, UntypedHandleCall] => {
      const handler: handleUnaryCall<never, unknown> = (call, callback) => {
        try {
          callback(null, method(call.request));
        } catch (error) {
          callback(toRpcError(fullDisk(error, dataDir) ?? error));
        }
      };
      return [name, handler as UntypedHandleCall];
    }),
  );

/** Pushes may take the whole ack deadline of ten minutes; Node's own fetch gives up after five. */
const patientFetch = (): { fetch: Fetch; close(): Promise<void> } => {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  return {
    async fetch(url, { method, headers, body, signal }) {
      const { origin, pathname, search } = new URL(url);
      const path = `${pathname}${search}`;
      const response = await agent.request({ origin, path, method, headers, body, signal });
      return { status: response.statusCode, body: response.body };
    },
    close: () => agent.destroy(),
  };
};

/** An error with its causes on one line. */
const describeError = (error: unknown): string =>
  error instanceof Error
    ? `${error.message}${error.cause === undefined ? "" : ` (${describeError(error.cause)})`}`
    : String(error);

/**
 * Starts Pub/Sub and delivers what an earlier run left.
 * @throws {Error} when the port is taken or another process uses the data folder
 */
export const startPubSub = async (options: PubSubOptions): Promise<PubSub> => {
  const { dataDir, port = 0, clock = systemClock } = options;
  const store = openStore(dataDir, clock.now());
  const broker = createBroker(store, clock);
  const http = patientFetch();
  const pushers = new Map<string, Pusher>();
  let isPushing = true;
  const streams = new Set<(error: RpcError) => void>();
  const closing = new AbortController();
  const report =
    options.report ??
    ((sentence: string, cause: unknown) =>
      process.stderr.write(`Pub/Sub: ${sentence} ${describeError(cause)}\n`));
  const mintIdToken = keepTokens(options.mintIdToken, () => clock.now());

  const stopPusher = (name: string): void => {
    pushers.get(name)?.close();
    pushers.delete(name);
  };
  const changed = ({ name, pushConfig }: SubscriptionProto): void => {
    const running = pushers.get(name);
    if (!pushConfig?.pushEndpoint || !isPushing) {
      stopPusher(name);
    } else if (running) {
      running.reconsider();
    } else {
      const pusher = startPusher(name, {
        broker,
        clock,
        fetch: options.fetch ?? http.fetch,
        mintIdToken,
        maxOutstanding: MAX_OUTSTANDING_PUSHES,
        report,
      });
      pushers.set(name, pusher);
    }
  };

  const services = loadServices();
  const server = new Server({
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    "grpc.max_send_message_length": MAX_REQUEST_BYTES,
  });
  server.addService(services.Publisher.service, unary(dataDir, publisherService(store, broker)));
  server.addService(services.Subscriber.service, {
    ...unary(dataDir, subscriberService(store, broker, { changed, removed: stopPusher })),
    pull: ((call, callback) => {
      const { subscription, maxMessages, returnImmediately } = call.request;
      const canceled = new AbortController();
      call.on("cancelled", () => canceled.abort());
      const signal = returnImmediately
        ? AbortSignal.abort()
        : AbortSignal.any([AbortSignal.timeout(PULL_WAIT_MS), canceled.signal, closing.signal]);
      const answer = async () => ({
        receivedMessages: await pull(broker, subscription, maxMessages, signal),
      });
      callbackify(answer)((error, response) =>
        // The types say that there is always an error; there is one or the other.
        callback((error as Error | null) && toRpcError(error), response),
      );
    }) satisfies handleUnaryCall<
      { subscription: string; maxMessages: number; returnImmediately: boolean },
      unknown
    >,
    streamingPull: (stream: PullStream) => {
      const end = serveStream(broker, stream);
      streams.add(end);
      stream.on("close", () => streams.delete(end));
    },
  });

  const stopPushing = (): void => {
    isPushing = false;
    for (const name of Array.from(pushers.keys())) stopPusher(name);
  };
  const shutDown = async (): Promise<void> => {
    closing.abort();
    for (const end of streams) end(new RpcError("UNAVAILABLE", "Pub/Sub is closing."));
    stopPushing();
    broker.close();
    server.forceShutdown();
    await http.close();
    store.close();
  };

  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${LOOPBACK}:${port}`, ServerCredentials.createInsecure(), (error, actual) => {
      if (error) reject(error);
      else resolve(actual);
    });
  }).catch(async (error: unknown) => {
    await shutDown();
    throw error;
  });
  for (const proto of store.subscriptions("projects/", "", Number.MAX_SAFE_INTEGER)) changed(proto);

  let closed: Promise<void> | undefined;
  return {
    address: `${LOOPBACK}:${bound}`,
    stopPushing,
    close: () => (closed ??= shutDown()),
  };
};
