// The official client against a server that speaks its protocol badly.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { anyApi } from "convex/server";
import { expect, it } from "vitest";
import { createConvexCalls } from "./convexCalls.ts";

const withServer = async (
  answers: { status: number; body: unknown }[],
  use: (calls: ReturnType<typeof createConvexCalls>, tokens: string[]) => Promise<void>,
) => {
  const tokens: string[] = [];
  const server = createServer((req, res) => {
    tokens.push(req.headers.authorization ?? "");
    req.resume();
    const { status, body } = answers.shift() ?? { status: 500, body: "" };
    res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let issued = 0;
  try {
    const url = `http://127.0.0.1:${port}`;
    await use(createConvexCalls({ url, token: async () => `t${(issued += 1)}` }), tokens);
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

const away = { status: 503, body: "away" };
const good = { status: 200, body: { status: "success", value: 7, logLines: [] } };

it("asks a database that is away again, with a token that is good then", async () => {
  await withServer([away, away, good], async ({ mutation }, tokens) => {
    expect(await mutation(anyApi["ledger"]!["sweep"] as never, {} as never)).toBe(7);
    expect(tokens).toEqual(["Bearer t1", "Bearer t2", "Bearer t3"]);
  });
});

it("gives up after a few tries, keeping the cause", async () => {
  await withServer([away, away, away, away], async ({ query }, tokens) => {
    await expect(query(anyApi["jobs"]!["get"] as never, {} as never)).rejects.toMatchObject({
      code: "ledger_unavailable",
      cause: expect.anything(),
    });
    expect(tokens).toHaveLength(4);
  });
});

it("does not repeat what a function refuses, and says it with the function's code", async () => {
  const refusal = {
    status: 560,
    body: {
      status: "error",
      errorMessage: "refused",
      errorData: { code: "conflict", message: "The pipeline runs this video." },
      logLines: [],
    },
  };
  await withServer([refusal, good], async ({ mutation }, tokens) => {
    await expect(
      mutation(anyApi["video"]!["updateStatus"] as never, {} as never),
    ).rejects.toMatchObject({ code: "conflict", message: "The pipeline runs this video." });
    expect(tokens).toHaveLength(1);
  });
});
