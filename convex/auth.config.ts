// Whose tokens Convex checks; what their holders may do is decided in model/access.ts.
// Convex refuses a deploy while a variable read here is not set: set each, to nothing where unused.
//   SERVICE_OIDC_ISSUER     issuer of the service account's ID tokens; https://accounts.google.com
//   SERVICE_OIDC_AUDIENCE   their audience; nothing: no such identity
//   CONVEX_SERVICE_JWKS     public key (JWKS) of CONVEX_API_KEY; nothing: no such identity
//   OIDC_ISSUERS            issuers of people's tokens, by comma; OIDC_AUDIENCE their audience
//   USERS_ISSUER            one more, whose public key (JWKS, ES256) is given in USERS_JWKS instead of
//                           looked up; nothing: no such issuer
import type { AuthConfig } from "convex/server";
import { SERVICE_AUDIENCE, SERVICE_ISSUER } from "#shared/contract/identity.ts";

type Provider = AuthConfig["providers"][number];

const asDataUri = (jwks: string): string =>
  jwks.startsWith("data:") ? jwks : `data:text/plain;charset=utf-8;base64,${btoa(jwks)}`;

const providers: Provider[] = [];

const audience = process.env["SERVICE_OIDC_AUDIENCE"];
const issuer = process.env["SERVICE_OIDC_ISSUER"] || "https://accounts.google.com";
if (audience) providers.push({ domain: issuer, applicationID: audience });

/** An issuer whose keys are known beforehand. */
const withKeys = (issuer: string, applicationID: string, jwks: string): Provider => ({
  type: "customJwt",
  issuer,
  applicationID,
  jwks: asDataUri(jwks),
  algorithm: "ES256",
});

const jwks = process.env["CONVEX_SERVICE_JWKS"];
if (jwks) providers.push(withKeys(SERVICE_ISSUER, audience || SERVICE_AUDIENCE, jwks));

const userAudience = process.env["OIDC_AUDIENCE"] || SERVICE_AUDIENCE;
const usersIssuer = process.env["USERS_ISSUER"];
const usersJwks = process.env["USERS_JWKS"];
if (usersIssuer && usersJwks) providers.push(withKeys(usersIssuer, userAudience, usersJwks));

for (const domain of (process.env["OIDC_ISSUERS"] ?? "").split(",").map((text) => text.trim())) {
  if (domain) providers.push({ domain, applicationID: userAudience });
}

export default { providers } satisfies AuthConfig;
