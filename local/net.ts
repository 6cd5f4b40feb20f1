// The way out of the machine, with some names led to stand-ins on loopback. A name of the map counts
// as public for the guarded fetch; every other name takes the production path with all its checks.
import { connect } from "node:net";
import { once } from "node:events";
import { z } from "zod";
import type { Net } from "#shared/source/fetch.ts";
import { publicNet } from "#shared/source/publicNet.ts";

/** Any public address does: the dialer below never uses it. */
const STAND_IN_ADDRESS = "1.1.1.1";

const Hosts = z.record(z.string(), z.string().regex(/^127\.0\.0\.1:\d+$/));
/** Host name to `127.0.0.1:port`; plain HTTP there, whatever the address's scheme. */
export type LocalHosts = z.infer<typeof Hosts>;

/** @param json the map as JSON; none where absent */
export const localNet = (json: string | undefined): Net => {
  const hosts = new Map(Object.entries(json ? Hosts.parse(JSON.parse(json)) : {}));
  return {
    resolve: async (hostname) =>
      hosts.has(hostname) ? [STAND_IN_ADDRESS] : publicNet.resolve(hostname),
    connect: async (target) => {
      const standIn = hosts.get(target.hostname);
      if (standIn === undefined) return publicNet.connect(target);
      const [host = "", port = ""] = standIn.split(":");
      const socket = connect({ host, port: Number(port) });
      await once(socket, "connect", { signal: target.signal });
      return socket;
    },
  };
};
