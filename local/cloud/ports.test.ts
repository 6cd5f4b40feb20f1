// Which ports the services get, in folders made for it.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { choosePorts, keepPorts } from "./ports.ts";

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "ports-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
};
const listening = async (port = 0): Promise<Server> => {
  const server = createServer().listen(port, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return server;
};
const originOf = (port: number): string => `http://127.0.0.1:${port}`;

it("new ones differ, and are none that the system gives away", async () => {
  const folder = await newFolder();
  const [first, second] = [await choosePorts(folder), await choosePorts(folder)];
  const all = [...Object.values(first), ...Object.values(second)];
  expect(new Set(all).size).toBe(6);
  for (const port of all) expect(port).toBeLessThan(32_768);
});

it("are those of the last time, but for one that somebody else has now", async () => {
  const folder = await newFolder();
  const given = await listening();
  const front = (given.address() as AddressInfo).port;
  given.close();
  const { storage, convex } = await choosePorts(folder);
  const origins = { front: originOf(front), storage: originOf(storage) };
  await keepPorts(folder, { ...origins, convex: originOf(convex) });
  expect(await choosePorts(folder)).toEqual({ front, storage, convex });
  await listening(storage);
  const chosen = await choosePorts(folder);
  expect(chosen).toMatchObject({ front, convex });
  expect(chosen.storage).not.toBe(storage);
});
