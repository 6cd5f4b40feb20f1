// Who the pipeline is to Convex. On Google Cloud the service account's ID token, from the metadata
// server, so that there is no key to lose; elsewhere a five-minute token signed with CONVEX_API_KEY.
import { z } from "zod";
import { StageError } from "../contract/errors.ts";
import { SERVICE_ISSUER, SERVICE_SUBJECT } from "../contract/identity.ts";
import { fetchIdToken } from "./metadata.ts";

const SIGNED_FOR_SEC = 300;
/** A token is replaced this long before it expires. */
const RENEW_BEFORE_MS = 60_000;

const PrivateKey = z.looseObject({ kty: z.literal("EC"), crv: z.literal("P-256"), d: z.string() });

const signOwn = async (privateJwk: string, audience: string): Promise<string> => {
  let jwk: z.infer<typeof PrivateKey>;
  try {
    jwk = PrivateKey.parse(JSON.parse(privateJwk));
  } catch {
    // The cause would quote the key.
    throw new Error("CONVEX_API_KEY is not an ES256 private key in JWK form.");
  }
  // Loaded here, since on Google Cloud nothing is signed and instances start faster without it.
  const { SignJWT, importJWK } = await import("jose");
  const kid = typeof jwk["kid"] === "string" ? jwk["kid"] : undefined;
  return new SignJWT()
    .setProtectedHeader({ alg: "ES256", ...(kid ? { kid } : {}) })
    .setIssuer(SERVICE_ISSUER)
    .setSubject(SERVICE_SUBJECT)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(`${SIGNED_FOR_SEC}s`)
    .sign(await importJWK(jwk, "ES256"));
};

const Claims = z.object({ exp: z.number() });

/** When a token expires, ms since 1970; whether it is genuine, Convex finds out. */
const expiryMs = (token: string): number => {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
  return Claims.parse(JSON.parse(payload)).exp * 1000;
};

/**
 * Gives a token that is good for at least a minute, asking for a new one only when needed.
 * @returns a function that throws {StageError} `ledger_unavailable` where none is to be had
 */
export const createServiceToken = (options: {
  apiKey: string | undefined;
  audience: string;
  metadataHost?: string | undefined;
}): (() => Promise<string>) => {
  const { apiKey, audience, metadataHost } = options;
  let current: { token: string; renewAtMs: number } | undefined;
  let pending: Promise<string> | undefined;

  const renew = async (): Promise<string> => {
    try {
      const token = apiKey
        ? await signOwn(apiKey, audience)
        : await fetchIdToken(audience, metadataHost);
      current = { token, renewAtMs: expiryMs(token) - RENEW_BEFORE_MS };
      return token;
    } catch (cause) {
      throw new StageError("ledger_unavailable", "The service has no identity for the database.", {
        cause,
      });
    } finally {
      pending = undefined;
    }
  };

  return async () => {
    if (current && Date.now() < current.renewAtMs) return current.token;
    pending ??= renew();
    return pending;
  };
};
