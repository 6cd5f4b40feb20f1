// A full disk, however it is told: by the system, or by SQLite. It is nobody's mistake and passes when
// there is room again, so it is said in a sentence that names the place.

const SQLITE_FULL = 13;

/** The disk is full; the call changed nothing and can be made again when there is room. */
export class DiskFull extends Error {
  override name = "DiskFull";
}

const isFull = (error: unknown): boolean => {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // The low byte is the error, the others say more of it.
  const isSqlite = code === "ERR_SQLITE_ERROR" && typeof errcode === "number";
  return code === "ENOSPC" || code === "EDQUOT" || (isSqlite && (errcode & 0xff) === SQLITE_FULL);
};

/** Whether the error, or one of its causes, says that the disk is full. */
export const isFullDisk = (error: unknown): boolean => fullDisk(error, "") !== undefined;

/**
 * @param folder  on the disk in question
 * @returns undefined where neither the error nor one of its causes says that the disk is full
 */
export const fullDisk = (error: unknown, folder: string): DiskFull | undefined => {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof DiskFull) return at;
    if (isFull(at)) return new DiskFull(`The disk that holds ${folder} is full.`, { cause: error });
  }
  return undefined;
};
