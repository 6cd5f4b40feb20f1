// A network for tests that breaks: forwards to a server and cuts connections where it is told.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface FlakyProxy {
  origin: string;
  /** Connections to be cut, each after so many further bytes in its direction; the rest go through. */
  cuts: { direction: "up" | "down"; afterBytes: number }[];
  /** Called at each cut, before the next connection is made. */
  onCut: () => void | Promise<void>;
  close(): Promise<void>;
}

/** A proxy in front of `target`, an `http://host:port`. */
export const startFlakyProxy = async (target: string): Promise<FlakyProxy> => {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const ends = { up: client, down: upstream };
    for (const [direction, source] of Object.entries(ends)) {
      const sink = direction === "up" ? upstream : client;
      let passed = 0;
      let counted: FlakyProxy["cuts"][number] | undefined;
      sockets.add(source);
      source.on("close", () => {
        sockets.delete(source);
        sink.destroy();
      });
      source.on("error", () => sink.destroy());
      source.on("data", (chunk: Buffer) => {
        const cut = proxy.cuts[0];
        // A connection that is used again counts from where it was told to break.
        if (cut !== counted) [counted, passed] = [cut, 0];
        passed += chunk.length;
        if (cut?.direction === direction && passed >= cut.afterBytes) {
          proxy.cuts.shift();
          sink.write(chunk.subarray(0, chunk.length - (passed - cut.afterBytes)));
          source.pause();
          void Promise.resolve(proxy.onCut()).then(() => {
            client.destroy();
            upstream.destroy();
          });
          return;
        }
        sink.write(chunk);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: FlakyProxy = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: [],
    onCut: () => undefined,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
};
