// The data folder as a whole: whose it is, of which version, and what in it is ours. Each part in it
// (Convex, Pub/Sub, storage) keeps the version of its own files; the folder's is that of their layout.
import {
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { fullDisk } from "../fullDisk.ts";
import { type Lock, lockFolder } from "./lock.ts";

/** All that the local cloud, and `npm run demo`, may put there; nothing else is touched. */
const OURS = [
  /^(version|lock|running|ports|api-key)\.json(\.new)?$/,
  /^(lock\.db|convex\.sqlite)(-journal|-wal|-shm)?$/,
  /^(logs|metadata|people|pubsub|sample|storage|tmp)$/,
];
/** What systems put into folders by themselves. */
const NOBODYS = ["lost+found", ".DS_Store"];

/** Whether the local cloud made it. */
export const isOurs = (entry: string): boolean => OURS.some((pattern) => pattern.test(entry));

/** The folder holds something else, or is of a later version: left as it is. */
export class WrongFolder extends Error {
  override name = "WrongFolder";
}

export type FolderKind =
  /** Not there, or with nothing in it that could be somebody's. */
  | "new"
  | "ours"
  /** With things of somebody else's and no mark of ours. */
  | "other";

export const kindOf = (dataDir: string): FolderKind => {
  if (!statSync(dataDir, { throwIfNoEntry: false })?.isDirectory()) return "new";
  const entries = readdirSync(dataDir);
  // Before there were versions the lock was the first file in the folder.
  if (entries.includes("version.json") || entries.includes("lock.db")) return "ours";
  return entries.every((name) => isOurs(name) || NOBODYS.includes(name)) ? "new" : "other";
};

/**
 * Brings the folder from the version of its place to the next. It may be cut off at any moment and is
 * then run again.
 */
export type Upgrade = (dataDir: string) => void;

const UPGRADES: readonly Upgrade[] = [
  // Version 0 had no version and kept Convex in memory. Whatever Pub/Sub still has of its jobs is
  // settled when it is delivered, the outputs stay, and the API key is registered anew.
  () => undefined,
];

const Version = z.object({ format: z.int().min(0) });

/** @returns 0 where none is written @throws {WrongFolder} where what is written is none */
const readVersion = (dataDir: string): number => {
  const path = join(dataDir, "version.json");
  if (!existsSync(path)) return 0;
  try {
    return Version.parse(JSON.parse(readFileSync(path, "utf8"))).format;
  } catch (cause) {
    throw new WrongFolder(`${path} is damaged: it should say {"format": number}.`, { cause });
  }
};

const writeVersion = (dataDir: string, format: number): void => {
  const path = join(dataDir, "version.json");
  writeFileSync(`${path}.new`, `${JSON.stringify({ format })}\n`);
  renameSync(`${path}.new`, path);
};

const upgrade = (dataDir: string, upgrades: readonly Upgrade[]): void => {
  const version = readVersion(dataDir);
  if (version > upgrades.length)
    throw new WrongFolder(
      `${dataDir} was written by a later version of KlipStream (format ${version}; this one knows ${upgrades.length}). Use that one, or another folder with --data.`,
    );
  for (const [at, step] of upgrades.entries()) {
    if (at < version) continue;
    step(dataDir);
    writeVersion(dataDir, at + 1);
  }
};

/**
 * Takes a data folder for this process, makes it where it is missing, and brings it up to date.
 * @throws {WrongFolder} where it holds other things, or is of a later version
 * @throws {FolderInUse} where another process, or another part of this one, works in it
 * @throws {DiskFull}
 * @throws {Error} where it cannot be written to
 */
export const openDataFolder = (dataDir: string, upgrades = UPGRADES): Lock => {
  const kind = kindOf(dataDir);
  if (kind === "other")
    throw new WrongFolder(
      `${dataDir} holds other things and no state of KlipStream; name a folder of its own with --data.`,
    );
  const lock = lockFolder(dataDir);
  try {
    if (kind === "new") writeVersion(dataDir, upgrades.length);
    else upgrade(dataDir, upgrades);
  } catch (error) {
    lock.release();
    throw fullDisk(error, dataDir) ?? error;
  }
  return lock;
};
