// What LOCAL_HOSTS says: which names are answered by stand-ins on this machine. Every other name
// takes the production path, with all its checks.
import { z } from "zod";
import type { Net } from "#shared/source/fetch.ts";
import { publicNet } from "#shared/source/publicNet.ts";
import { standInNet } from "./twitch/standInNet.ts";

const Hosts = z.record(z.string(), z.string().regex(/^(127\.0\.0\.1:\d+|resolves [\da-f.:,]+)$/));
/** Host name to `127.0.0.1:port`, plain HTTP there, or `resolves …`, as `standInNet` has it. */
export type LocalHosts = z.infer<typeof Hosts>;

/** @param json the map as JSON; none where absent */
export const localNet = (json: string | undefined): Net =>
  standInNet(json ? Hosts.parse(JSON.parse(json)) : {}, publicNet);
