import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT, exportJWK, generateKeyPair, jwtVerify } from "jose";
import { expect, it } from "vitest";
import { SERVICE_ISSUER, SERVICE_SUBJECT } from "../contract/identity.ts";
import { createServiceToken } from "./serviceToken.ts";

it("signs with CONVEX_API_KEY what Convex can check with the public half", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const apiKey = JSON.stringify({ ...(await exportJWK(privateKey)), kid: "k1" });
  const token = createServiceToken({ apiKey, audience: "klipstream" });
  const { payload, protectedHeader } = await jwtVerify(await token(), publicKey, {
    issuer: SERVICE_ISSUER,
    audience: "klipstream",
    subject: SERVICE_SUBJECT,
  });
  expect(protectedHeader.kid).toBe("k1");
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
  expect(await token()).toBe(await token());
});

it("does not repeat a key that is none", async () => {
  const token = createServiceToken({ apiKey: '{"d":"secret"', audience: "a" });
  const error: unknown = await token().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "ledger_unavailable" });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("secret");
  expect(String((error as Error).cause)).not.toContain("secret");
});

it("asks the metadata server once while a token is good, and once for many callers", async () => {
  const asked: string[] = [];
  const key = new TextEncoder().encode("a key for a test that nobody checks");
  const server = createServer((req, res) => {
    asked.push(`${String(req.headers["metadata-flavor"])} ${req.url}`);
    void new SignJWT()
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h")
      .sign(key)
      .then((token) => res.end(token));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const metadataHost = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const token = createServiceToken({ apiKey: undefined, audience: "a b", metadataHost });
    await Promise.all([token(), token()]);
    await token();
    expect(asked).toEqual([
      "Google /computeMetadata/v1/instance/service-accounts/default/identity?audience=a+b&format=full",
    ]);
  } finally {
    server.close();
  }
});
