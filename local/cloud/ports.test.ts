import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { keepPorts, lastPorts } from "./ports.ts";

it("are those of the last time, but for one that somebody else has now", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ports-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  expect(await lastPorts(folder)).toEqual({});
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push((server.address() as AddressInfo).port);
  }
  const [front = 0, storage = 0] = ports;
  await keepPorts(folder, {
    front: `http://127.0.0.1:${front}`,
    storage: `http://127.0.0.1:${storage}`,
  });
  expect(await lastPorts(folder)).toEqual({});
  servers[0]?.close();
  expect(await lastPorts(folder)).toEqual({ front });
  servers[1]?.close();
  expect(await lastPorts(folder)).toEqual({ front, storage });
});
