// Where the output of instances and executions goes: into a file for each function, begun anew with each
// start, or to this process's own standard error.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";

export interface Logs {
  /** The file descriptor for what a function says. */
  of(functionName: string): number;
  close(): void;
}

/** Files are in `<dataDir>/logs`. */
export const openLogs = (dataDir: string, where: "files" | "stderr"): Logs => {
  const folder = join(dataDir, "logs");
  const open = new Map<string, number>();
  return {
    of(name) {
      if (where === "stderr") return process.stderr.fd;
      const known = open.get(name);
      if (known !== undefined) return known;
      mkdirSync(folder, { recursive: true });
      const file = openSync(join(folder, `${name}.log`), "w", 0o600);
      open.set(name, file);
      return file;
    },
    close() {
      for (const file of open.values()) closeSync(file);
    },
  };
};
