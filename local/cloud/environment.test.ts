// What instances are told of where they are, whatever an `.env` for Google Cloud says.
import { afterEach, expect, it, vi } from "vitest";
import { CATALOG, functionSpec } from "#functions/catalog.ts";
import { loadConfig } from "#shared/cloud/config.ts";
import type { LocalAccount } from "../metadata/server.ts";
import { baseEnvironment, givenDeployment, instanceEnvironment } from "./environment.ts";
import type { Addresses, Env } from "./environment.ts";

afterEach(() => vi.unstubAllEnvs());

const FRONT = "http://127.0.0.1:8080";
const account = { metadataHost: "127.0.0.1:1", credentialsFile: "/nowhere" } as LocalAccount;
const addresses: Addresses = {
  projectId: "klipstream-local",
  bucket: "klipstream-local",
  audience: "klipstream",
  origin: FRONT,
  convexUrl: "http://127.0.0.1:2",
  storageOrigin: "http://127.0.0.1:3",
  pubsubAddress: "127.0.0.1:4",
  runOrigin: "http://127.0.0.1:5",
};

const configOf = (given: Env) => {
  const base = baseEnvironment(given);
  return loadConfig(instanceEnvironment(base, functionSpec("status"), CATALOG, account, addresses));
};

it("links lead to this machine, wherever production is", () => {
  vi.stubEnv("PUBLIC_URL", "https://api.example.com");
  vi.stubEnv("SUBMIT_URL", "https://in.example.com");
  expect(configOf({})).toMatchObject({ publicUrl: FRONT, submitUrl: undefined });
});

it("links lead where the caller says, as through a tunnel", () => {
  vi.stubEnv("SUBMIT_URL", "https://in.example.com");
  const env = { PUBLIC_URL: "https://tunnel.example.com" };
  expect(configOf(env)).toMatchObject({ publicUrl: env.PUBLIC_URL, submitUrl: undefined });
});

it.each([
  ["neither is named", {}, undefined],
  ["deploy.sh's is named", { CONVEX_URL: "https://a.convex.cloud" }, undefined],
  [
    "one is named with its key",
    { CONVEX_URL: "https://a.convex.cloud", CONVEX_API_KEY: "{}" },
    "https://a.convex.cloud",
  ],
])("the database is ours unless a deployment can be used: %s", (_what, base, expected) => {
  expect(givenDeployment(base)).toBe(expected);
});
