// A network that breaks at random, by a seed: what passes comes late and in pieces, and connections end
// in the middle of a frame. What a client has sent may still reach the server after the client has
// given the connection up.
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface FlakyLink {
  url: string;
  /** Connections that were cut so far, and how many of them inside of what was being passed on. */
  cuts: { all: number; inside: number };
  /** Resolves when so many were cut. */
  reached(cuts: number): Promise<void>;
  /** From now on all comes through, at once. It does so by itself after the last cut. */
  heal(): void;
  close(): Promise<void>;
}

export interface FlakyLinkOptions {
  /** `http://host:port`, which may be away for a time. */
  target: string;
  seed: number;
  /** Longest life of a connection. */
  maxLifeMs: number;
  /** By so much a piece is late at most. */
  maxDelayMs: number;
  maxCuts: number;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
const randomNumbers = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

export const startFlakyLink = async (options: FlakyLinkOptions): Promise<FlakyLink> => {
  const { hostname, port } = new URL(options.target);
  const random = randomNumbers(options.seed);
  const sockets = new Set<Socket>();
  const cuts = { all: 0, inside: 0 };
  const waiting = new Set<() => void>();
  let isHealed = false;

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const ends = [client, upstream] as const;
    let isCut = false;
    let isOver = false;
    const end = (): void => {
      isOver = true;
      for (const socket of ends) socket.destroy();
    };
    const cut = (): void => {
      if (isOver || isHealed) return;
      cuts.all += 1;
      if (cuts.all >= options.maxCuts) isHealed = true;
      for (const look of waiting) look();
      isOver = true;
      // Politely, or not.
      if (random() < 0.5) client.end();
      else client.resetAndDestroy();
      client.destroySoon();
      // What was under way to the server arrives a little later.
      setTimeout(() => upstream.destroy(), random() * options.maxDelayMs * 4);
    };
    const life = setTimeout(() => {
      isCut = true;
      // Where nothing passes that could be cut short.
      setTimeout(cut, 2 * options.maxDelayMs);
    }, random() * options.maxLifeMs);

    const pass = async (from: Socket, to: Socket): Promise<void> => {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        let rest = chunk;
        while (rest.length > 0) {
          const piece = isHealed ? rest : rest.subarray(0, 1 + Math.floor(random() * rest.length));
          rest = rest.subarray(piece.length);
          if (!isHealed) await delay(random() * options.maxDelayMs);
          if (isCut && !isOver && !isHealed && rest.length > 0) {
            to.write(piece);
            cuts.inside += 1;
            cut();
            return;
          }
          to.write(piece);
        }
      }
    };
    for (const [from, to] of [ends, ends.toReversed() as [Socket, Socket]]) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", end);
      from.on("close", () => {
        sockets.delete(from);
        if (!isOver) end();
        clearTimeout(life);
      });
      // Reading a socket that was destroyed ends with its error, which is told above.
      pass(from, to).catch(end);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts,
    reached: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (cuts.all < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    heal: () => {
      isHealed = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
};
