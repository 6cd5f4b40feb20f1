// The official clients against the local Convex.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";
import type { Value } from "convex/values";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { CryptoKey } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { findModules, loadSchema } from "./modules.ts";
import { startConvex } from "./server.ts";
import type { LocalConvex } from "./server.ts";

type Counter = { name: string };
const get = makeFunctionReference<"query", Counter, number>("counters:get");
const add = makeFunctionReference<"mutation", Counter & { by: number }, number>("counters:add");
const addInternal = makeFunctionReference<"mutation", Counter & { by: number }, number>(
  "counters:addInternal",
);
const addLater = makeFunctionReference<"mutation", Counter & { delayMs: number }, null>(
  "counters:addLater",
);
const addTwice = makeFunctionReference<"action", Counter, number>("counters:addTwice");
const addAndFail = makeFunctionReference<"mutation", Counter, null>("counters:addAndFail");
const failPlainly = makeFunctionReference<"query", Record<string, never>, null>(
  "counters:failPlainly",
);
const whoAmI = makeFunctionReference<
  "query",
  Record<string, never>,
  Record<string, unknown> | null
>("counters:whoAmI");
const environment = makeFunctionReference<"query", Record<string, never>, string | null>(
  "counters:environment",
);
const addNote = makeFunctionReference<"mutation", { text: string }, null>("counters:addNote");
const notes = makeFunctionReference<
  "query",
  { paginationOpts: { numItems: number; cursor: string | null } },
  { page: { text: string }[]; continueCursor: string }
>("counters:notes");

const AUDIENCE = "tests";
const SIGNED_ISSUER = "https://signed.invalid";

let convex: LocalConvex;
let clockAheadMs = 0;
let oidcIssuer: string;
let oidcKey: CryptoKey;
let ecKey: CryptoKey;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  const rsa = await generateKeyPair("RS256");
  const ec = await generateKeyPair("ES256");
  oidcKey = rsa.privateKey;
  ecKey = ec.privateKey;
  const rsaJwk = { ...(await exportJWK(rsa.publicKey)), kid: "1", alg: "RS256" };
  const ecJwk = { ...(await exportJWK(ec.publicKey)), kid: "1", alg: "ES256" };
  const issuer = createServer((request, response) => {
    const isDiscovery = request.url === "/.well-known/openid-configuration";
    const body = isDiscovery ? { jwks_uri: `${oidcIssuer}/keys` } : { keys: [rsaJwk] };
    response.end(JSON.stringify(body));
  });
  issuer.listen(0, "127.0.0.1");
  await once(issuer, "listening");
  oidcIssuer = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const jwks = `data:text/plain;charset=utf-8;base64,${btoa(JSON.stringify({ keys: [ecJwk] }))}`;
  const modules = await findModules(fileURLToPath(new URL("testing", import.meta.url)));
  convex = await startConvex({
    modules: {
      ...modules,
      "./auth.config.ts": () =>
        Promise.resolve({
          default: {
            providers: [
              { domain: oidcIssuer, applicationID: AUDIENCE },
              {
                type: "customJwt",
                issuer: SIGNED_ISSUER,
                jwks,
                algorithm: "ES256",
                applicationID: AUDIENCE,
              },
            ],
          },
        }),
    },
    schema: await loadSchema(modules),
    env: { TEST_GREETING: "hello" },
    adminKey: "admin-key",
    clock: () => Date.now() + clockAheadMs,
    pingAfterMs: 50,
  });
  return async () => {
    await convex.close();
    issuer.close();
  };
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => delete process.env["TEST_GREETING"]);

const http = (token?: string): ConvexHttpClient => {
  const client = new ConvexHttpClient(convex.url, { logger: false });
  if (token !== undefined) client.setAuth(token);
  return client;
};

const live = (url = convex.url): ConvexClient => {
  const client = new ConvexClient(url, { logger: false, unsavedChangesWarning: false });
  closing.push(() => client.close());
  return client;
};

/** Values a query takes, and a way to wait until one of them fits. */
const follow = <T>(
  subscribe: (onValue: (value: T) => void, onError: (error: Error) => void) => unknown,
) => {
  const seen: T[] = [];
  const errors: Error[] = [];
  let check = (): void => {};
  subscribe(
    (value) => {
      seen.push(value);
      check();
    },
    (error) => {
      errors.push(error);
      check();
    },
  );
  const until = (fits: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      check = () => fits() && resolve();
      check();
    });
  return { seen, errors, until, untilLast: (value: T) => until(() => seen.at(-1) === value) };
};

const tokenOf = (claims: {
  issuer?: string;
  audience?: string;
  subject?: string;
  expiresInSec?: number;
}): Promise<string> =>
  new SignJWT({ email: "kim@example.org", email_verified: true, name: "Kim" })
    .setProtectedHeader({ alg: "RS256", kid: "1" })
    .setIssuer(claims.issuer ?? oidcIssuer)
    .setAudience(claims.audience ?? AUDIENCE)
    .setSubject(claims.subject ?? "kim")
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + (claims.expiresInSec ?? 600))
    .sign(oidcKey);

describe("ConvexHttpClient", () => {
  it("runs queries, mutations and actions", async () => {
    const client = http();
    expect(await client.query(get, { name: "http" })).toBe(0);
    expect(await client.mutation(add, { name: "http", by: 2 })).toBe(2);
    expect(await client.action(addTwice, { name: "http" })).toBe(4);
    expect(await client.query(get, { name: "http" })).toBe(4);
    expect(await client.consistentQuery(get, { name: "http" })).toBe(4);
  });

  it("gives functions the environment they were started with", async () => {
    expect(await http().query(environment, {})).toBe("hello");
  });

  it("answers 560 for what a function throws, ConvexError with its data", async () => {
    const refused = await http()
      .mutation(addAndFail, { name: "rolled-back" })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConvexError);
    expect((refused as ConvexError<Value>).data).toEqual({ code: "refused", detail: 7n });
    expect(await http().query(get, { name: "rolled-back" })).toBe(0);

    const plain = await http()
      .query(failPlainly, {})
      .catch((error: unknown) => error);
    expect(plain).not.toBeInstanceOf(ConvexError);
    expect(String(plain)).toContain("plain trouble");

    const response = await fetch(`${convex.url}/api/query`, {
      method: "POST",
      body: JSON.stringify({ path: "counters:failPlainly", args: [{}], format: "json" }),
    });
    expect(response.status).toBe(560);
  });

  it("refuses wrong arguments, internal and unknown functions, and the wrong kind", async () => {
    const wrong = { name: 5 } as unknown as Counter;
    await expect(http().query(get, wrong)).rejects.toThrow(/name|Validator|string/);
    await expect(http().mutation(addInternal, { name: "x", by: 1 })).rejects.toThrow(
      "Could not find public function",
    );
    const unknown = makeFunctionReference<"query">("counters:nothing");
    await expect(http().query(unknown, {})).rejects.toThrow("Could not find public function");
    const asQuery = makeFunctionReference<"query">("counters:add");
    await expect(http().query(asQuery, { name: "x", by: 1 })).rejects.toThrow("is a mutation");
    const odd = makeFunctionReference<"query">("../schema:default");
    await expect(http().query(odd, {})).rejects.toThrow("Could not find public function");
  });

  it("runs internal functions with the admin key only", async () => {
    const call = (key: string) =>
      fetch(`${convex.url}/api/mutation`, {
        method: "POST",
        headers: { Authorization: `Convex ${key}` },
        body: JSON.stringify({ path: "counters:addInternal", args: [{ name: "adm", by: 3 }] }),
      });
    expect((await call("wrong")).status).toBe(401);
    expect(await (await call("admin-key")).json()).toMatchObject({ status: "success", value: 3 });
  });

  it("says what is wrong with a bad request", async () => {
    const post = async (body: string) => {
      const response = await fetch(`${convex.url}/api/query`, { method: "POST", body });
      return [response.status, await response.text()] as const;
    };
    expect((await post("{"))[0]).toBe(400);
    expect((await post(JSON.stringify({ path: 1 })))[1]).toContain("path");
    const nested = "[".repeat(100_000) + "]".repeat(100_000);
    expect((await post(`{"path":"counters:get","args":{"name":${nested}}}`))[0]).toBe(560);
  });

  it("loses no concurrent mutation", async () => {
    await Promise.all(
      Array.from({ length: 50 }, () => http().mutation(add, { name: "many", by: 1 })),
    );
    expect(await http().query(get, { name: "many" })).toBe(50);
  });
});

describe("identity", () => {
  it("is nobody without a token", async () => {
    expect(await http().query(whoAmI, {})).toBeNull();
  });

  it("comes from an OIDC provider", async () => {
    expect(await http(await tokenOf({})).query(whoAmI, {})).toEqual({
      subject: "kim",
      issuer: oidcIssuer,
      tokenIdentifier: `${oidcIssuer}|kim`,
      email: "kim@example.org",
      emailVerified: true,
      name: "Kim",
    });
  });

  it("comes from a JWT with keys in a data: address", async () => {
    const token = await new SignJWT()
      .setProtectedHeader({ alg: "ES256", kid: "1" })
      .setIssuer(SIGNED_ISSUER)
      .setAudience(AUDIENCE)
      .setSubject("pipeline")
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(ecKey);
    expect(await http(token).query(whoAmI, {})).toMatchObject({
      tokenIdentifier: `${SIGNED_ISSUER}|pipeline`,
    });
  });

  it.each([
    ["expired", { expiresInSec: -60 }, "Token expired"],
    ["for another audience", { audience: "others" }, "audience"],
    ["of an unknown issuer", { issuer: "https://elsewhere.invalid" }, "issuer"],
    ["signed by another key", { issuer: SIGNED_ISSUER }, "Could not verify"],
  ])("is refused with a token %s", async (_, claims, sentence) => {
    await expect(http(await tokenOf(claims)).query(whoAmI, {})).rejects.toThrow(sentence);
  });

  it("is refused with what is no token", async () => {
    await expect(http("rubbish").query(whoAmI, {})).rejects.toThrow("not a JWT");
  });
});

describe("ConvexClient", () => {
  it("sees every change of a query, and nothing twice", async () => {
    const client = live();
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "live" }, onValue));
    await counter.untilLast(0);
    await http().mutation(add, { name: "another", by: 1 });
    await http().mutation(add, { name: "live", by: 1 });
    await counter.untilLast(1);
    await http().mutation(add, { name: "live", by: 1 });
    await counter.untilLast(2);
    expect(counter.seen).toEqual([0, 1, 2]);
  });

  it("resolves a mutation after the update that shows it", async () => {
    const client = live();
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "own" }, onValue));
    await counter.untilLast(0);
    for (let value = 1; value <= 20; value++) {
      expect(await client.mutation(add, { name: "own", by: 1 })).toBe(value);
      expect(counter.seen.at(-1)).toBe(value);
    }
    // One that changes nothing we follow resolves as well.
    await client.mutation(add, { name: "not followed", by: 1 });
  });

  it("sends the response of a mutation before the transition that shows it", async () => {
    const types: string[] = [];
    class Recording extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        this.addEventListener("message", ({ data }) => {
          const message = JSON.parse(String(data)) as { type: string };
          if (message.type !== "Ping") types.push(message.type);
        });
      }
    }
    const client = new ConvexClient(convex.url, {
      logger: false,
      unsavedChangesWarning: false,
      webSocketConstructor: Recording,
    });
    closing.push(() => client.close());
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "order" }, onValue));
    await counter.untilLast(0);
    types.length = 0;
    await Promise.all([1, 1, 1].map((by) => client.mutation(add, { name: "order", by })));
    const once = ["MutationResponse", "Transition"];
    expect(types).toEqual([...once, ...once, ...once]);
  });

  it("shows what scheduled functions and actions do", async () => {
    const client = live();
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "later" }, onValue));
    await counter.untilLast(0);
    await client.mutation(addLater, { name: "later", delayMs: 10 });
    await counter.untilLast(1);
    expect(await client.action(addTwice, { name: "later" })).toBe(3);
    await counter.untilLast(3);
  });

  it("rejects with what functions throw, with its data", async () => {
    const client = live();
    const refused = await client
      .mutation(addAndFail, { name: "x" })
      .catch((error: unknown) => error);
    expect((refused as ConvexError<Value>).data).toEqual({ code: "refused", detail: 7n });
    const failing = follow<null>((onValue, onError) =>
      client.onUpdate(failPlainly, {}, onValue, onError),
    );
    await failing.until(() => failing.errors.length > 0);
    expect(failing.errors[0]?.message).toContain("plain trouble");
    await expect(client.mutation(addInternal, { name: "x", by: 1 })).rejects.toThrow(
      "Could not find public function",
    );
  });

  it("changes identity on a live socket", async () => {
    const client = live();
    const identity = follow<Record<string, unknown> | null>((onValue) =>
      client.onUpdate(whoAmI, {}, onValue),
    );
    await identity.until(() => identity.seen.at(-1) === null);
    const token = await tokenOf({});
    client.setAuth(() => Promise.resolve(token));
    await identity.until(() => identity.seen.at(-1)?.["subject"] === "kim");
    const other = await tokenOf({ subject: "lee" });
    // The client asks once more after the server took the token; only then it is at rest.
    await new Promise<void>((resolve) => {
      client.setAuth(({ forceRefreshToken }) => {
        if (forceRefreshToken) setImmediate(resolve);
        return Promise.resolve(other);
      });
    });
    await identity.until(() => identity.seen.at(-1)?.["subject"] === "lee");
    client.client.clearAuth();
    await identity.until(() => identity.seen.at(-1) === null);
    expect(identity.seen.map((one) => one?.["subject"])).toEqual([
      undefined,
      "kim",
      "lee",
      undefined,
    ]);
  });

  it("tells a client whose token is not good, and serves it as nobody", async () => {
    const client = live();
    const expired = await tokenOf({ expiresInSec: -60 });
    const reports = follow<boolean>((onValue) =>
      client.setAuth(() => Promise.resolve(expired), onValue),
    );
    await reports.until(() => reports.seen.at(-1) === false);
    const identity = follow<unknown>((onValue) => client.onUpdate(whoAmI, {}, onValue));
    await identity.untilLast(null);
    expect(reports.seen).toEqual([false]);
  });

  it("comes back after its socket was cut, and runs each mutation once", async () => {
    const sockets: Socket[] = [];
    const target = new URL(convex.url);
    let isCuttingAnswers = false;
    const proxy = createTcpServer((socket) => {
      const upstream = connect(Number(target.port), target.hostname);
      sockets.push(socket);
      socket.pipe(upstream);
      upstream.on("data", (data) => {
        // The mutation was received and committed; its answer is lost on the way.
        if (isCuttingAnswers && data.includes("MutationResponse")) {
          isCuttingAnswers = false;
          socket.destroy();
        } else socket.write(data);
      });
      for (const one of [socket, upstream]) {
        one.on("error", () => {});
        one.on("close", () => [socket, upstream].forEach((end) => end.destroy()));
      }
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    closing.push(() => proxy.close());
    const client = live(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const counter = follow<number>((onValue) => client.onUpdate(get, { name: "cut" }, onValue));
    await counter.untilLast(0);
    isCuttingAnswers = true;
    expect(await client.mutation(add, { name: "cut", by: 1 })).toBe(1);
    expect(sockets.length).toBe(2);
    await http().mutation(add, { name: "cut", by: 1 });
    await counter.untilLast(2);
    expect(counter.seen).toEqual([0, 1, 2]);
  });

  it("keeps the end of a page while rows are added", async () => {
    for (const text of ["a", "b", "c", "d"]) await http().mutation(addNote, { text });
    const client = live();
    const first = { numItems: 2, cursor: null };
    const page = follow<{ page: { text: string }[] }>((onValue) =>
      client.onUpdate(notes, { paginationOpts: first }, onValue),
    );
    const texts = () => page.seen.at(-1)?.page.map((note) => note.text) ?? [];
    await page.until(() => texts().join("") === "dc");
    await http().mutation(addNote, { text: "e" });
    await page.until(() => texts().length === 3);
    expect(texts()).toEqual(["e", "d", "c"]);
  });

  it("sends a slow client the newest state, not every state", async () => {
    const big = "x".repeat(300_000);
    const socket = new WsWebSocket(`${convex.url.replace("http", "ws")}/api/1.48.0/sync`);
    closing.push(() => socket.terminate());
    await once(socket, "open");
    const transitions: { modifications: { value: { page: { text: string }[] } }[] }[] = [];
    let last = "";
    let reached = (): void => {};
    socket.on("message", (data) => {
      const message = JSON.parse((data as Buffer).toString()) as { type: string };
      if (message.type !== "Transition") return;
      const transition = message as unknown as (typeof transitions)[number];
      transitions.push(transition);
      last = transition.modifications[0]?.value.page[0]?.text.slice(0, 4) ?? "";
      if (last === "last") reached();
    });
    const send = (message: object) => socket.send(JSON.stringify(message));
    send({ type: "Connect", sessionId: "slow", connectionCount: 0, lastCloseReason: null });
    const args = [{ paginationOpts: { numItems: 1, cursor: null } }];
    send({
      type: "ModifyQuerySet",
      baseVersion: 0,
      newVersion: 1,
      modifications: [{ type: "Add", queryId: 0, udfPath: "counters:newest", args }],
    });
    await once(socket, "message");
    socket.pause();
    // More than the socket's own buffers hold, so that it must be noticed.
    for (let i = 0; i < 60; i++) await http().mutation(addNote, { text: `${i} ${big}` });
    await http().mutation(addNote, { text: "last" });
    const done = new Promise<void>((resolve) => (reached = resolve));
    socket.resume();
    await done;
    expect(transitions.length).toBeLessThan(60);
  });

  it("tells a client when its token has expired meanwhile", async () => {
    const client = live();
    let fetches = 0;
    // The server's clock is behind, so that the token is good however long it takes to get there.
    clockAheadMs = -30_000;
    const tokens = [await tokenOf({ expiresInSec: 1 }), await tokenOf({ subject: "renewed" })];
    client.setAuth(() => {
      // The first is taken for good when it comes; asked for a new one, the client gets none yet.
      fetches++;
      return Promise.resolve(fetches < 3 ? tokens[0] : tokens[1]);
    });
    const identity = follow<Record<string, unknown> | null>((onValue) =>
      client.onUpdate(whoAmI, {}, onValue),
    );
    await identity.until(() => identity.seen.at(-1)?.["subject"] === "kim");
    clockAheadMs = 10_000;
    try {
      client.mutation(addNote, { text: "late" }).catch(() => {});
      await identity.until(() => identity.seen.at(-1)?.["subject"] === "renewed");
      expect(fetches).toBe(3);
    } finally {
      clockAheadMs = 0;
    }
  });

  it("pings an idle client", async () => {
    const socket = new WebSocket(`${convex.url.replace("http", "ws")}/api/1.48.0/sync`);
    const [event] = (await once(socket, "message")) as [MessageEvent];
    expect(JSON.parse(String(event.data))).toEqual({ type: "Ping" });
    socket.close();
  });

  it.each(["/", "//", "/api/1.48.0/other"])("has no socket at %s", async (path) => {
    const socket = new WsWebSocket(convex.url.replace("http", "ws") + path);
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toContain("404");
    expect((await fetch(`${convex.url}//`, { method: "POST" })).status).toBe(404);
  });

  /** A ping may come at any time. */
  const nextAnswer = async (socket: WebSocket): Promise<string> => {
    for (;;) {
      const [event] = (await once(socket, "message")) as [MessageEvent];
      const text = String(event.data);
      if (text !== '{"type":"Ping"}') return text;
    }
  };

  it("ends a connection that breaks the protocol, and goes on serving", async () => {
    const changes = `{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":`;
    const many = `${changes}[${"1,".repeat(200_000)}1]}`;
    for (const text of ["{", '{"type":"Nonsense"}', '{"type":"ModifyQuerySet"}', many]) {
      const socket = new WebSocket(`${convex.url.replace("http", "ws")}/api/1.48.0/sync`);
      await once(socket, "open");
      socket.send(text);
      const answer = await nextAnswer(socket);
      expect(JSON.parse(answer)).toMatchObject({ type: "FatalError" });
      expect(answer.length).toBeLessThan(1_000);
      await once(socket, "close");
    }
    expect(await http().query(get, { name: "nothing" })).toBe(0);
  });

  it("answers a call whose arguments are nested deeper than the stack, and goes on serving", async () => {
    const nested = "[".repeat(100_000) + "]".repeat(100_000);
    const socket = new WebSocket(`${convex.url.replace("http", "ws")}/api/1.48.0/sync`);
    await once(socket, "open");
    socket.send('{"type":"Connect","sessionId":"deep","connectionCount":0,"lastCloseReason":null}');
    const call = `"udfPath":"counters:add","args":[{"name":${nested},"by":1}]`;
    socket.send(`{"type":"Mutation","requestId":1,${call}}`);
    expect(JSON.parse(await nextAnswer(socket))).toMatchObject({ requestId: 1, success: false });
    socket.close();
    expect(await http().query(get, { name: "nothing" })).toBe(0);
  });
});
