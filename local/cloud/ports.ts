// The ports of the local services, kept in the data folder: what clients were told of addresses (an
// upload that was begun, a signed link, a live connection) holds again after a restart.
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { readKept, writeKept } from "../keptFile.ts";

const SERVICES = ["front", "storage", "convex"] as const;
export type PortedService = (typeof SERVICES)[number];

const Ports = z.partialRecord(z.enum(SERVICES), z.int().min(1).max(65_535));
export type Ports = z.infer<typeof Ports>;

const fileOf = (dataDir: string): string => join(dataDir, "ports.json");

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch {
    // Whoever has it and why makes no difference: another is taken.
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
};

/**
 * Below those that a system gives to whoever asks for any port (from 32,768 on Linux, from 49,152
 * elsewhere): nobody happens to get one of ours while we are down.
 */
const [LOWEST, HIGHEST] = [20_000, 32_000];
/** Clouds that are started at once look in different places. */
const PLACES_APART = 32;
let taken = 0;

const newPort = async (): Promise<number> => {
  const from = process.pid * PLACES_APART;
  for (;;) {
    const port = LOWEST + ((from + taken) % (HIGHEST - LOWEST));
    taken += 1;
    if (await isFree(port)) return port;
    if (taken > HIGHEST - LOWEST) return 0;
  }
};

/** Those of the last time; new ones where there was none, or somebody else has taken one meanwhile. */
export const choosePorts = async (dataDir: string): Promise<Record<PortedService, number>> => {
  const kept = (await readKept(fileOf(dataDir), Ports)) ?? {};
  const portOf = async (name: PortedService): Promise<number> => {
    const port = kept[name];
    return port !== undefined && (await isFree(port)) ? port : newPort();
  };
  return {
    front: await portOf("front"),
    storage: await portOf("storage"),
    convex: await portOf("convex"),
  };
};

/** @param origins  of the services that are up */
export const keepPorts = async (
  dataDir: string,
  origins: Partial<Record<PortedService, string>>,
): Promise<void> => {
  const ports = Object.entries(origins).map(([name, origin]) => [
    name,
    Number(new URL(origin).port),
  ]);
  await writeKept(fileOf(dataDir), Object.fromEntries(ports));
};
