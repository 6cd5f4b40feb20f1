// The providers that come of the environment, each way the pipeline and people may sign in.
import { beforeEach, describe, expect, it, vi } from "vitest";

beforeEach(() => {
  vi.resetModules();
  return () => vi.unstubAllEnvs();
});

const providers = async (env: Record<string, string>) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return (await import("./auth.config.ts")).default.providers;
};

describe("auth.config", () => {
  it("trusts nobody where nothing is set", async () => {
    expect(await providers({ SERVICE_OIDC_AUDIENCE: "", CONVEX_SERVICE_JWKS: "" })).toEqual([]);
  });
  it("takes Google's tokens for our audience", async () => {
    expect(await providers({ SERVICE_OIDC_AUDIENCE: "klipstream" })).toEqual([
      { domain: "https://accounts.google.com", applicationID: "klipstream" },
    ]);
  });
  it("takes tokens that our own key signed, by a JWKS in a data address", async () => {
    const jwks = JSON.stringify({ keys: [{ kty: "EC", crv: "P-256", x: "a", y: "b" }] });
    const [own] = await providers({ CONVEX_SERVICE_JWKS: jwks });
    expect(own).toMatchObject({
      type: "customJwt",
      issuer: "https://klipstream.invalid/pipeline",
      applicationID: "klipstream",
      algorithm: "ES256",
    });
    const address = own && "jwks" in own ? own.jwks : "";
    expect(address).toMatch(/^data:/);
    expect(await (await fetch(address)).text()).toBe(jwks);
  });
  it("takes people's tokens of an issuer whose key is given", async () => {
    const env = { USERS_ISSUER: "https://people.example", USERS_JWKS: '{"keys":[]}' };
    expect(await providers(env)).toMatchObject([
      { type: "customJwt", issuer: "https://people.example", applicationID: "klipstream" },
    ]);
  });
  it("takes nobody's of an issuer without a key", async () => {
    expect(await providers({ USERS_ISSUER: "https://people.example" })).toEqual([]);
  });
  it("takes people's tokens of any number of issuers", async () => {
    const env = { OIDC_ISSUERS: "https://a.example, https://b.example/", OIDC_AUDIENCE: "app" };
    expect(await providers(env)).toEqual([
      { domain: "https://a.example", applicationID: "app" },
      { domain: "https://b.example/", applicationID: "app" },
    ]);
  });
});
