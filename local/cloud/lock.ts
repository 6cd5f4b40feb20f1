// One process per data folder. The lock is a transaction that stays open on a SQLite file: the
// system lets go of it however the process ends, so there is no stale lock to reason about. Who holds
// it is said in a file beside it, which means something only while somebody does.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { fullDisk } from "../fullDisk.ts";

export interface Lock {
  release(): void;
}

/** The folder is another process's. */
export class FolderInUse extends Error {
  override name = "FolderInUse";
}

const Holder = z.object({ pid: z.int(), command: z.string() });
const Address = z.object({ origin: z.url() });

const unwritable = (dataDir: string, cause: unknown): Error =>
  fullDisk(cause, dataDir) ??
  new Error(`The data folder ${dataDir} cannot be written to.`, { cause });

/** Somebody may only be looking whether the folder is taken. */
const PATIENCE_MS = 200;

const openDatabase = (dataDir: string, timeout: number): DatabaseSync => {
  try {
    if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory() === false)
      throw new Error("It is a file.");
    // People's videos are in it.
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return new DatabaseSync(join(dataDir, "lock.db"), { timeout });
  } catch (cause) {
    throw unwritable(dataDir, cause);
  }
};

const take = (dataDir: string, timeoutMs: number): Lock | undefined => {
  const database = openDatabase(dataDir, timeoutMs);
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked/.test(error.message)) return undefined;
    throw unwritable(dataDir, error);
  }
  return { release: () => database.close() };
};

/** As a person typed it, where npm says so. */
const ownCommand = (): string => {
  const { npm_lifecycle_event: script } = process.env;
  return script
    ? `npm ${script === "start" ? "" : "run "}${script}`
    : basename(process.argv[1] ?? "node");
};

const read = <T>(schema: z.ZodType<T>, path: string): T | undefined => {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // Not written yet, or by a version that wrote none: then nothing is known of it.
    return undefined;
  }
};

/** A sentence about who works in the folder, where somebody does. */
const holderOf = (dataDir: string): string => {
  const holder = read(Holder, join(dataDir, "lock.json"));
  const at = read(Address, join(dataDir, "running.json"));
  const who = holder ? `${holder.command} (process ${holder.pid})` : "Another process";
  return `${who} works in ${dataDir}${at ? `, at ${at.origin}` : ""}.`;
};

/** Whether a process works in the folder; makes nothing and changes nothing. */
export const isLocked = (dataDir: string): boolean => {
  const lock = take(dataDir, 0);
  lock?.release();
  return !lock;
};

/**
 * @throws {FolderInUse} where another process, or another part of this one, holds the folder
 * @throws {Error} where the folder cannot be written to
 */
export const lockFolder = (dataDir: string): Lock => {
  const lock = take(dataDir, PATIENCE_MS);
  if (!lock) throw new FolderInUse(holderOf(dataDir));
  try {
    const holder = { pid: process.pid, command: ownCommand() };
    writeFileSync(join(dataDir, "lock.json"), JSON.stringify(holder));
  } catch (error) {
    lock.release();
    throw unwritable(dataDir, error);
  }
  return lock;
};
