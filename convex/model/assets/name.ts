// What the name of a stored object can be: of Cloud Storage, and of S3 for what was stored before.

const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
const MAX_KEY_BYTES = 1024;
const MAX_SHOWN_CHARS = 120;

/** A value in an error's sentence: short, and without what would mess up a terminal. */
export const shown = (text: string): string => {
  const plain = text.replaceAll(/\p{C}/gu, "?");
  return `"${plain.length > MAX_SHOWN_CHARS ? `${plain.slice(0, MAX_SHOWN_CHARS)}…` : plain}"`;
};

/** Whether this can be a bucket's name; the older ones of S3's first region are left out. */
export const isBucket = (text: string): boolean => BUCKET.test(text);

/** What is wrong with a key, in a sentence; null where nothing is. */
export const keyProblem = (key: string): string | null => {
  if (key.trim() === "") return "The key is empty.";
  if (new TextEncoder().encode(key).length > MAX_KEY_BYTES) {
    return `The key has more than ${MAX_KEY_BYTES} bytes.`;
  }
  if (/\p{C}/u.test(key)) return `The key ${shown(key)} has characters that cannot be printed.`;
  if (key !== key.trim()) return `The key ${shown(key)} begins or ends with a space.`;
  const names = key.split("/");
  return names.some((name) => name === "" || name === "." || name === "..")
    ? `The key ${shown(key)} is malformed: it has an empty name, "." or ".." between its slashes.`
    : null;
};
