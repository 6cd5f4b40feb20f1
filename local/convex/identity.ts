// Who is asking: verifies bearer tokens against the providers of the project's auth.config.ts,
// as Convex does, and makes of their claims the identity that functions see.
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, errors, jwtVerify } from "jose";
import type { JWTPayload, JWTVerifyGetKey } from "jose";
import type { UserIdentity } from "convex/server";
import { z } from "zod";

const Provider = z.union([
  z.object({
    type: z.literal("customJwt"),
    issuer: z.string(),
    jwks: z.string(),
    algorithm: z.enum(["RS256", "ES256"]),
    applicationID: z.string().optional(),
  }),
  z.object({
    type: z.undefined().optional(),
    domain: z.string(),
    applicationID: z.string(),
  }),
]);
const AuthConfig = z.object({ providers: z.array(Provider) });

export interface Verified {
  identity: UserIdentity;
  /** Milliseconds since 1970. */
  expiresAtMs: number;
}

/** The token is not good. The message is for the developer who made it. */
export class AuthFailure extends Error {
  override name = "AuthFailure";
}

export type Verify = (token: string) => Promise<Verified>;

const FETCH_TIMEOUT_MS = 5_000;

/** `accounts.google.com` and `https://accounts.google.com/` are one issuer. */
const issuerUrl = (domain: string): string =>
  (/^https?:\/\//.test(domain) ? domain : `https://${domain}`).replace(/\/+$/, "");

/**
 * @param authConfig  default export of `convex/auth.config.ts`; undefined where there is none
 * @returns a function that throws `AuthFailure` for any token that is not good
 */
export const createVerifier = (authConfig: unknown, clock: () => number = Date.now): Verify => {
  const providers = (AuthConfig.optional().parse(authConfig)?.providers ?? []).map((provider) => {
    if (provider.type === "customJwt") {
      const keys = keysAt(provider.jwks);
      return {
        issuer: provider.issuer,
        applicationId: provider.applicationID,
        algorithms: [provider.algorithm],
        keys: () => Promise.resolve(keys),
      };
    }
    return {
      issuer: issuerUrl(provider.domain),
      applicationId: provider.applicationID,
      algorithms: ["RS256"],
      keys: discoverOnce(issuerUrl(provider.domain)),
    };
  });

  return async (token) => {
    let claims: JWTPayload;
    try {
      claims = decodeJwt(token);
    } catch (cause) {
      throw new AuthFailure("The token is not a JWT.", { cause });
    }
    const { iss, aud } = claims;
    const audiences = typeof aud === "string" ? [aud] : (aud ?? []);
    const candidates = providers.filter((one) => iss && issuerUrl(iss) === issuerUrl(one.issuer));
    if (candidates.length === 0) {
      throw new AuthFailure(`No auth provider found matching the token's issuer (${iss}).`);
    }
    const provider = candidates.find(
      (one) => one.applicationId === undefined || audiences.includes(one.applicationId),
    );
    if (!provider) {
      throw new AuthFailure(
        `No auth provider found matching the token's audience (${audiences.join(", ")}).`,
      );
    }
    try {
      const { payload } = await jwtVerify(token, await provider.keys(), {
        algorithms: provider.algorithms,
        currentDate: new Date(clock()),
        clockTolerance: 5,
        requiredClaims: ["sub", "iss", "exp"],
      });
      return { identity: identityOf(payload), expiresAtMs: (payload.exp ?? 0) * 1000 };
    } catch (cause) {
      const why = cause instanceof errors.JWTExpired ? "Token expired" : messageOf(cause);
      throw new AuthFailure(`Could not verify the token: ${why}`, { cause });
    }
  };
};

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const keysAt = (jwks: string): JWTVerifyGetKey => {
  if (!jwks.startsWith("data:")) {
    return createRemoteJWKSet(new URL(jwks), { timeoutDuration: FETCH_TIMEOUT_MS });
  }
  const [head = "", ...rest] = jwks.split(",");
  const body = rest.join(",");
  const text = head.endsWith(";base64")
    ? Buffer.from(body, "base64").toString("utf8")
    : decodeURIComponent(body);
  return createLocalJWKSet(
    z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }).parse(JSON.parse(text)),
  );
};

const Discovery = z.object({ jwks_uri: z.url() });

/** Asks the issuer for the address of its keys, again after a failure, else once. */
const discoverOnce = (issuer: string): (() => Promise<JWTVerifyGetKey>) => {
  let found: Promise<JWTVerifyGetKey> | undefined;
  const discover = async (): Promise<JWTVerifyGetKey> => {
    const address = `${issuer}/.well-known/openid-configuration`;
    const response = await fetch(address, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${address} answered ${response.status}.`);
    return keysAt(Discovery.parse(await response.json()).jwks_uri);
  };
  return () => {
    found ??= discover().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
};

/** Claims of OpenID Connect and the names they have in Convex's `UserIdentity`. */
const STANDARD_CLAIMS = {
  name: "name",
  given_name: "givenName",
  family_name: "familyName",
  nickname: "nickname",
  preferred_username: "preferredUsername",
  profile: "profileUrl",
  picture: "pictureUrl",
  email: "email",
  email_verified: "emailVerified",
  gender: "gender",
  birthdate: "birthday",
  zoneinfo: "timezone",
  locale: "language",
  phone_number: "phoneNumber",
  phone_number_verified: "phoneNumberVerified",
  updated_at: "updatedAt",
} as const;
const NOT_CUSTOM = new Set(["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "azp"]);

const identityOf = (claims: JWTPayload): UserIdentity => {
  const { iss: issuer = "", sub: subject = "" } = claims;
  const identity: Record<string, unknown> = {};
  for (const [claim, value] of Object.entries(claims)) {
    if (NOT_CUSTOM.has(claim) || value === undefined || value === null) continue;
    const isStandard = Object.hasOwn(STANDARD_CLAIMS, claim);
    const name = isStandard ? STANDARD_CLAIMS[claim as keyof typeof STANDARD_CLAIMS] : claim;
    identity[name] = value;
  }
  return { ...identity, issuer, subject, tokenIdentifier: `${issuer}|${subject}` };
};
