// The official HTTP client against the local Convex.
import { once } from "node:events";
import { connect } from "node:net";
import { makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";
import type { Value } from "convex/values";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  add,
  addAndFail,
  addInternal,
  addTwice,
  environment,
  failPlainly,
  get,
  startServing,
} from "./testing/serving.ts";
import type { Counter } from "./testing/serving.ts";

const serving = await startServing();

describe("ConvexHttpClient", () => {
  it("runs queries, mutations and actions", async () => {
    const client = serving.http();
    expect(await client.query(get, { name: "http" })).toBe(0);
    expect(await client.mutation(add, { name: "http", by: 2 })).toBe(2);
    expect(await client.action(addTwice, { name: "http" })).toBe(4);
    expect(await client.query(get, { name: "http" })).toBe(4);
    expect(await client.consistentQuery(get, { name: "http" })).toBe(4);
  });

  it("gives functions the environment they were started with", async () => {
    expect(await serving.http().query(environment, {})).toBe("hello");
  });

  it("answers 560 for what a function throws, ConvexError with its data", async () => {
    const refused = await serving
      .http()
      .mutation(addAndFail, { name: "rolled-back" })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConvexError);
    expect((refused as ConvexError<Value>).data).toEqual({ code: "refused", detail: 7n });
    expect(await serving.http().query(get, { name: "rolled-back" })).toBe(0);

    const plain = await serving
      .http()
      .query(failPlainly, {})
      .catch((error: unknown) => error);
    expect(plain).not.toBeInstanceOf(ConvexError);
    expect(String(plain)).toContain("plain trouble");

    const response = await fetch(`${serving.url}/api/query`, {
      method: "POST",
      body: JSON.stringify({ path: "counters:failPlainly", args: [{}], format: "json" }),
    });
    expect(response.status).toBe(560);
  });

  it("refuses wrong arguments, internal and unknown functions, and the wrong kind", async () => {
    const wrong = { name: 5 } as unknown as Counter;
    await expect(serving.http().query(get, wrong)).rejects.toThrow(/name|Validator|string/);
    await expect(serving.http().mutation(addInternal, { name: "x", by: 1 })).rejects.toThrow(
      "Could not find public function",
    );
    const unknown = makeFunctionReference<"query">("counters:nothing");
    await expect(serving.http().query(unknown, {})).rejects.toThrow(
      "Could not find public function",
    );
    const asQuery = makeFunctionReference<"query">("counters:add");
    await expect(serving.http().query(asQuery, { name: "x", by: 1 })).rejects.toThrow(
      "is a mutation",
    );
    const odd = makeFunctionReference<"query">("../schema:default");
    await expect(serving.http().query(odd, {})).rejects.toThrow("Could not find public function");
  });

  it("runs internal functions with the admin key only", async () => {
    const call = (key: string) =>
      fetch(`${serving.url}/api/mutation`, {
        method: "POST",
        headers: { Authorization: `Convex ${key}` },
        body: JSON.stringify({ path: "counters:addInternal", args: [{ name: "adm", by: 3 }] }),
      });
    expect((await call("wrong")).status).toBe(401);
    expect(await (await call("admin-key")).json()).toMatchObject({ status: "success", value: 3 });
  });

  it("says what is wrong with a bad request", async () => {
    const post = async (body: string) => {
      const response = await fetch(`${serving.url}/api/query`, { method: "POST", body });
      return [response.status, await response.text()] as const;
    };
    expect((await post("{"))[0]).toBe(400);
    expect((await post(JSON.stringify({ path: 1 })))[1]).toContain("path");
    const nested = "[".repeat(100_000) + "]".repeat(100_000);
    expect((await post(`{"path":"counters:get","args":{"name":${nested}}}`))[0]).toBe(560);
  });

  it("loses no concurrent mutation", async () => {
    await Promise.all(
      Array.from({ length: 50 }, () => serving.http().mutation(add, { name: "many", by: 1 })),
    );
    expect(await serving.http().query(get, { name: "many" })).toBe(50);
  });
});

describe("a request's body", () => {
  it("that is too large is refused, and the connection good for the next", async () => {
    const send = async (text: string): Promise<number> => {
      const response = await fetch(`${serving.url}/api/query`, { method: "POST", body: text });
      await response.text();
      return response.status;
    };
    const tooLarge = " ".repeat(18 * 1024 ** 2);
    for (let i = 0; i < 4; i++) {
      expect(await send(tooLarge)).toBe(413);
      expect(await send("{}")).toBe(400);
    }
  });

  it("that is cut off is nobody's failure", async () => {
    const reported = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => reported.mockRestore());
    const { port, hostname } = new URL(serving.url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    socket.write("POST /api/query HTTP/1.1\r\nhost: here\r\ncontent-length: 9\r\n\r\n{");
    // Answered in the order they come: by then the server has read the first.
    await serving.http().query(environment, {});
    socket.destroy();
    await once(socket, "close");
    await serving.http().query(environment, {});
    expect(reported).not.toHaveBeenCalled();
  });
});
