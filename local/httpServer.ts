// The few lines that every HTTP server of the local cloud needs: to start, to read a request, to answer it, to
// stop. All listen on the loopback address alone, since most of them ask nobody who they are.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { AddressInfo } from "node:net";

export const LOOPBACK = "127.0.0.1";

/**
 * @param port  default a free one
 * @returns its origin, `http://127.0.0.1:port`, once it listens
 * @throws the error of `listen`, as EADDRINUSE
 */
export const listen = (server: Server, port = 0): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, () => {
      server.off("error", reject);
      resolve(`http://${LOOPBACK}:${(server.address() as AddressInfo).port}`);
    });
  });

/** The request's path as it was sent. Not by `URL`, which throws for `//`: anyone can send that. */
export const pathOf = (request: IncomingMessage): string => (request.url ?? "/").split("?", 1)[0]!;

/** The body of a request that should be small; undefined where it has more than `maxBytes`. */
export const readBody = async (
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    // The rest is read and dropped: left half-way, the connection is cut, and the client does not hear why.
    sizeBytes += chunk.length;
    if (sizeBytes <= maxBytes) chunks.push(chunk);
  }
  return sizeBytes <= maxBytes ? Buffer.concat(chunks) : undefined;
};

export const answerJson = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
};

/** Closes the server and cuts what is still connected. */
export const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/**
 * Another site's page could reach a name that leads here; an address or localhost is ours.
 * @param host  header of a request
 */
export const isOwnHost = (host: string): boolean => {
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
  const bare = name.replace(/^\[|\]$/g, "");
  return isIP(bare) !== 0 || bare === "localhost" || bare.endsWith(".localhost");
};
