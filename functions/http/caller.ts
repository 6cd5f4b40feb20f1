// Who calls the HTTP API: the owner of an API key, or a person with a token of a known OIDC issuer.
import { createHash } from "node:crypto";
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from "jose";
import { z } from "zod";
import { StageError } from "#shared/contract/errors.ts";
import type { JobLedger } from "#shared/jobs/ledger.ts";
import type { Call } from "./router.ts";

export type Authenticate = (call: Call) => Promise<{ ownerId: string }>;

/** Keys of ours begin so; anything else is taken for a token. */
const KEY = /^ks_[A-Za-z0-9_-]{20,100}$/;
/** A key that was just verified is believed this long; a revoked one works no longer than that. */
const KEY_CACHE_MS = 30_000;
const MAX_CACHED_KEYS = 1000;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** Loaded with the first token: most callers have a key, and instances start faster without it. */
const loadJose = () => import("jose");
type Jose = Awaited<ReturnType<typeof loadJose>>;
type KeySet = ReturnType<Jose["createRemoteJWKSet"]>;

/** An issuer that does not answer is not the fault of who carries its token. */
const issuerAway = (issuer: string, cause: unknown): StageError =>
  new StageError("internal", "Tokens cannot be checked at the moment.", {
    cause: new Error(`the keys of ${issuer} cannot be had`, { cause }),
  });

interface TrustedIssuers {
  issuers: readonly string[];
  audience: string;
  /** An issuer whose JWKS is given instead of looked up. */
  withKeys?: { issuer: string; jwks: string } | undefined;
}

const createTokenVerifier = ({ issuers, audience, withKeys }: TrustedIssuers) => {
  const keySets = new Map<string, Promise<KeySet>>();

  const discover = async (issuer: string) => {
    const at = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const response = await fetch(at, { signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(`${at} answered ${response.status}`);
    const { createRemoteJWKSet } = await loadJose();
    return createRemoteJWKSet(new URL(Discovery.parse(await response.json()).jwks_uri));
  };
  const keysOf = async (issuer: string) => {
    if (issuer === withKeys?.issuer) {
      const { createLocalJWKSet } = await loadJose();
      return createLocalJWKSet(JSON.parse(withKeys.jwks) as JSONWebKeySet);
    }
    const known = keySets.get(issuer);
    if (known) return known;
    const found = discover(issuer).catch((error: unknown) => {
      throw issuerAway(issuer, error);
    });
    keySets.set(issuer, found);
    found.catch(() => keySets.delete(issuer));
    return found;
  };

  return async (token: string): Promise<JWTPayload> => {
    const { decodeJwt, errors, jwtVerify } = await loadJose();
    const { iss } = decodeJwt(token);
    const isTrusted = iss === withKeys?.issuer || issuers.includes(iss ?? "");
    if (!iss || !isTrusted) throw new Error("unknown issuer");
    const keys = await keysOf(iss);
    const keyFor: JWTVerifyGetKey = (header, input) =>
      keys(header, input).catch((error: unknown) => {
        throw error instanceof errors.JWKSNoMatchingKey ? error : issuerAway(iss, error);
      });
    const { payload } = await jwtVerify(token, keyFor, {
      issuer: iss,
      audience,
      algorithms: ["RS256", "ES256"],
      // Who has none would share an owner with all others who have none.
      requiredClaims: ["sub", "exp"],
    });
    return payload;
  };
};

export const createAuthenticate = (options: {
  ledger: Pick<JobLedger, "apiKeyOwner">;
  oidc: TrustedIssuers;
}): Authenticate => {
  const verifyToken = createTokenVerifier(options.oidc);
  const cache = new Map<string, { ownerId: string; untilMs: number }>();

  const ownerOfKey = async (key: string): Promise<string> => {
    const hash = createHash("sha256").update(key).digest("hex");
    const cached = cache.get(hash);
    if (cached && cached.untilMs > Date.now()) return cached.ownerId;
    cache.delete(hash);
    const ownerId = await options.ledger.apiKeyOwner(hash);
    if (ownerId === null) throw new StageError("unauthorized", "The API key is not known.");
    if (cache.size >= MAX_CACHED_KEYS) cache.clear();
    cache.set(hash, { ownerId, untilMs: Date.now() + KEY_CACHE_MS });
    return ownerId;
  };

  return async ({ req }) => {
    const [, bearer] = /^Bearer +(\S+)$/i.exec(req.get("authorization") ?? "") ?? [];
    const key = req.get("x-api-key") ?? bearer;
    if (key === undefined) throw new StageError("unauthorized");
    if (KEY.test(key)) return { ownerId: await ownerOfKey(key) };
    try {
      const { iss, sub } = await verifyToken(key);
      // As Convex names a person, so that both sides mean the same owner.
      return { ownerId: `${iss}|${sub}` };
    } catch (cause) {
      if (cause instanceof StageError) throw cause;
      throw new StageError("unauthorized", "The token is not valid.", { cause });
    }
  };
};
