// How the objects of uploads are named: whose they are, a random part, and what is left of the file's
// own name, which is what a person knows the video by until it says a title itself.

/** Of a file's name, with its ending. */
const MAX_NAME_CHARS = 80;
const ENDING = /\.[a-z0-9]{1,8}$/i;
/** What is left of a file's name; uploads of before names were kept have an ending alone. */
const NAMED = new RegExp(
  String.raw`^[0-9a-f-]{36}(?:/[\p{L}\p{N}][\p{L}\p{M}\p{N}_.-]{0,${MAX_NAME_CHARS - 1}}|(?:\.[a-z0-9]{1,8})?)$`,
  "u",
);

/** Whether `name`, below its owner's folder, is of the form that uploads get. */
export const isUploadName = (name: string): boolean => NAMED.test(name);

/**
 * A file's name as a part of an object's: letters, digits and `_.-`, at most 80 characters; "upload"
 * where nothing is left. The ending, which players and tools go by, is kept in small letters.
 */
export const safeFileName = (filename: string): string => {
  const name = filename.split(/[/\\]/).at(-1)!.trim().normalize("NFC");
  const ending = ENDING.exec(name)?.[0] ?? "";
  const stem = name
    .slice(0, name.length - ending.length)
    .replaceAll(/[^\p{L}\p{M}\p{N}_.-]+/gu, "-")
    .replaceAll(/\.{2,}/g, ".")
    .replace(/^[^\p{L}\p{N}]+/u, "");
  const kept = Array.from(stem)
    .slice(0, MAX_NAME_CHARS - ending.length)
    .join("");
  return (kept.replace(/[-.]+$/, "") || "upload") + ending.toLowerCase();
};

/**
 * The file's name without its ending.
 * @param object  an upload's, or its `gs://` handle
 * @returns undefined for an upload without a name, and for what is no upload
 */
export const uploadTitle = (object: string): string | undefined => {
  const [, name] = /(?:^|\/)uploads\/[^/]+\/[0-9a-f-]{36}\/([^/]+)$/.exec(object) ?? [];
  return name?.replace(ENDING, "") || undefined;
};
