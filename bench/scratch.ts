// What a benchmark leaves behind: nothing, also where it is broken off.
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is gone when the process ends, or when disposed of. */
export const scratchFolder = (parent = tmpdir()): Disposable & { path: string } => {
  const path = mkdtempSync(join(parent, ".klipstream-bench-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  process.once("exit", remove);
  return {
    path,
    [Symbol.dispose]: () => {
      process.off("exit", remove);
      remove();
    },
  };
};

/** Ends the child with this process at the latest. */
export const tie = <C extends ChildProcess>(child: C): C => {
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  return child;
};
