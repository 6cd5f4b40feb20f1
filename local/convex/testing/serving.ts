// A local Convex over the functions in testProject/, who may sign in to it, and the official clients.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import type { ConvexClientOptions } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { listen, stop } from "../../httpServer.ts";
import { afterAll, afterEach } from "vitest";
import { findModules, loadSchema } from "../modules.ts";
import { startConvex } from "../server.ts";

export type Counter = { name: string };
export const get = makeFunctionReference<"query", Counter, number>("counters:get");
export const add = makeFunctionReference<"mutation", Counter & { by: number }, number>(
  "counters:add",
);
export const addInternal = makeFunctionReference<"mutation", Counter & { by: number }, number>(
  "counters:addInternal",
);
export const addLater = makeFunctionReference<"mutation", Counter & { delayMs: number }, null>(
  "counters:addLater",
);
export const addTwice = makeFunctionReference<"action", Counter, number>("counters:addTwice");
export const addAndFail = makeFunctionReference<"mutation", Counter, null>("counters:addAndFail");
export const failPlainly = makeFunctionReference<"query", Record<string, never>, null>(
  "counters:failPlainly",
);
export const whoAmI = makeFunctionReference<
  "query",
  Record<string, never>,
  Record<string, unknown> | null
>("counters:whoAmI");
export const environment = makeFunctionReference<"query", Record<string, never>, string | null>(
  "counters:environment",
);
export const addNote = makeFunctionReference<"mutation", { text: string }, null>(
  "counters:addNote",
);
export const notes = makeFunctionReference<
  "query",
  { paginationOpts: { numItems: number; cursor: string | null } },
  { page: { text: string }[]; continueCursor: string }
>("counters:notes");

const AUDIENCE = "tests";
/** An issuer whose keys are in the configuration. */
export const SIGNED_ISSUER = "https://signed.invalid";
const ADMIN_KEY = "admin-key";

interface Claims {
  issuer?: string;
  audience?: string;
  subject?: string;
  expiresInSec?: number;
}

/** For the file of tests that calls it at its top: clients end with each test, the server with the last. */
export const startServing = async () => {
  const rsa = await generateKeyPair("RS256");
  const ec = await generateKeyPair("ES256");
  const rsaJwk = { ...(await exportJWK(rsa.publicKey)), kid: "1", alg: "RS256" };
  const ecJwk = { ...(await exportJWK(ec.publicKey)), kid: "1", alg: "ES256" };
  const issuer = createServer((request, response) => {
    const isDiscovery = request.url === "/.well-known/openid-configuration";
    const body = isDiscovery ? { jwks_uri: `${oidcIssuer}/keys` } : { keys: [rsaJwk] };
    response.end(JSON.stringify(body));
  });
  const oidcIssuer = await listen(issuer);
  const jwks = `data:text/plain;charset=utf-8;base64,${btoa(JSON.stringify({ keys: [ecJwk] }))}`;
  const modules = await findModules(fileURLToPath(new URL("../testProject", import.meta.url)));
  const authConfig = {
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
  };
  const clock = { aheadMs: 0 };
  const { url, close } = await startConvex({
    modules: { ...modules, "./auth.config.ts": () => Promise.resolve({ default: authConfig }) },
    schema: await loadSchema(modules),
    env: { TEST_GREETING: "hello" },
    adminKey: ADMIN_KEY,
    clock: () => Date.now() + clock.aheadMs,
    pingAfterMs: 50,
  });
  const clients: ConvexClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });
  afterAll(async () => {
    await close();
    await stop(issuer);
  });
  return {
    url,
    oidcIssuer,
    /** How far the server's clock is ahead of the tests'. */
    clock,
    http(token?: string): ConvexHttpClient {
      const client = new ConvexHttpClient(url, { logger: false });
      if (token !== undefined) client.setAuth(token);
      return client;
    },
    /** @param options.url  of what stands between it and the server */
    live({ url: at = url, ...options }: { url?: string } & ConvexClientOptions = {}): ConvexClient {
      const quiet = { logger: false, unsavedChangesWarning: false } as const;
      const client = new ConvexClient(at, { ...quiet, ...options });
      clients.push(client);
      return client;
    },
    tokenOf: (claims: Claims): Promise<string> =>
      new SignJWT({ email: "kim@example.org", email_verified: true, name: "Kim" })
        .setProtectedHeader({ alg: "RS256", kid: "1" })
        .setIssuer(claims.issuer ?? oidcIssuer)
        .setAudience(claims.audience ?? AUDIENCE)
        .setSubject(claims.subject ?? "kim")
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + (claims.expiresInSec ?? 600))
        .sign(rsa.privateKey),
    /** By the issuer whose keys are in the configuration. */
    signedToken: (): Promise<string> =>
      new SignJWT()
        .setProtectedHeader({ alg: "ES256", kid: "1" })
        .setIssuer(SIGNED_ISSUER)
        .setAudience(AUDIENCE)
        .setSubject("pipeline")
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(ec.privateKey),
  };
};

/** Values a query takes, and a way to wait until one of them fits. */
export const follow = <T>(
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
