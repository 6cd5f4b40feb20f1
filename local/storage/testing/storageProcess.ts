// A storage server in a process of its own (serverProcess.ts), for tests that kill it and start it again at its address.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("serverProcess.ts", import.meta.url));

export interface StorageProcess {
  origin: string;
  child: ChildProcess;
  /** With -9; does nothing where it is gone. */
  kill(): Promise<void>;
}

/** @param port  default a free one */
export const startStorageProcess = async (dataDir: string, port = 0): Promise<StorageProcess> => {
  const child = spawn(process.execPath, [SCRIPT, dataDir, String(port)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const [line] = (await once(child.stdout as NodeJS.EventEmitter, "data")) as [Buffer];
  return {
    origin: line.toString("utf8").trim(),
    child,
    async kill() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
};
