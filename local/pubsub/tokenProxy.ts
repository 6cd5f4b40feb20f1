// Google's Pub/Sub emulator sends no ID token. This stands between it and the front, and adds the
// one that Pub/Sub would send: point push endpoints at the proxy's origin, with the front's path.
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream/promises";
import { listen, stop } from "../httpServer.ts";
import { keepTokens, type MintIdToken } from "./tokens.ts";

export interface TokenProxyOptions {
  /** Origin of the front. */
  target: string;
  mintIdToken: MintIdToken;
  /** Account that the subscriptions would name. */
  serviceAccountEmail: string;
  /** Default 0, a free one. */
  port?: number;
}

export interface TokenProxy {
  origin: string;
  close(): Promise<void>;
}

/** Headers that belong to one connection, or that are ours to set. */
const DROPPED = new Set(["authorization", "connection", "host", "keep-alive", "transfer-encoding"]);

export const startTokenProxy = async (options: TokenProxyOptions): Promise<TokenProxy> => {
  const { target, serviceAccountEmail, port } = options;
  const { origin } = new URL(target);
  const mintIdToken = keepTokens(options.mintIdToken, Date.now);

  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", origin);
    // As Pub/Sub does where a subscription names no audience, it takes the endpoint for it.
    const audience = `${origin}${url.pathname}`;
    const token = await mintIdToken({ serviceAccountEmail, audience });
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !DROPPED.has(name)),
    );
    const upstream = httpRequest(new URL(`${url.pathname}${url.search}`, origin), {
      method: request.method ?? "POST",
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    // The emulator gives up at its deadline; then the front must hear of it too.
    response.on("close", () => upstream.destroy());
    const answered = once(upstream, "response") as Promise<[IncomingMessage]>;
    await Promise.all([pipeline(request, upstream), answered]);
    const [answer] = await answered;
    response.writeHead(answer.statusCode ?? 502, {
      "content-type": answer.headers["content-type"] ?? "application/octet-stream",
    });
    await pipeline(answer, response);
  };

  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    forward(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(error instanceof Error ? error.message : "");
    });
  });
  return { origin: await listen(server, port), close: () => stop(server) };
};
