// Pull and StreamingPull of one subscription: a client asks, and acknowledges by id.
import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { Broker, Leased } from "./broker.ts";
import { RpcError, toRpcError } from "./rpcError.ts";

const MAX_PULLED = 1000;
const DEFAULT_STREAM_MESSAGES = 1000;

export interface ReceivedMessage {
  ackId: string;
  message: {
    data: Uint8Array;
    attributes: Record<string, string>;
    messageId: string;
    publishTime: { seconds: number; nanos: number };
    orderingKey: string;
  };
  deliveryAttempt: number;
}

const received = ({ ackId, message, deliveryAttempt }: Leased): ReceivedMessage => ({
  ackId,
  message: {
    data: message.data,
    attributes: message.attributes,
    messageId: String(message.id),
    publishTime: {
      seconds: Math.floor(message.publishTimeMs / 1000),
      nanos: (message.publishTimeMs % 1000) * 1e6,
    },
    orderingKey: message.orderingKey,
  },
  deliveryAttempt: deliveryAttempt ?? 0,
});

/** Extends, or with 0 seconds refuses, a message. */
export const modifyDeadline = (
  broker: Broker,
  subscription: string,
  ackId: string,
  seconds: number,
): void => {
  if (seconds < 0 || seconds > 600) {
    throw new RpcError("INVALID_ARGUMENT", "The ack deadline must lie between 0 and 600 s.");
  }
  if (seconds === 0) broker.refuse(subscription, ackId);
  else broker.extend(subscription, ackId, seconds * 1000);
};

/**
 * Up to `maxMessages` that are due. Where there are none it waits for the first until `signal`
 * aborts, and then answers an empty list.
 */
export const pull = async (
  broker: Broker,
  subscription: string,
  maxMessages: number,
  signal: AbortSignal,
): Promise<ReceivedMessage[]> => {
  if (maxMessages < 1) throw new RpcError("INVALID_ARGUMENT", "maxMessages must be positive.");
  const take = () => broker.lease(subscription, Math.min(maxMessages, MAX_PULLED)).map(received);
  const first = take();
  if (first.length > 0 || signal.aborted) return first;
  const { promise, resolve, reject } = Promise.withResolvers<ReceivedMessage[]>();
  const stop = broker.listen(subscription, () => {
    try {
      const messages = take();
      if (messages.length > 0) resolve(messages);
    } catch (error) {
      reject(toRpcError(error));
    }
  });
  signal.addEventListener("abort", () => resolve([]), { once: true });
  return promise.finally(stop);
};

interface StreamRequest {
  subscription: string;
  ackIds: string[];
  modifyDeadlineSeconds: number[];
  modifyDeadlineAckIds: string[];
  streamAckDeadlineSeconds: number;
  maxOutstandingMessages: number;
  maxOutstandingBytes: number;
}
export type PullStream = ServerDuplexStream<
  StreamRequest,
  { receivedMessages: ReceivedMessage[]; subscriptionProperties?: unknown }
>;

/** @returns undefined where the request leaves it as it is */
const holdMsOf = ({ streamAckDeadlineSeconds: seconds }: StreamRequest): number | undefined => {
  if (seconds === 0) return undefined;
  if (seconds < 10 || seconds > 600)
    throw new RpcError(
      "INVALID_ARGUMENT",
      "A stream's ack deadline must lie between 10 and 600 s.",
    );
  return seconds * 1000;
};

/** Serves one StreamingPull until either side ends it. @returns a function that ends it from here */
export const serveStream = (broker: Broker, stream: PullStream): ((error: RpcError) => void) => {
  let subscription: string | undefined;
  let holdMs = 10_000;
  let maxMessages = DEFAULT_STREAM_MESSAGES;
  let maxBytes = Number.POSITIVE_INFINITY;
  let stopListening = () => {};
  let ended = false;
  /** Sizes of what this stream was given and is not settled, by ack id. */
  const unsettled = new Map<string, number>();
  let unsettledBytes = 0;

  const end = (error?: RpcError): void => {
    if (ended) return;
    ended = true;
    stopListening();
    // Destroyed, it would tell the client nothing.
    if (error) stream.emit("error", error);
    else stream.end();
  };

  const pump = (): void => {
    for (;;) {
      if (ended || subscription === undefined || unsettledBytes >= maxBytes) return;
      const batch = broker.lease(subscription, Math.min(100, maxMessages - unsettled.size), holdMs);
      if (batch.length === 0) return;
      for (const { ackId, message } of batch) {
        unsettled.set(ackId, message.data.length);
        unsettledBytes += message.data.length;
      }
      stream.write({ receivedMessages: batch.map(received) });
    }
  };

  const open = (request: StreamRequest): void => {
    ({ subscription } = request);
    if (request.maxOutstandingMessages > 0) maxMessages = request.maxOutstandingMessages;
    if (request.maxOutstandingBytes > 0) maxBytes = request.maxOutstandingBytes;
    const stops = [
      broker.listen(subscription, guardedPump),
      broker.onSettled(subscription, (ackId) => {
        const sizeBytes = unsettled.get(ackId);
        if (sizeBytes === undefined) return;
        unsettled.delete(ackId);
        unsettledBytes -= sizeBytes;
        setImmediate(guardedPump);
      }),
    ];
    stopListening = () => stops.forEach((stop) => stop());
  };

  const guardedPump = (): void => {
    try {
      pump();
    } catch (error) {
      end(toRpcError(error));
    }
  };

  stream.on("data", (request: StreamRequest) => {
    try {
      holdMs = holdMsOf(request) ?? holdMs;
      if (request.modifyDeadlineAckIds.length !== request.modifyDeadlineSeconds.length)
        throw new RpcError("INVALID_ARGUMENT", "Each ack id needs a deadline of its own.");
      if (subscription === undefined) open(request);
      const name = subscription ?? request.subscription;
      for (const ackId of request.ackIds) broker.acknowledge(name, ackId);
      for (const [index, ackId] of request.modifyDeadlineAckIds.entries()) {
        modifyDeadline(broker, name, ackId, request.modifyDeadlineSeconds[index] ?? 0);
      }
      pump();
    } catch (error) {
      end(toRpcError(error));
    }
  });
  stream.on("end", () => end());
  stream.on("cancelled", () => end());
  stream.on("error", () => end());
  return end;
};
