// Addresses that pages show or link to, wherever they are kept: no `javascript:`, and no password.

/** A longer address is taken nowhere. */
export const MAX_URL_CHARS = 2_048;
export const WEB_PROTOCOLS = ["https:", "http:"] as const;

/**
 * An address that a page may show or link to, parsed; null for what is none.
 * @param protocols  with their colons; default http and https
 */
export const webAddress = (
  text: string,
  protocols: readonly string[] = WEB_PROTOCOLS,
): URL | null => {
  if (text.length > MAX_URL_CHARS || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (!protocols.includes(url.protocol) || url.hostname === "") return null;
  return url.username === "" && url.password === "" ? url : null;
};
