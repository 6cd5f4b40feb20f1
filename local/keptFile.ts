// Small files of the data folder that are made where they are missing: keys, ports. One that is damaged
// is not taken for missing, since what was issued with it would be lost without a word.
import { readFile, rename, writeFile } from "node:fs/promises";
import type { z } from "zod";

/**
 * @param parse  of its text; what it throws is the reason that is given
 * @returns undefined where there is no such file
 * @throws {Error} that names the file
 */
export const readKeptText = async <T>(
  path: string,
  parse: (text: string) => T,
): Promise<T | undefined> => {
  try {
    return parse(await readFile(path, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const sentence = `${path} cannot be read. Put a copy in its place, or delete it to have it made anew.`;
    throw new Error(sentence, { cause });
  }
};

/** Beside it and renamed, so that a crash leaves the whole file or none; readable by the owner only. */
export const writeKeptText = async (path: string, text: string): Promise<void> => {
  const temporary = `${path}.new`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
};

/** As `readKeptText`, of JSON. */
export const readKept = <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> =>
  readKeptText(path, (text) => schema.parse(JSON.parse(text)));

/** As `writeKeptText`, of JSON. */
export const writeKept = (path: string, value: unknown): Promise<void> =>
  writeKeptText(path, JSON.stringify(value, null, 2));
