// Hears of each file that changes in a folder or below. Node's own recursive watch holds, on Linux, to each
// file by itself, and hears nothing more of one whose place another file took, as most editors and git save.
// So each folder is watched, and tells of the names in it, whatever file has them.
import { type FSWatcher, lstatSync, readdirSync, watch } from "node:fs";
import { join, sep } from "node:path";

export interface FolderListener {
  /** Hears the path, under `root`, of what was made, changed or deleted: files, and folders at times. */
  notice(path: string): void;
  /** A folder could not be watched, or cannot be any longer. */
  lost(folder: string, error: Error): void;
}

const isFolder = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * @param root  a folder that is there; links in it are not followed
 * @returns what ends it
 */
export const watchFolder = (root: string, listener: FolderListener): { close(): void } => {
  const watchers = new Map<string, FSWatcher>();

  const forget = (folder: string): void => {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      watchers.delete(path);
    }
  };
  /** @param isNew  what lies in it was not there before either */
  const follow = (folder: string, isNew: boolean): void => {
    const lost = (error: Error) => {
      forget(folder);
      // One that was deleted is told by the folder it was in.
      if (isFolder(folder)) listener.lost(folder, error);
    };
    try {
      const watcher = watch(folder, (event, name) => {
        if (name !== null) hear(join(folder, name), event === "rename");
      });
      watchers.set(folder, watcher.on("error", lost));
      // Only now: what is made meanwhile is then found or heard of.
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) follow(path, isNew);
        else if (isNew) listener.notice(path);
      }
    } catch (error) {
      lost(error as Error);
    }
  };
  const hear = (path: string, cameOrWent: boolean): void => {
    if (cameOrWent) {
      forget(path);
      if (isFolder(path)) follow(path, true);
    }
    listener.notice(path);
  };

  follow(root, false);
  return { close: () => forget(root) };
};
