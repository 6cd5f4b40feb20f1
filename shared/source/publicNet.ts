// How names become sockets in production: the system's resolver, plain TCP, and TLS with the
// certificate checked against the name that was asked for.
import { lookup } from "node:dns/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { isIpLiteral } from "./address.ts";
import type { Net } from "./fetch.ts";

export const publicNet: Net = {
  resolve: async (hostname) =>
    (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address),

  connect: ({ hostname, address, port, protocol, signal }) =>
    new Promise<Socket>((resolve, reject) => {
      const secure = protocol === "https:";
      const socket = secure
        ? connectTls({
            host: address,
            port,
            ALPNProtocols: ["http/1.1"],
            // An address is no server name (RFC 6066); its certificate is checked all the same.
            ...(isIpLiteral(hostname) ? {} : { servername: hostname }),
          })
        : connectTcp({ host: address, port });
      const settle = () => {
        signal.removeEventListener("abort", abort);
        socket.removeListener("error", fail);
      };
      const fail = (error: Error) => {
        settle();
        socket.destroy();
        reject(error);
      };
      const abort = () => fail(signal.reason as Error);
      socket.once("error", fail);
      signal.addEventListener("abort", abort, { once: true });
      socket.once(secure ? "secureConnect" : "connect", () => {
        settle();
        socket.setNoDelay(true);
        resolve(socket);
      });
    }),
};
