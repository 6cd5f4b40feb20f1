// The small fields of courses, chapters and items, checked where they come in.
import { refuse } from "../access.ts";
import { MAX_URL_CHARS, WEB_PROTOCOLS, webAddress } from "../webAddress.ts";
import { MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS } from "./limits.ts";

/** @throws {ConvexError} `invalid_request` for an empty or a long one */
export const checkName = (name: string, what: string): string => {
  const trimmed = name.trim();
  if (trimmed.length < 1 || trimmed.length > MAX_NAME_CHARS) {
    throw refuse("invalid_request", `${what} has 1 to ${MAX_NAME_CHARS} characters.`);
  }
  return trimmed;
};

/** @throws {ConvexError} `invalid_request` for a long one */
export const checkDescription = (text: string): string => {
  if (text.length > MAX_DESCRIPTION_CHARS) {
    throw refuse(
      "invalid_request",
      `A description has at most ${MAX_DESCRIPTION_CHARS} characters.`,
    );
  }
  return text;
};

/**
 * An address that a page may show or link to, as the URL standard writes it.
 * @param protocols  with their colons; default http and https
 * @throws {ConvexError} `invalid_request`
 */
export const checkUrl = (
  url: string,
  what: string,
  protocols: readonly string[] = WEB_PROTOCOLS,
): string => {
  const parsed = webAddress(url, protocols);
  if (parsed) return parsed.href;
  const names = protocols.map((protocol) => `${protocol}//`).join(" or ");
  throw refuse(
    "invalid_request",
    `${what} is an address with ${names}, without a user name, of at most ${MAX_URL_CHARS} characters.`,
  );
};

/** A thumbnail's address. */
export const checkThumbnailUrl = (url: string): string => checkUrl(url, "A thumbnail");

/** What a given change makes of a field: null takes it away, undefined leaves it as it is. */
export const changed = <K extends string, T, R>(
  key: K,
  given: T | null | undefined,
  check: (value: T) => R,
): { [key in K]?: R | undefined } =>
  (given === undefined ? {} : { [key]: given === null ? undefined : check(given) }) as {
    [key in K]?: R | undefined;
  };
