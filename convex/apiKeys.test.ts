// API keys: shown once, kept hashed, revocable, each its owner's alone.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, internal } from "./_generated/api.js";
import { sha256Hex } from "./model/secret.ts";
import { type Backend, USERS_ISSUER, createBackend, ownerIdOf } from "./testing.setup.ts";

let backend: Backend;
beforeEach(() => {
  vi.stubEnv("OIDC_ISSUERS", USERS_ISSUER);
  backend = createBackend();
  return () => vi.unstubAllEnvs();
});

const verify = async (key: string) =>
  backend.service.mutation(api.apiKeys.verify, { hash: await sha256Hex(key) });

describe("an API key", () => {
  it("opens what its owner may open, and is kept nowhere", async () => {
    const { key } = await backend.user("ada").action(api.apiKeys.create, { name: "laptop" });
    expect(key).toMatch(/^ks_[\w-]{43}$/);
    expect(await verify(key)).toMatchObject({ ownerId: ownerIdOf("ada") });
    expect(await verify(`${key}x`)).toBeNull();
    const rows = await backend.nobody.run((ctx) => ctx.db.query("apiKeys").take(10));
    expect(JSON.stringify(rows)).not.toContain(key);
  });
  it("is listed with its name and use, to its owner alone", async () => {
    const ada = backend.user("ada");
    const { id, key, prefix } = await ada.action(api.apiKeys.create, { name: "laptop" });
    expect(await ada.query(api.apiKeys.list, {})).toMatchObject([{ lastUsedAt: null }]);
    await verify(key);
    const [listed] = await ada.query(api.apiKeys.list, {});
    expect(listed).toMatchObject({ id, prefix, name: "laptop", revokedAt: null });
    expect(listed?.lastUsedAt).toBeGreaterThan(0);
    expect(await backend.user("bob").query(api.apiKeys.list, {})).toEqual([]);
  });
  it("opens nothing once revoked, which its owner alone can do", async () => {
    const { id, key } = await backend.user("ada").action(api.apiKeys.create, { name: "a" });
    await expect(backend.user("bob").mutation(api.apiKeys.revoke, { id })).rejects.toMatchObject({
      data: { code: "not_found" },
    });
    expect(await verify(key)).not.toBeNull();
    await backend.user("ada").mutation(api.apiKeys.revoke, { id });
    expect(await verify(key)).toBeNull();
  });
  it("can be issued by the pipeline for somebody", async () => {
    const issue = { ownerId: "local", name: "command line" };
    const { key } = await backend.service.action(api.apiKeys.issue, issue);
    expect(await verify(key)).toMatchObject({ ownerId: "local" });
  });
  it("opens nothing and leaves nothing once withdrawn, and may be withdrawn twice", async () => {
    const issue = { ownerId: "smoke", name: "a while" };
    const { id, key } = await backend.service.action(api.apiKeys.issue, issue);
    for (let times = 0; times < 2; times += 1) {
      await backend.nobody.mutation(internal.apiKeys.withdraw, { id });
    }
    expect(await verify(key)).toBeNull();
    const rows = await backend.nobody.run((ctx) => ctx.db.query("apiKeys").take(10));
    expect(rows).toEqual([]);
  });
  it("needs a name", async () => {
    await expect(
      backend.user("ada").action(api.apiKeys.create, { name: "" }),
    ).rejects.toMatchObject({ data: { code: "invalid_request" } });
  });
});
