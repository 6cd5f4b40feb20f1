import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publicNet } from "./publicNet.ts";

const server = createServer((socket) => socket.on("error", () => undefined));
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.close();
});

const connect = (protocol: "http:" | "https:", signal: AbortSignal) => {
  const { port } = server.address() as AddressInfo;
  return publicNet.connect({ hostname: "a.example", address: "127.0.0.1", port, protocol, signal });
};

describe("the production dialer", () => {
  it("connects to the address it is given, not to the name", async () => {
    const socket = await connect("http:", AbortSignal.timeout(10_000));
    expect(socket.remoteAddress).toBe("127.0.0.1");
    socket.destroy();
  });

  it("gives up a handshake that nobody answers", async () => {
    await expect(connect("https:", AbortSignal.timeout(50))).rejects.toThrow("timeout");
  });

  it("resolves to every address of a name", async () => {
    expect(await publicNet.resolve("localhost")).toContain("127.0.0.1");
  });
});
