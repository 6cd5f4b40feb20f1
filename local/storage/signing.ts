// V4 signed URLs, checked as Cloud Storage checks them.
// https://cloud.google.com/storage/docs/authentication/canonical-requests
import { createHash, createVerify, type KeyObject } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { StorageFailure } from "./failure.ts";

/** Public key of a service account, by its email; undefined for one nobody knows. */
export type VerifySigner = (
  email: string,
) => string | KeyObject | undefined | Promise<string | KeyObject | undefined>;

export interface SignedRequest {
  method: string;
  /** Path as it was sent, percent-encoded. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
}

const MAX_EXPIRES_SEC = 604_800;
/** By so much the clock of whoever signed may be ahead of ours. */
const MAX_AHEAD_MS = 900_000;
const ALGORITHM = "GOOG4-RSA-SHA256";

/** Percent-encodes all but RFC 3986's unreserved characters. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const canonicalPath = (path: string): string => {
  try {
    return path
      .split("/")
      .map((part) => encode(decodeURIComponent(part)))
      .join("/");
  } catch (cause) {
    throw new StorageFailure("badRequest", "The path is not valid percent-encoding.", { cause });
  }
};

const canonicalQuery = (query: URLSearchParams): string =>
  Array.from(query)
    .filter(([name]) => name.toLowerCase() !== "x-goog-signature")
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(([a, av], [b, bv]) => (a === b ? (av < bv ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");

/** `20261120T093000Z` → milliseconds since 1970, NaN where it is no time. */
const parseDate = (text: string): number => {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  return match
    ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`)
    : NaN;
};

const headerValue = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  const text = Array.isArray(value) ? value.join(",") : value;
  if (text === undefined) {
    throw new StorageFailure(
      "malformedHeader",
      `Your request has a malformed header: ${name} was signed but not sent.`,
    );
  }
  return text.trim().replace(/\s{2,}/g, " ");
};

/** Whether a request carries a V4 signature in its query, right or wrong. */
export const isSigned = (query: URLSearchParams): boolean => query.has("X-Goog-Signature");

/**
 * Checks a signed request.
 * @throws {StorageFailure} 403 for a wrong signature or an unknown signer, 400 `ExpiredToken` for one
 *   that is too old, 400 for malformed or unsigned parts
 */
export const verifySignature = async (
  request: SignedRequest,
  verifySigner: VerifySigner,
  nowMs: number,
): Promise<void> => {
  const { query, headers } = request;
  const parameter = (name: string): string => {
    const value = query.get(name);
    if (value === null) {
      throw new StorageFailure("malformedHeader", `The parameter ${name} is missing.`);
    }
    return value;
  };
  if (parameter("X-Goog-Algorithm") !== ALGORITHM) {
    throw new StorageFailure("badRequest", `X-Goog-Algorithm must be ${ALGORITHM}.`);
  }
  const date = parameter("X-Goog-Date");
  const signedMs = parseDate(date);
  const expiresSec = Number(parameter("X-Goog-Expires"));
  if (
    Number.isNaN(signedMs) ||
    !Number.isInteger(expiresSec) ||
    expiresSec < 1 ||
    expiresSec > MAX_EXPIRES_SEC
  ) {
    throw new StorageFailure("malformedHeader", "X-Goog-Date or X-Goog-Expires is malformed.");
  }
  const credential = parameter("X-Goog-Credential");
  const slash = credential.indexOf("/");
  const [email, scope] = [credential.slice(0, slash), credential.slice(slash + 1)];
  if (
    slash < 1 ||
    !/^\d{8}\/[\w-]+\/storage\/goog4_request$/.test(scope) ||
    !scope.startsWith(date.slice(0, 8))
  ) {
    throw new StorageFailure("malformedHeader", "X-Goog-Credential is malformed.");
  }

  const signedHeaders = parameter("X-Goog-SignedHeaders").toLowerCase().split(";");
  if (!signedHeaders.includes("host")) {
    throw new StorageFailure("malformedHeader", "The host header must be signed.");
  }
  const unsigned = Object.keys(headers).find(
    (name) => name.startsWith("x-goog-") && !signedHeaders.includes(name),
  );
  if (unsigned) {
    throw new StorageFailure("malformedHeader", `The header ${unsigned} was sent but not signed.`);
  }

  const mismatch = (): StorageFailure =>
    new StorageFailure(
      "badSignature",
      "The request signature we calculated does not match the signature you provided.",
    );
  const key = await verifySigner(email);
  const signature = parameter("X-Goog-Signature");
  if (key === undefined || !/^(?:[0-9a-f]{2})+$/i.test(signature)) throw mismatch();
  const canonicalHeaders = (host: string): string =>
    signedHeaders
      .map((name) => `${name}:${name === "host" ? host : headerValue(headers, name)}\n`)
      .join("");
  const matches = (host: string): boolean => {
    const canonical = [
      request.method,
      canonicalPath(request.path),
      canonicalQuery(query),
      canonicalHeaders(host),
      signedHeaders.join(";"),
      signedHeaders.includes("x-goog-content-sha256")
        ? headerValue(headers, "x-goog-content-sha256")
        : "UNSIGNED-PAYLOAD",
    ].join("\n");
    const hash = createHash("sha256").update(canonical).digest("hex");
    return createVerify("RSA-SHA256")
      .update([ALGORITHM, date, scope, hash].join("\n"))
      .verify(key, signature, "hex");
  };
  // The official client signs the host without its port, which Google's own never needs.
  const host = headerValue(headers, "host");
  if (!matches(host) && !matches(host.replace(/:\d+$/, ""))) throw mismatch();
  // Only a true signature is told that it is late, or early.
  if (nowMs > signedMs + expiresSec * 1000) {
    throw new StorageFailure(
      "expiredToken",
      `The provided token has expired. Request signature expired at: ${new Date(signedMs + expiresSec * 1000).toISOString()}`,
    );
  }
  if (nowMs < signedMs - MAX_AHEAD_MS) {
    throw new StorageFailure("accessDenied", "The signature is not valid yet.");
  }
};
