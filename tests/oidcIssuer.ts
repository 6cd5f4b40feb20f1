// An OIDC issuer on loopback, whose people's tokens the service and Convex check as anybody's.
import { createServer } from "node:http";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { listen, stop } from "#local/httpServer.ts";

export interface Claims {
  issuer?: string;
  audience?: string;
  /** Null for a token of nobody. */
  subject?: string | null;
  /** As jose has it: `5m`, `-1m`. */
  expires?: string;
}

export interface OidcIssuer extends AsyncDisposable {
  issuer: string;
  token(claims?: Claims): Promise<string>;
}

export const startOidcIssuer = async (): Promise<OidcIssuer> => {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  let issuer = "";
  const server = createServer((req, res) => {
    const body = req.url?.endsWith("/openid-configuration")
      ? { issuer, jwks_uri: `${issuer}/jwks` }
      : { keys: [jwk] };
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(body));
  });
  issuer = await listen(server);
  return {
    issuer,
    token: ({ subject = "anna", ...claims } = {}) =>
      new SignJWT(subject === null ? {} : { sub: subject })
        .setProtectedHeader({ alg: "RS256", kid: "k1" })
        .setIssuer(claims.issuer ?? issuer)
        .setAudience(claims.audience ?? "klipstream")
        .setIssuedAt()
        .setExpirationTime(claims.expires ?? "10m")
        .sign(privateKey),
    [Symbol.asyncDispose]: () => stop(server),
  };
};
