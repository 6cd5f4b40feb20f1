// Stands for the issuer of Google's ID tokens: signs them with a key of the data folder, publishes its public
// half as any OpenID provider, and verifies them as Cloud Run does.
import { type KeyObject, createPublicKey } from "node:crypto";
import { createServer } from "node:http";
import { SignJWT, calculateJwkThumbprint, errors, exportJWK, jwtVerify } from "jose";
import { answerJson, listen, pathOf, stop } from "../httpServer.ts";
import type { ServiceAccount } from "./keys.ts";

/** Of ID tokens and of access tokens, as Google has it. */
export const TOKEN_LIFETIME_SEC = 3600;
const ALGORITHM = "RS256";

export interface Issuer {
  /** The `iss` of its tokens: an origin with OpenID discovery and JWKS. */
  origin: string;
  sign(account: ServiceAccount, audience: string): Promise<string>;
  /**
   * @returns the address of the account that the token was signed for
   * @throws {jose.errors.JOSEError} for a token that is not good
   */
  verify(token: string, audience: string): Promise<{ email: string }>;
  close(): Promise<void>;
}

/** @param clock  milliseconds since 1970 */
export const startIssuer = async (key: KeyObject, clock: () => number): Promise<Issuer> => {
  const publicKey = createPublicKey(key);
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);

  const server = createServer((request, response) => {
    const path = pathOf(request);
    if (path === "/.well-known/openid-configuration") {
      answerJson(response, {
        issuer: origin,
        jwks_uri: `${origin}/oauth2/v3/certs`,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: [ALGORITHM],
      });
    } else if (path === "/oauth2/v3/certs") {
      answerJson(response, { keys: [{ ...publicJwk, kid, use: "sig", alg: ALGORITHM }] });
    } else {
      response.writeHead(404).end("not found\n");
    }
  });
  const origin = await listen(server);

  return {
    origin,
    sign({ subject, email }, audience) {
      const nowSec = Math.floor(clock() / 1000);
      return new SignJWT({ azp: subject, email, email_verified: true })
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: "JWT" })
        .setIssuer(origin)
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt(nowSec)
        .setExpirationTime(nowSec + TOKEN_LIFETIME_SEC)
        .sign(key);
    },
    async verify(token, audience) {
      const { payload } = await jwtVerify(token, publicKey, {
        issuer: origin,
        audience,
        algorithms: [ALGORITHM],
        currentDate: new Date(clock()),
        requiredClaims: ["exp", "sub", "email"],
      });
      const { email } = payload;
      if (typeof email !== "string")
        throw new errors.JWTClaimValidationFailed("The token names no account.", payload, "email");
      return { email };
    },
    close: () => stop(server),
  };
};
