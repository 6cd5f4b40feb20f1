// ID tokens for pushes. Signing one takes a millisecond, so a token is kept, as Pub/Sub keeps its
// own, until ten minutes before it expires; a token without a readable expiry is not kept.

export interface TokenRequest {
  serviceAccountEmail: string;
  audience: string;
}
export type MintIdToken = (request: TokenRequest) => Promise<string>;

const MARGIN_MS = 600_000;
const MAX_KEPT = 1000;

const expiryMs = (token: string): number => {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    const exp = (payload as { exp?: unknown } | null)?.exp;
    return typeof exp === "number" ? exp * 1000 : 0;
  } catch (error) {
    if (error instanceof SyntaxError) return 0;
    throw error;
  }
};

/** The same minting, with tokens kept. */
export const keepTokens = (mint: MintIdToken, now: () => number): MintIdToken => {
  const kept = new Map<string, { token: string; untilMs: number }>();
  return async (request) => {
    const key = JSON.stringify([request.serviceAccountEmail, request.audience]);
    const known = kept.get(key);
    if (known && known.untilMs > now()) return known.token;
    const token = await mint(request);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(key, { token, untilMs: expiryMs(token) - MARGIN_MS });
    return token;
  };
};
