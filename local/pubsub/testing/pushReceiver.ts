// A push endpoint for tests: keeps what it is sent and answers as told.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Push {
  message: {
    data?: string;
    attributes?: Record<string, string>;
    messageId: string;
    message_id: string;
    publishTime: string;
    publish_time: string;
    orderingKey?: string;
  };
  subscription: string;
  deliveryAttempt?: number;
  /** Of the request, beside its body. */
  headers: IncomingHttpHeaders;
  receivedMs: number;
}

/** What the answer to the `nth` push (from 0) is: a status, or `hang` for none. */
export type Answer = (push: Push, nth: number) => number | "hang" | Promise<number>;

/** Starts an endpoint that answers 204 unless told otherwise. */
export const startPushReceiver = async (answer: Answer = () => 204) => {
  const pushes: Push[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Push;
      const push = { ...body, headers: request.headers, receivedMs: Date.now() };
      pushes.push(push);
      for (const wake of waiting) wake();
      const decided = answer(push, pushes.length - 1);
      if (decided === "hang") return;
      void Promise.resolve(decided).then((status) => response.writeHead(status).end());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/push`,
    pushes,
    /** Resolves once `count` pushes have come. */
    async received(count: number): Promise<Push[]> {
      while (pushes.length < count) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
      return pushes.slice(0, count);
    },
    async close(): Promise<void> {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
