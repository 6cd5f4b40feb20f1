// The small fields of courses, chapters and items, checked where they come in.
import { refuse } from "../access.ts";
import { MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, MAX_URL_CHARS } from "./limits.ts";

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
 * @param protocols  with their colons; so that no `javascript:` gets into a page
 * @throws {ConvexError} `invalid_request`
 */
export const checkUrl = (url: string, protocols: readonly string[], what: string): string => {
  const parsed = url.length <= MAX_URL_CHARS && URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !protocols.includes(parsed.protocol) || parsed.hostname === "") {
    const names = protocols.map((protocol) => `${protocol}//`).join(" or ");
    throw refuse(
      "invalid_request",
      `${what} is an address with ${names}, of at most ${MAX_URL_CHARS} characters.`,
    );
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw refuse("invalid_request", `${what} must not hold a user name or password.`);
  }
  return parsed.href;
};

/** A thumbnail's address. */
export const checkThumbnailUrl = (url: string): string =>
  checkUrl(url, ["https:", "http:"], "A thumbnail");

/** What a given change makes of a field: null takes it away, undefined leaves it as it is. */
export const changed = <K extends string, T, R>(
  key: K,
  given: T | null | undefined,
  check: (value: T) => R,
): { [key in K]?: R | undefined } =>
  (given === undefined ? {} : { [key]: given === null ? undefined : check(given) }) as {
    [key in K]?: R | undefined;
  };
