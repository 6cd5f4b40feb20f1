// Google's Pub/Sub emulator as a child process, for tests that compare with it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, realpathSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";

export interface Emulator {
  address: string;
  stop(): Promise<void>;
}

/** The real one's path, where there is one. */
export const gcloud = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "gcloud"))
  .find(existsSync);
/** Whether gcloud is on the path and has the emulator. */
export const emulatorInstalled =
  gcloud !== undefined &&
  existsSync(join(dirname(realpathSync(gcloud)), "..", "platform", "pubsub-emulator"));

/** A port of 127.0.0.1 that nobody listens on now. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
};

/** Starts Google's emulator in a process group of its own, so that its Java child ends with it. */
export const startEmulator = async (project: string, dataDir: string): Promise<Emulator> => {
  const address = `127.0.0.1:${await freePort()}`;
  const child: ChildProcess = spawn(
    gcloud ?? "gcloud",
    [
      "beta",
      "emulators",
      "pubsub",
      "start",
      `--project=${project}`,
      `--host-port=${address}`,
      `--data-dir=${dataDir}`,
    ],
    { detached: true, stdio: ["ignore", "pipe", "pipe"] },
  );
  const exited = once(child, "exit");
  await new Promise<void>((resolve, reject) => {
    let log = "";
    const read = (chunk: Buffer): void => {
      log += chunk.toString("utf8");
      if (log.includes("Server started, listening on")) resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`The emulator did not start: ${log}`)));
  });
  return {
    address,
    async stop() {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await exited;
    },
  };
};
