// Hands one request to an instance and its answer back, streaming both ways.
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream";

/** Belong to one connection, not to the message. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const endToEnd = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name) && !named.includes(name)),
  );
};

export interface ProxyRequest {
  port: number;
  path: string;
  headers: IncomingHttpHeaders;
  timeoutMs: number;
}

/** `unreachable`: nothing was sent to the instance, and nothing of the request was read. */
export type ProxyOutcome = "done" | "timeout" | "unreachable" | "instance_failed" | "client_gone";

/** Resolves when the exchange is over. Where no answer had begun, giving one is left to the caller. */
export const proxy = (
  request: IncomingMessage,
  response: ServerResponse,
  { port, path, headers, timeoutMs }: ProxyRequest,
): Promise<ProxyOutcome> =>
  new Promise((resolve) => {
    let outcome: ProxyOutcome | undefined;
    const finish = (how: ProxyOutcome): void => {
      if (outcome !== undefined) return;
      outcome = how;
      clearTimeout(timer);
      response.off("close", onClientGone);
      if (how !== "done") {
        upstream.destroy();
        // Half an answer must not look like a whole one.
        if (response.headersSent) response.destroy();
      }
      resolve(how);
    };
    const onClientGone = (): void => finish(response.writableFinished ? "done" : "client_gone");
    const timer = setTimeout(() => finish("timeout"), timeoutMs);
    const remote = request.socket.remoteAddress ?? "";
    const forwarded = request.headers["x-forwarded-for"];
    const upstream = httpRequest({
      host: "127.0.0.1",
      port,
      path,
      method: request.method,
      // A connection of its own: an idle one may just be closing on the other side.
      agent: false,
      headers: {
        ...endToEnd(headers),
        ...(request.headers["transfer-encoding"] === undefined
          ? {}
          : { "transfer-encoding": "chunked" }),
        "x-forwarded-for": forwarded === undefined ? remote : `${String(forwarded)}, ${remote}`,
        "x-forwarded-proto": "http",
      },
    });
    upstream.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
      response.flushHeaders();
      pipeline(answer, response, (error) => {
        if (!error) finish("done");
        else finish(request.socket.destroyed ? "client_gone" : "instance_failed");
      });
    });
    let isConnected = false;
    upstream.on("socket", (socket) => {
      socket.once("connect", () => {
        isConnected = true;
        // The function may answer before the caller has sent anything of a body.
        upstream.flushHeaders();
        pipeline(request, upstream, () => {}); // Its failure is upstream's or the client's, seen elsewhere.
      });
    });
    upstream.on("error", () => {
      // A caller that leaves breaks off the upstream request as well.
      if (request.socket.destroyed) finish("client_gone");
      else finish(isConnected ? "instance_failed" : "unreachable");
    });
    response.on("close", onClientGone);
    // It may have left while it waited for an instance.
    if (response.destroyed || request.socket.destroyed) finish("client_gone");
  });
