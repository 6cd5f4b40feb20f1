// The few lines that every server of the local cloud needs: to start, to read a path, to stop.
import type { IncomingMessage, Server } from "node:http";
import { isIP } from "node:net";
import type { AddressInfo } from "node:net";

/** Resolves once the server listens. @throws the error of `listen`, as EADDRINUSE */
export const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });

/** `http://host:port` of a server that listens. */
export const originOf = (server: Server, host: string): string => {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
};

/** The request's path as it was sent. Not by `URL`, which throws for `//`: anyone can send that. */
export const pathOf = (request: IncomingMessage): string => (request.url ?? "/").split("?", 1)[0]!;

/** Closes the server and cuts what is still connected. */
export const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/**
 * Another site's page could reach a name that leads here; an address or localhost is ours.
 * @param host  header of a request
 * @param own  that the server was told to listen at
 */
export const isOwnHost = (host: string, own: string): boolean => {
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
  const bare = name.replace(/^\[|\]$/g, "");
  return isIP(bare) !== 0 || bare === "localhost" || bare.endsWith(".localhost") || bare === own;
};
