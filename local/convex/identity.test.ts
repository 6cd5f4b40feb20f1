// Who calls the local Convex, by tokens as providers and our own services sign them.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { addNote, follow, SIGNED_ISSUER, startServing, whoAmI } from "./serving.setup.ts";

let serving: Awaited<ReturnType<typeof startServing>>;
beforeAll(async () => {
  serving = await startServing();
  return () => serving.close();
});
afterEach(() => serving.disconnect());

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
