import type { Request } from "@google-cloud/functions-framework";
import { createHash } from "node:crypto";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type OidcIssuer, startOidcIssuer } from "../../tests/oidcIssuer.ts";
import { createAuthenticate } from "./caller.ts";
import type { Call } from "./router.ts";

const KEY = `ks_${"a".repeat(32)}`;
const hash = createHash("sha256").update(KEY).digest("hex");

let oidc: OidcIssuer;
beforeAll(async () => {
  oidc = await startOidcIssuer();
});
afterAll(() => oidc[Symbol.asyncDispose]());

const lookups: string[] = [];
const authenticate = (header: Record<string, string>, issuer = oidc.issuer) => {
  const check = createAuthenticate({
    ledger: {
      apiKeyOwner: async (asked) => {
        lookups.push(asked);
        return asked === hash ? "owner" : null;
      },
    },
    oidc: { issuers: [issuer], audience: "klipstream" },
  });
  const req = { get: (name: string) => header[name] } as Request;
  return check({ req } as Call);
};

it("knows the owner of a key, and asks by its hash", async () => {
  expect(await authenticate({ authorization: `Bearer ${KEY}` })).toEqual({ ownerId: "owner" });
  expect(await authenticate({ "x-api-key": KEY })).toEqual({ ownerId: "owner" });
  expect(lookups.join()).not.toContain(KEY);
});

it("knows a person by a token of an issuer that is set", async () => {
  const authorization = `Bearer ${await oidc.token()}`;
  expect(await authenticate({ authorization })).toEqual({ ownerId: `${oidc.issuer}|anna` });
});

it("knows a person by a token of an issuer whose key is given", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const issuer = "https://people.example";
  const check = createAuthenticate({
    ledger: { apiKeyOwner: async () => null },
    oidc: {
      issuers: [],
      audience: "klipstream",
      withKeys: { issuer, jwks: JSON.stringify({ keys: [await exportJWK(publicKey)] }) },
    },
  });
  const bearer = async (key: typeof publicKey) => {
    const token = await new SignJWT({ sub: "ada" })
      .setProtectedHeader({ alg: "ES256" })
      .setIssuer(issuer)
      .setAudience("klipstream")
      .setExpirationTime("5m")
      .sign(key);
    const get = (name: string) => (name === "authorization" ? `Bearer ${token}` : undefined);
    return { req: { get } } as unknown as Call;
  };
  expect(await check(await bearer(privateKey))).toEqual({ ownerId: `${issuer}|ada` });
  const another = (await generateKeyPair("ES256")).privateKey;
  await expect(check(await bearer(another))).rejects.toMatchObject({ code: "unauthorized" });
});

it.each([
  ["nothing", async () => ({})],
  ["an unknown key", async () => ({ authorization: `Bearer ks_${"b".repeat(32)}` })],
  ["something else", async () => ({ authorization: "Bearer x" })],
  ["another scheme", async () => ({ authorization: "Basic eDp5" })],
  [
    "another issuer",
    async () => ({
      authorization: `Bearer ${await oidc.token({ issuer: "https://evil.example" })}`,
    }),
  ],
  [
    "another audience",
    async () => ({ authorization: `Bearer ${await oidc.token({ audience: "someone" })}` }),
  ],
  [
    "a token of nobody",
    async () => ({ authorization: `Bearer ${await oidc.token({ subject: null })}` }),
  ],
  [
    "an old token",
    async () => ({ authorization: `Bearer ${await oidc.token({ expires: "-1m" })}` }),
  ],
])("refuses %s", async (_name, header) => {
  await expect(header().then((given) => authenticate(given))).rejects.toMatchObject({
    code: "unauthorized",
  });
});

it("blames nobody's token for an issuer that is away", async () => {
  await using away = await startOidcIssuer();
  const authorization = `Bearer ${await away.token()}`;
  await away[Symbol.asyncDispose]();
  await expect(authenticate({ authorization }, away.issuer)).rejects.toMatchObject({
    code: "internal",
  });
});
