// Secrets and their hashes. Made in actions, where Convex offers true randomness.

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

/** How a key begins: tells people, and scanners for leaked secrets, what it is. */
const KEY_MARK = "ks_";
/** Of a key, what a list of keys may show. */
const SHOWN_CHARS = KEY_MARK.length + 6;

export const createApiKey = (): { key: string; prefix: string } => {
  const key = `${KEY_MARK}${base64Url(randomBytes(32))}`;
  return { key, prefix: key.slice(0, SHOWN_CHARS) };
};

/** In the form of Standard Webhooks: `whsec_` and base64 of 32 bytes. */
export const createWebhookSecret = (): string =>
  `whsec_${btoa(String.fromCharCode(...randomBytes(32)))}`;

/** Lower-case hex. A key has 256 random bits, so a plain hash gives nothing away. */
export const sha256Hex = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
};
