import type { Request } from "@google-cloud/functions-framework";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAuthenticate } from "./caller.ts";
import type { Call } from "./router.ts";

const KEY = `ks_${"a".repeat(32)}`;
const hash = createHash("sha256").update(KEY).digest("hex");

let issuer: string;
let server: Server;
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
beforeAll(async () => {
  const pair = await generateKeyPair("RS256");
  ({ privateKey } = pair);
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "RS256" };
  server = createServer((req, res) => {
    const body = req.url?.endsWith("/openid-configuration")
      ? { issuer, jwks_uri: `${issuer}/jwks` }
      : { keys: [jwk] };
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const token = (claims: { iss?: string; aud?: string; exp?: string } = {}) =>
  new SignJWT()
    .setProtectedHeader({ alg: "RS256", kid: "k1" })
    .setIssuer(claims.iss ?? issuer)
    .setAudience(claims.aud ?? "klipstream")
    .setSubject("anna")
    .setExpirationTime(claims.exp ?? "5m")
    .sign(privateKey);

const lookups: string[] = [];
const authenticate = (header: Record<string, string>) => {
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
  const authorization = `Bearer ${await token()}`;
  expect(await authenticate({ authorization })).toEqual({ ownerId: `${issuer}|anna` });
});

it.each([
  ["nothing", async () => ({})],
  ["an unknown key", async () => ({ authorization: `Bearer ks_${"b".repeat(32)}` })],
  ["something else", async () => ({ authorization: "Bearer x" })],
  ["another scheme", async () => ({ authorization: "Basic eDp5" })],
  [
    "another issuer",
    async () => ({ authorization: `Bearer ${await token({ iss: "https://evil.example" })}` }),
  ],
  [
    "another audience",
    async () => ({ authorization: `Bearer ${await token({ aud: "someone" })}` }),
  ],
  ["an old token", async () => ({ authorization: `Bearer ${await token({ exp: "-1m" })}` })],
])("refuses %s", async (_name, header) => {
  await expect(header().then(authenticate)).rejects.toMatchObject({ code: "unauthorized" });
});
