// Who calls the local Convex, by tokens as providers and our own services sign them.
import { on, once } from "node:events";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { addNote, follow, get, SIGNED_ISSUER, startServing, whoAmI } from "./testing/serving.ts";

const serving = await startServing();

describe("identity", () => {
  it("is nobody without a token", async () => {
    expect(await serving.http().query(whoAmI, {})).toBeNull();
  });

  it("comes from an OIDC provider", async () => {
    expect(await serving.http(await serving.tokenOf({})).query(whoAmI, {})).toEqual({
      subject: "kim",
      issuer: serving.oidcIssuer,
      tokenIdentifier: `${serving.oidcIssuer}|kim`,
      email: "kim@example.org",
      emailVerified: true,
      name: "Kim",
    });
  });

  it("comes from a JWT with keys in a data: address", async () => {
    const token = await serving.signedToken();
    expect(await serving.http(token).query(whoAmI, {})).toMatchObject({
      tokenIdentifier: `${SIGNED_ISSUER}|pipeline`,
    });
  });

  it.each([
    ["expired", { expiresInSec: -60 }, "Token expired"],
    ["for another audience", { audience: "others" }, "audience"],
    ["of an unknown issuer", { issuer: "https://elsewhere.invalid" }, "issuer"],
    ["signed by another key", { issuer: SIGNED_ISSUER }, "Could not verify"],
  ])("is refused with a token %s", async (_, claims, sentence) => {
    await expect(serving.http(await serving.tokenOf(claims)).query(whoAmI, {})).rejects.toThrow(
      sentence,
    );
  });

  it("is refused with what is no token", async () => {
    await expect(serving.http("rubbish").query(whoAmI, {})).rejects.toThrow("not a JWT");
  });
});

describe("identity on a live socket", () => {
  it("changes", async () => {
    const client = serving.live();
    const identity = follow<Record<string, unknown> | null>((onValue) =>
      client.onUpdate(whoAmI, {}, onValue),
    );
    await identity.until(() => identity.seen.at(-1) === null);
    const token = await serving.tokenOf({});
    client.setAuth(() => Promise.resolve(token));
    await identity.until(() => identity.seen.at(-1)?.["subject"] === "kim");
    const other = await serving.tokenOf({ subject: "lee" });
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

  it("is another when a mutation is sent again that was not answered: it is answered, and not run", async () => {
    /** What a client sends on a new connection whose last was cut. */
    const sendAs = async (token: string | undefined): Promise<unknown> => {
      const socket = new WebSocket(`${serving.url.replace("http", "ws")}/api/1.48.0/sync`);
      await once(socket, "open");
      const say = (message: object) => socket.send(JSON.stringify(message));
      say({ type: "Connect", sessionId: "kept", connectionCount: 0, lastCloseReason: null });
      if (token !== undefined)
        say({ type: "Authenticate", baseVersion: 0, tokenType: "User", value: token });
      const args = [{ name: "sent again", by: 1 }];
      say({ type: "Mutation", requestId: 7, udfPath: "counters:add", args });
      for await (const [data] of on(socket, "message") as AsyncIterable<[Buffer]>) {
        const message = JSON.parse(data.toString()) as Record<string, unknown>;
        if (message["type"] !== "MutationResponse") continue;
        socket.close();
        return message["result"];
      }
      throw new Error("The socket was closed.");
    };
    for (const token of [await serving.tokenOf({}), undefined, await serving.signedToken()])
      expect(await sendAs(token)).toBe(1);
    expect(await serving.http().query(get, { name: "sent again" })).toBe(1);
  });

  it("tells a client whose token is not good, and serves it as nobody", async () => {
    const client = serving.live();
    const expired = await serving.tokenOf({ expiresInSec: -60 });
    const reports = follow<boolean>((onValue) =>
      client.setAuth(() => Promise.resolve(expired), onValue),
    );
    await reports.until(() => reports.seen.at(-1) === false);
    const identity = follow<unknown>((onValue) => client.onUpdate(whoAmI, {}, onValue));
    await identity.untilLast(null);
    expect(reports.seen).toEqual([false]);
  });

  it("tells a client when its token has expired meanwhile", async () => {
    const client = serving.live();
    let fetches = 0;
    // The server's clock is behind, so that the token is good however long it takes to get there.
    serving.clock.aheadMs = -30_000;
    const tokens = [
      await serving.tokenOf({ expiresInSec: 1 }),
      await serving.tokenOf({ subject: "renewed" }),
    ];
    client.setAuth(() => {
      // The first is taken for good when it comes; asked for a new one, the client gets none yet.
      fetches++;
      return Promise.resolve(fetches < 3 ? tokens[0] : tokens[1]);
    });
    const identity = follow<Record<string, unknown> | null>((onValue) =>
      client.onUpdate(whoAmI, {}, onValue),
    );
    await identity.until(() => identity.seen.at(-1)?.["subject"] === "kim");
    serving.clock.aheadMs = 10_000;
    try {
      client.mutation(addNote, { text: "late" }).catch(() => {});
      await identity.until(() => identity.seen.at(-1)?.["subject"] === "renewed");
      expect(fetches).toBe(3);
    } finally {
      serving.clock.aheadMs = 0;
    }
  });
});
