// A folder that an earlier job was downloaded to: what its manifest lists and the new one does not
// would pass for a result of the new job.
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { MANIFEST, Manifest } from "#shared/contract/manifest.ts";

const isInside = (folder: string, path: string): boolean => {
  const way = relative(resolve(folder), path);
  return way !== "" && !way.startsWith("..");
};

/** Removes what an earlier manifest in `out` lists and `names` does not; touches nothing else. */
export const removeStaleOutputs = async (out: string, names: readonly string[]): Promise<void> => {
  const path = join(out, MANIFEST);
  if (!existsSync(path)) return;
  let earlier: Manifest;
  try {
    earlier = Manifest.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Some other program's manifest: nothing of it is ours to remove.
    return;
  }
  const kept = new Set(names);
  for (const { name } of earlier.outputs) {
    const stale = resolve(out, name);
    if (!kept.has(name) && isInside(out, stale)) await rm(stale, { force: true });
  }
};
