// Identifiers of our own: sorted by time, and not to be guessed.

/** Crockford's base 32, lower case. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS = 10;
const RANDOM_CHARS = 16;

/**
 * 26 characters in the layout of a ULID: 48 bits of time, 80 random. In mutations Convex seeds
 * `Math.random` anew for each call from a cryptographic source, and offers no other randomness.
 * Whoever knows an identifier still has to be its owner.
 */
export const timeSortedId = (now: number): string => {
  let time = "";
  for (let rest = now, i = 0; i < TIME_CHARS; i += 1) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let random = "";
  for (let i = 0; i < RANDOM_CHARS; i += 1) {
    random += ALPHABET.charAt(Math.floor(Math.random() * 32));
  }
  return time + random;
};
