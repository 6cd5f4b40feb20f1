// Where the cloud of a data folder is, for commands that use one that runs already.
import { readFile, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isLocked } from "./cloud/lock.ts";
import { writeKept } from "./keptFile.ts";

const Running = z.object({
  origin: z.url(),
  apiKey: z.string(),
  convexUrl: z.url(),
  storageOrigin: z.url(),
  bucket: z.string(),
});
export type Running = z.infer<typeof Running>;

const fileOf = (dataDir: string): string => join(dataDir, "running.json");

/** Says where it is, to its owner only: the API key is in it. */
export const announce = (dataDir: string, running: Running): Promise<void> =>
  writeKept(fileOf(dataDir), running);

export const withdraw = (dataDir: string): Promise<void> => rm(fileOf(dataDir), { force: true });

/** @returns undefined where none runs, or one is only starting */
export const findRunningCloud = async (dataDir: string): Promise<Running | undefined> => {
  if (!existsSync(fileOf(dataDir))) return undefined;
  // Where nobody holds the folder, what is written there was left by one that was killed.
  if (!isLocked(dataDir)) return undefined;
  try {
    return Running.parse(JSON.parse(await readFile(fileOf(dataDir), "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};
