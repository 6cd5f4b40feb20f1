// What Cloud Run's access control does before a private function sees a request.
import type { IncomingHttpHeaders } from "node:http";

export interface AccessOptions {
  /** @throws for a token that is not good or not for this audience */
  verifyIdToken: (token: string, audience: string) => Promise<{ email: string }>;
  /** Accounts that may call private functions. */
  invokers: readonly string[];
}

export type Access =
  | { kind: "allowed"; headers: IncomingHttpHeaders }
  | { kind: "refused"; status: 401 | 403; reason: string };

/** What Cloud Run writes where the signature was: a function that logs it gives nothing away. */
const REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE";

/**
 * @param audience  the function's own address
 * @returns the headers for the function: the token in them can be read, but used nowhere
 */
export const checkAccess = async (
  headers: IncomingHttpHeaders,
  audience: string,
  { verifyIdToken, invokers }: AccessOptions,
): Promise<Access> => {
  // The second header leaves Authorization to the function; where both are there, it counts.
  const name = headers["x-serverless-authorization"]
    ? "x-serverless-authorization"
    : "authorization";
  const value = headers[name];
  if (typeof value !== "string") {
    return { kind: "refused", status: 403, reason: "This function is private; a token is needed." };
  }
  const token = /^bearer ([^ ]+)$/i.exec(value)?.[1];
  if (token === undefined) {
    return { kind: "refused", status: 401, reason: "The authorization is no bearer token." };
  }
  let email: string;
  try {
    ({ email } = await verifyIdToken(token, audience));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: "refused", status: 401, reason: `The token is not good: ${why}` };
  }
  if (!invokers.includes(email)) {
    return { kind: "refused", status: 403, reason: `${email} may not call this function.` };
  }
  const signed = token.split(".").slice(0, 2).join(".");
  return { kind: "allowed", headers: { ...headers, [name]: `Bearer ${signed}.${REMOVED}` } };
};
