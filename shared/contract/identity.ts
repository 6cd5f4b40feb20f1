// Who the pipeline is to Convex where it signs its own tokens (CONVEX_API_KEY). The client puts
// these into the token, `convex/` trusts a token that has them and is signed with the one key.

/** Issuer of the tokens; never looked up, since the public key is given with it. */
export const SERVICE_ISSUER = "https://klipstream.invalid/pipeline";
export const SERVICE_SUBJECT = "pipeline";
/** Audience of the tokens, and of Google's, where the environment names no other. */
export const SERVICE_AUDIENCE = "klipstream";
