// A resolver and a dialer for the guarded fetch that lead chosen names to servers on this machine.
// TLS is left out on the way there: the stand-ins speak plain HTTP under https names.
import { connect, type Socket } from "node:net";
import type { Net } from "#shared/source/fetch.ts";

/** A public address that is never dialed; it only has to pass the guard. */
const STAND_IN_ADDRESS = "93.184.215.14";

/** `resolves 10.0.0.1`: what the name server says of a name, for the guard to judge. */
const RESOLVES = "resolves ";

/**
 * @param hosts where names lead: `{"gql.twitch.tv": "127.0.0.1:4100"}`; read at every connection,
 *   so that names may be added later. `*.example.test` stands for every name below it, and
 *   `resolves 10.0.0.1,93.184.215.14` gives a name these addresses and nothing behind them.
 * @param others how every other name is reached; without it, it is unknown
 */
export const standInNet = (hosts: Record<string, string>, others?: Net): Net => {
  const target = (hostname: string): string | undefined => {
    if (Object.hasOwn(hosts, hostname)) return hosts[hostname];
    for (let at = hostname.indexOf("."); at >= 0; at = hostname.indexOf(".", at + 1)) {
      const pattern = `*${hostname.slice(at)}`;
      if (Object.hasOwn(hosts, pattern)) return hosts[pattern];
    }
    return undefined;
  };
  return {
    resolve: (hostname) => {
      const found = target(hostname);
      if (found?.startsWith(RESOLVES))
        return Promise.resolve(found.slice(RESOLVES.length).split(","));
      if (found !== undefined) return Promise.resolve([STAND_IN_ADDRESS]);
      if (others) return others.resolve(hostname);
      return Promise.reject(new Error(`No stand-in for ${hostname}.`));
    },
    connect: (to) => {
      const address = target(to.hostname);
      if (address?.startsWith(RESOLVES))
        return Promise.reject(new Error(`Nothing stands behind ${to.hostname}.`));
      if (address === undefined) {
        if (others) return others.connect(to);
        return Promise.reject(new Error(`No stand-in for ${to.hostname}.`));
      }
      const [host = "127.0.0.1", port] = address.split(":");
      return new Promise<Socket>((resolve, reject) => {
        const socket = connect({ host, port: Number(port), noDelay: true, signal: to.signal });
        socket.once("error", reject);
        socket.once("connect", () => {
          socket.off("error", reject);
          resolve(socket);
        });
      });
    },
  };
};
