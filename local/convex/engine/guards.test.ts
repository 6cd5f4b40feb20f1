// What queries and mutations are kept from, and nobody else.
import { afterEach, describe, expect, it, vi } from "vitest";
import { openEngine } from "./testing/openEngine.ts";

const engine = openEngine({});
const USES: [string, string, () => unknown][] = [
  ["setTimeout", "setTimeout", () => setTimeout(() => undefined, 0)],
  ["setInterval", "setInterval", () => clearInterval(setInterval(() => undefined, 0))],
  ["setImmediate", "setImmediate", () => setImmediate(() => undefined)],
  ["fetch", "fetch()", () => fetch("http://127.0.0.1:1")],
  ["WebSocket", "WebSocket", () => new WebSocket("ws://127.0.0.1:1")],
];

afterEach(() => vi.useRealTimers());

describe("queries and mutations", () => {
  it.each(USES)("are kept from %s", async (_, name, use) => {
    const message = `Can't use ${name} in queries and mutations. Please consider using an action.`;
    const awaited = async () => {
      await Promise.resolve();
      return await use();
    };
    await expect(engine.query(awaited)).rejects.toThrow(message);
    await expect(engine.mutation(awaited)).rejects.toThrow(message);
  });
});

describe("everybody else", () => {
  it("has them: actions, and what runs beside a mutation", async () => {
    await expect(
      engine.action(() => new Promise<null>((resolve) => setTimeout(() => resolve(null), 0))),
    ).resolves.toBeNull();
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const mutation = engine.mutation(() => held);
    await new Promise((resolve) => setTimeout(resolve, 0));
    release();
    await mutation;
  });

  it("has a test's clock while that is in place, and the real one after", async () => {
    const real = setTimeout;
    vi.useFakeTimers();
    const fake = setTimeout;
    expect(fake).not.toBe(real);
    await expect(engine.mutation(() => void setTimeout(() => undefined, 0))).rejects.toThrow(
      "Can't use setTimeout",
    );
    const rang = new Promise<void>((resolve) => setTimeout(resolve, 1e6));
    vi.advanceTimersByTime(1e6);
    await rang;
    vi.useRealTimers();
    expect(setTimeout).toBe(real);
  });
});
